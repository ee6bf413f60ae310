"""Which charts a report of a run has: those of the panels, in their curves and colours, as far as they are recorded."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from grokterm.ancestry import array_names, joined, names, whole_array
from grokterm.charts import BarChart, Chart, HeatChart, Line, LineChart, Moments, Spectrum, moments_in, whole
from grokterm.history import History
from grokterm.measured import on_log_y, one_a_bar
from grokterm.plot import MOST_CURVES
from grokterm.run.hindsight import PREFIX
from grokterm.text import plain
from grokterm.tui.hindsight import repeats
from grokterm.tui.panel import Curve, CurvePanel, Drawn, drawn
from grokterm.tui.panels.accuracy import Accuracy
from grokterm.tui.panels.excluded import Excluded
from grokterm.tui.panels.fourier import is_by_frequency, key_frequencies, keys_of
from grokterm.tui.panels.loss import Loss
from grokterm.tui.panels.others import KNOBS, Others
from grokterm.tui.panels.sparsity import Sparsity
from grokterm.tui.panels.weight_norm import WeightNorm

FEWEST_POINTS = 2
"""Of at least one curve of a chart."""
SHARES = (0.0, 1.0)
MOST_OTHERS = 12
"""Charts of measures that have no panel of their own, and of vectors of a person's own."""
STEPS = frozenset({"grad_norm", "update_norm"})
LIVE = "Excluded and restricted with live key frequencies: those of each step's own weights."
KEYS = "Key frequencies are those of the newest weights."

Captioned = tuple[Chart, str]


@dataclass(frozen=True)
class Words:
    """What is written around a chart: its title, its y axis, the sentence under it."""

    title: str
    y_label: str
    caption: str


@dataclass(frozen=True)
class Once:
    """A value that was recorded at one step alone: there is no curve of it."""

    label: str
    step: int
    value: float


def charts_of(history: History) -> list[Captioned]:
    """Every chart of the report with the sentence under it; none where nothing is recorded."""
    return list(_Charts(history).all())


def recorded_once(history: History) -> list[Once]:
    """What would be charts of single dots, and is none of `charts_of`."""
    charts = _Charts(history)
    for _ in charts.all():
        pass
    return charts.once


class _Charts:
    """The charts of one run, which share the steps in view and what happened in them."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.span = whole(history)
        self.moments: Moments = moments_in(history, self.span)
        self.keys = tuple(key_frequencies(history, None))
        self.once: list[Once] = []

    def all(self) -> Iterator[Captioned]:
        recorded, whose = set(names(self.history)), self.whose_keys()
        has_keys = bool(recorded & {curve.column for curve in (*Excluded.curves, *Excluded.beside)})
        of_loss = "Mean cross-entropy." + (f" {whose}" if has_keys else "")
        yield from self.panel(Loss(), Words("Loss", "loss", of_loss))
        yield from self.panel(Accuracy(), Words("Accuracy", "accuracy", "Share of right answers."))
        yield from self.panel(WeightNorm(), Words("Weight norm²", "Σ w²", "In all and by parameter."))
        yield from self.fourier()
        single = "Excluded: without the key frequencies. Restricted: with nothing else. k=…: without that one alone."
        yield from self.panel(Excluded(), Words("Excluded and restricted loss", "loss", f"{single} {whose}"))
        shares = "Gini: how few frequencies hold the norm. FVE: how much of it the paper's form explains."
        yield from self.panel(Sparsity(), Words("Gini and explained variance", "share", shares))
        margin = Words("Logit margin", "logit margin", "Right logit − the largest wrong one, over all inputs.")
        yield from self.curves(Others(), Sparsity.margins, margin)
        yield from self.others()

    def whose_keys(self) -> str:
        """With which key frequencies excluded and restricted loss were computed."""
        about = self.history.hindsight
        if about is None:
            return LIVE
        known = " ".join(map(str, about.key_frequencies)) or "none"
        return f"{LIVE} Hindsight: with those of the weights at step {about.final_step:,}: {known}."

    def panel(self, panel: CurvePanel, words: Words) -> Iterator[Captioned]:
        """The curves of a panel."""
        yield from self.curves(panel, panel.curves_of(self.history), words)

    def curves(self, panel: CurvePanel, curves: Sequence[Curve], words: Words) -> Iterator[Captioned]:
        """Those of the curves that are recorded; nothing where none is."""
        lines = [line for each in drawn(curves, self.history, panel.series) if len((line := _line(each)).steps)]
        if all(len(line.steps) < FEWEST_POINTS for line in lines):
            self.once += [Once(_said(words, line), int(line.steps[0]), float(line.values[0])) for line in lines]
            return
        low, high = SHARES if all("accuracy" in curve.column for curve in curves) else panel.limits
        left_out = len(lines) - MOST_CURVES
        chart = LineChart(
            title=words.title,
            y_label=words.y_label,
            lines=tuple(lines[:MOST_CURVES]),
            span=self.span,
            moments=self.moments,
            log_y=all(on_log_y(curve.column) for curve in curves),
            limits=None if low is None or high is None else (low, high),
        )
        yield chart, words.caption + (f" {left_out:,} more are left out." if left_out > 0 else "")

    def fourier(self) -> Iterator[Captioned]:
        """The spectra, first and last, and the history of the embedding's; a person's own vectors as well."""
        embedding = f"Of the embedding, by frequency: hypot(cos, sin). {KEYS}"
        yield from self.spectrum("fourier_embedding", "Fourier norms of W_E", embedding)
        yield from self.waterfall("fourier_embedding", "Fourier norms of W_E over training")
        unembedding = f"Of the neuron-to-logit map, by frequency. {KEYS}"
        yield from self.spectrum("fourier_unembedding", "Fourier norms of W_L", unembedding)
        there = array_names(self.history)
        known = [name for name in there if name.startswith(PREFIX) and not repeats(name, there)]
        own = [name for name in there if not is_by_frequency(name) and not name.startswith(PREFIX)]
        for name in [*own, *known][:MOST_OTHERS]:
            yield from self.spectrum(name, plain(name), "By frequency." if is_by_frequency(name) else "By index.")

    def spectrum(self, name: str, title: str, caption: str) -> Iterator[Captioned]:
        """A vector's first and last row as bars."""
        found = one_a_bar(name, whole_array(self.history, name))
        if not found.values.size:
            return
        rows = sorted({0, len(found.steps) - 1})
        spectra = tuple(Spectrum(int(found.steps[row]), found.values[row].astype(np.float64)) for row in rows)
        x_label = "frequency k" if is_by_frequency(name) else "index"
        yield BarChart(title, x_label, spectra, keys_of(self.history, name, None)), caption

    def waterfall(self, name: str, title: str) -> Iterator[Captioned]:
        """A vector's rows over training."""
        found = one_a_bar(name, whole_array(self.history, name))
        if len(found.steps) > 1 and found.values.size:
            caption = "The same, frequency upwards and step across; the newest key frequencies at the side."
            yield HeatChart(title, "frequency k", found, self.span, self.moments, self.keys), caption

    def others(self) -> Iterator[Captioned]:
        """Gradient and update norm, the losses that are left, and each other measure on an axis of its own."""
        others = Others()
        left = [curve for curve in others.curves_of(self.history) if curve.column not in KNOBS | {"measures_share"}]
        steps = [curve for curve in left if curve.column in STEPS]
        yield from self.curves(others, steps, Words("Gradient and update", "norm", "L2 norms over all parameters."))
        losses = [curve for curve in left if on_log_y(curve.column) and curve.column not in STEPS]
        yield from self.curves(others, losses, Words("Other losses", "loss", "What else is recorded as a loss."))
        single = [curve for curve in left if not on_log_y(curve.column)]
        for curve in single[:MOST_OTHERS]:
            more = len(single) - MOST_OTHERS if curve is single[:MOST_OTHERS][-1] else 0
            caption = f"{more:,} more measures have no figure here." if more > 0 else ""
            yield from self.curves(others, [curve], Words(plain(curve.label), "", caption))


def _line(each: Drawn) -> Line:
    """A curve with what it has from the runs before it."""
    steps, values = joined([each.inherited, each.own])
    look, inherited = each.curve, len(each.inherited[0])
    return Line(plain(look.label), look.style, steps, values, inherited, dashed=look.column.startswith(PREFIX))


def _said(words: Words, line: Line) -> str:
    """The name of a curve outside its chart: "Accuracy: test"."""
    return words.title if line.label == words.title else f"{words.title}: {line.label}"
