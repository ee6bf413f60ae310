"""Which recorded numbers a person means by a name: a scalar, an array, or `NAME/k`, one component of an array.

A component is numbered as its bar is on the screen, from 1: one number a frequency where the array holds Fourier
components (`fourier_embedding/14` is the norm of the cos and sin component of frequency 14), the k-th element of any
other vector, the norm of the k-th row of a matrix. `excluded_loss/k` is `excluded_loss_k/k`, as the paper calls it.
`hindsight/NAME` is the same measure with the key frequencies that the run ended with, where it was measured again.
"""

from dataclasses import replace

import numpy as np

from grokterm.ancestry import array_at, array_names, names, whole_array, whole_series
from grokterm.charts import BarChart, Line, LineChart, Spectrum, joined, moments_in, whole
from grokterm.circuit.waves import paired
from grokterm.errors import RunError, UsageError, nearest
from grokterm.history import ArraySeries, History
from grokterm.plot import MOST_CURVES
from grokterm.run.hindsight import PREFIX
from grokterm.text import plain
from grokterm.tui.panels.fourier import FOURIER, is_by_frequency, keys_of
from grokterm.tui.panels.vectors import norms

LOSSES = ("train_loss", "test_loss")
COLOURS = ("train", "test", "restricted", "excluded", "fifth", "sixth", "norm")
PAPERS_NAMES = {"excluded_loss": "excluded_loss_k", f"{PREFIX}excluded_loss": f"{PREFIX}excluded_loss_k"}


def line_chart(
    history: History,
    names: tuple[str, ...] = (),
    *,
    log_x: bool = False,
    log_y: bool | None = None,
    first: int | None = None,
    last: int | None = None,
) -> LineChart:
    """Curves of scalars and components between two steps; without names, the losses.

    The y axis is logarithmic where `on_log_y` says so of every name, unless `log_y` says otherwise. Raises UsageError
    for a name that is not recorded and for steps without a row, RunError where nothing is recorded yet.
    """
    asked = _asked(history, names)
    lines = tuple(line(history, name, COLOURS[index % len(COLOURS)]) for index, name in enumerate(asked))
    span = _span(history, lines, first, last)
    if not names:
        lines = tuple(replace(each, label=each.label.removesuffix("_loss")) for each in lines)
    return LineChart(
        title="loss" if not names else "",
        y_label=_y_label(asked),
        lines=lines,
        span=span,
        moments=moments_in(history, span),
        log_x=log_x,
        log_y=all(on_log_y(name) for name in asked) if log_y is None else log_y,
    )


def on_log_y(name: str) -> bool:
    """Whether a measure is drawn on log y unless somebody says otherwise."""
    return "loss" in name or name in ("grad_norm", "update_norm")


def bar_chart(history: History, name: str, step: int | None = None) -> BarChart:
    """The spectrum at the last row at or before `step`, or the newest. Raises UsageError where there is none."""
    found = one_a_bar(name, array_at(history, name, step))
    row = len(found.steps) if step is None else int(np.searchsorted(found.steps, step, side="right"))
    if not row:
        when = "" if step is None else f" at or before step {step:,}"
        raise UsageError(f"{history.run.name} has no row of {name}{when}")
    spectrum = Spectrum(int(found.steps[row - 1]), found.values[row - 1].astype(np.float64))
    x_label = "frequency k" if is_by_frequency(name) else "index"
    return BarChart(plain(name), x_label, (spectrum,), keys_of(history, name, spectrum.step))


def line(history: History, name: str, style: str) -> Line:
    """One scalar or component. Raises UsageError that names the nearest that is recorded."""
    if name in names(history):
        found = whole_series(history, name)
        inherited = len(found.steps) - len(history.series(name).steps)
        return Line(plain(name), style, found.steps, found.values, inherited, dashed=name.startswith(PREFIX))
    array, slash, number = name.rpartition("/")
    array = PAPERS_NAMES.get(array, array)
    if not slash or array not in array_names(history):
        raise UsageError(f"{history.run.name} records no {plain(name)!r}; {nearest(name, _all(history))}")
    bars = one_a_bar(array, whole_array(history, array))
    count = bars.values.shape[1]
    if not (number.isascii() and number.isdecimal() and 1 <= int(number[:9]) <= count and len(number) < 9):
        raise UsageError(f"{array} has the components {array}/1 to {array}/{count}, and no {plain(name)!r}")
    inherited = len(bars.steps) - len(history.array(array).steps)
    return Line(plain(name), style, bars.steps, bars.values[:, int(number) - 1].astype(np.float64), inherited)


def one_a_bar(name: str, series: ArraySeries) -> ArraySeries:
    """Vectors of one number a bar, (n, bars): cos and sin as pairs, rows of a matrix by their norm."""
    if not len(series.steps):
        return ArraySeries(series.steps, np.zeros((0, series.values.shape[1] if series.values.ndim > 1 else 1)))
    if series.values.ndim == 1:  # a person's own array may hold one number a row
        return ArraySeries(series.steps, series.values[:, np.newaxis])
    of_waves = name.removeprefix(PREFIX) in FOURIER and series.values.ndim == 2 and series.values.shape[1] % 2
    with np.errstate(over="ignore"):  # a norm too large for its type is infinite, and is told as that
        values = paired(series.values.astype(np.float64)) if of_waves else norms(series.values)
    return ArraySeries(series.steps, values)


def _asked(history: History, said: tuple[str, ...]) -> tuple[str, ...]:
    """The names, each once; the losses where there are none."""
    recorded = set(names(history))
    if not recorded and not array_names(history):
        raise RunError(f"{history.run.name} has recorded nothing yet")
    asked = tuple(dict.fromkeys(said or [name for name in LOSSES if name in recorded]))
    if not asked:
        there = ", ".join(plain(name) for name in _all(history))
        raise UsageError(f"{history.run.name} records no loss; name a measure: {there}")
    if len(asked) > MOST_CURVES:
        raise UsageError(f"{len(asked)} measures do not fit one chart; name at most {MOST_CURVES}")
    return asked


def _span(history: History, lines: tuple[Line, ...], first: int | None, last: int | None) -> tuple[float, float]:
    """The steps in view; a sentence where there are none, or no row among them."""
    low, high = whole(history)
    span = (low if first is None else float(first), high if last is None else float(last))
    steps = [each.steps for each in lines if len(each.steps)]
    if not steps:
        raise RunError(f"{history.run.name} has no row of {joined([each.label for each in lines])} yet")
    if first is not None and last is not None and first >= last:
        raise UsageError(f"--from {first:,} is not before --until {last:,}")
    if not any(((span[0] <= each) & (each <= span[1])).any() for each in steps):
        there = f"{min(int(each[0]) for each in steps):,} to {max(int(each[-1]) for each in steps):,}"
        raise UsageError(f"no step from {span[0]:,.0f} to {span[1]:,.0f} is recorded; those that are go from {there}")
    return span


def _y_label(names: tuple[str, ...]) -> str:
    if all("loss" in name for name in names):
        return "loss"
    if all("accuracy" in name for name in names):
        return "accuracy"
    return plain(names[0]) if len(names) == 1 else ""


def _all(history: History) -> list[str]:
    return [*names(history), *array_names(history)]
