"""What a panel is: a title and rows of cells, drawn from a run's history. One file a panel, in `panels/`.

A panel is a class decorated with `@part`, made without arguments. Most are curves over steps: see `CurvePanel`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from grokterm.ancestry import ancestors, forked_at, joined, names, until
from grokterm.drawing.cells import Pattern, Row
from grokterm.drawing.chart import Entry, Line, Mark, Stretch, View, draw_lines, legend
from grokterm.drawing.envelope import undrawable
from grokterm.drawing.ticks import format_setting, format_value
from grokterm.history import History
from grokterm.run.finding import without_date
from grokterm.tui.looks import Looks

ASCII_MARKERS = "*o+x#%@&$~"
PATTERNS: tuple[Pattern, ...] = ("solid", "long", "dash", "dot")
LONGEST_LABEL = 16
SMOOTHED_SHARE = 0.02
"""A smoothed curve averages over this share of the steps in view."""

Points = tuple[NDArray[np.int64], NDArray[np.float64]]
"""Steps and values."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawn panel: its title (axes, what could not be drawn) and exactly as many rows as were asked for."""

    title: str
    rows: tuple[Row, ...]


class Panel(Protocol):
    """A part of kind "panels"."""

    digit: int
    name: str

    def reads(self) -> frozenset[str]:
        """Which of History.poll's changes make a new picture necessary."""
        ...

    def has_something(self, history: History) -> bool:
        """Whether the run records anything this panel could show."""
        ...

    def draw(self, history: History, looks: Looks, width: int, height: int) -> Picture:
        """Draw in exactly width × height cells."""
        ...


@dataclass(frozen=True, slots=True)
class Curve:
    """One series in a panel: the column's name, what the legend calls it, and how it looks everywhere.

    short: what a legend calls it that has no room for all of them.
    """

    column: str
    label: str
    style: str
    pattern: Pattern = "solid"
    ascii_marker: str = "*"
    short: str = ""


class CurvePanel:
    """Curves over steps. A subclass says which, on what axis; `beside` are those of hindsight that differ from live."""

    digit: ClassVar[int]
    name: ClassVar[str]
    curves: ClassVar[tuple[Curve, ...]] = ()
    beside: ClassVar[tuple[Curve, ...]] = ()
    both: ClassVar[str] = ""
    """What the panel is called when it shows hindsight too, where that is not `name`."""
    log_y: ClassVar[bool] = False
    limits: ClassVar[tuple[float | None, float | None]] = (None, None)
    ribbon: ClassVar[bool] = False

    def reads(self) -> frozenset[str]:
        """Every table, and the events that put ticks on the axis."""
        return frozenset({"steps", "tests", "measures", "arrays", "hindsight", "events"})

    def curves_of(self, history: History) -> Sequence[Curve]:
        """The curves to draw for this run."""
        recorded = set(names(history))
        return [curve for curve in (*self.curves, *self.beside) if curve.column in recorded]

    def title(self, history: History) -> str:
        """The panel's name, which says whose key frequencies its curves have."""
        recorded = set(names(history)) if self.both else set()
        return self.both if any(curve.column in recorded for curve in self.beside) else self.name

    def has_something(self, history: History) -> bool:
        """Whether any of the curves is recorded."""
        return bool(self.curves_of(history))

    def series(self, history: History, column: str) -> Points:
        """Steps and values of a curve."""
        found = history.series(column)
        return found.steps, found.values

    def draw(self, history: History, looks: Looks, width: int, height: int) -> Picture:
        """Legend with the values at the cursor, then the chart."""
        return draw_curves(
            self.title(history),
            drawn(self.curves_of(history), history, self.series),
            history,
            looks,
            width,
            height,
            log_y=looks.is_log_y(self.digit, self.log_y),
            limits=self.limits,
            ribbon=self.ribbon,
        )


@dataclass(frozen=True, eq=False, slots=True)
class Drawn:
    """A curve with its points: those of the run, and before them those of the runs that it was forked from."""

    curve: Curve
    own: Points
    inherited: Points

    def text(self, cursor: int | None) -> str:
        """What the legend says: the value recorded last at or before the cursor."""
        return value_text(*self.own, cursor) or value_text(*self.inherited, cursor)


def drawn(curves: Sequence[Curve], history: History, series: Callable[[History, str], Points]) -> list[Drawn]:
    """Curves as the run and its ancestors recorded them."""
    before = ancestors(history)
    found = []
    for curve in curves:
        own = series(history, curve.column)
        inherited = joined([series(run, curve.column) for run in before]) if before else (own[0][:0], own[1][:0])
        found.append(Drawn(curve, own, until(inherited, own)))
    return found


def draw_curves(
    name: str,
    curves: Sequence[Drawn],
    history: History,
    looks: Looks,
    width: int,
    height: int,
    *,
    log_y: bool,
    limits: tuple[float | None, float | None] = (None, None),
    ribbon: bool = False,
) -> Picture:
    """Legend rows (values at the cursor or the newest), then curves, the first on top, and the run's marks.

    What a fork has from its ancestors is faint.
    """
    low, high = looks.shown(history.step)
    top = _legend(curves, looks, width, legend_rows(height)) if height >= 5 else ()
    lines = [line for each in reversed(curves) for line in _lines(each, looks, high - low, log_y=log_y)]
    drawing = draw_lines(
        lines,
        width=width,
        height=max(height - len(top), 1),
        view=View(
            x_min=low,
            x_max=high,
            log_x=looks.log_x,
            log_y=log_y,
            cursor=looks.cursor,
            y_min=None if log_y else limits[0],
            y_max=None if log_y else limits[1],
        ),
        marks=[*marks_of(history), *own_marks(looks)],
        ribbon=ribbon_of(history) if ribbon else (),
        markers=looks.markers,
    )
    axes = [text for text, on in (("log y", log_y), ("log x", looks.log_x), ("smooth", looks.smooth)) if on]
    axes += [] if looks.cursor is None else [f"at step {looks.cursor:,}"]
    return Picture(" · ".join([name, *axes, *drawing.notes]), (*top, *drawing.rows)[:height])


def _legend(curves: Sequence[Drawn], looks: Looks, width: int, rows: int) -> tuple[Row, ...]:
    """The values at the cursor; under short names where there is no room for all of them otherwise."""

    def written(*, short: bool) -> tuple[Row, ...]:
        entries = [
            Entry((short and look.short) or look.label, look.style, look.pattern, text, look.ascii_marker)
            for look, text in ((each.curve, each.text(looks.cursor)) for each in curves)
        ]
        return legend(entries, width, rows, markers=looks.markers)

    shown = written(short=False)
    hides = not shown or any(span.style == "quiet" and span.text.startswith("+") for span in shown[-1])
    return written(short=True) if hides and any(each.curve.short for each in curves) else shown


def legend_rows(height: int) -> int:
    """Rows that a legend may take in a panel of so many rows."""
    return 3 if height >= 22 else 2 if height >= 10 else 1


def value_text(steps: NDArray[np.int64], values: NDArray[np.float64], cursor: int | None) -> str:
    """The recorded value of the last row at or before the cursor, to four digits; "" before the first."""
    row = row_at(steps, cursor)
    return "" if row is None else format_value(float(values[row]))


def row_at(steps: NDArray[np.int64], cursor: int | None) -> int | None:
    """The last row at or before the cursor (the newest without one), or None."""
    row = len(steps) - 1 if cursor is None else int(np.searchsorted(steps, cursor, side="right")) - 1
    return row if row >= 0 else None


def marks_of(history: History) -> list[Mark]:
    """A tick for every step with an intervention, snapshot or note; of a knob's edits at one step, the last counts.

    And one where a fork begins; faint ones for what was done in its ancestors before that.
    """
    labels: dict[int, dict[str, str]] = {}
    for event in history.events:
        if event.kind == "edit":
            knob = short_knob(str(event.data.get("knob")))
            labels.setdefault(event.step, {})[knob] = f"{knob} {_number(event.data.get('new'))}"
        elif event.kind in ("snapshot", "note"):
            text = event.data.get("note") or event.data.get("text") or event.kind
            labels.setdefault(event.step, {}).setdefault("", str(text))
    done = {
        step: " ".join(text for knob, text in texts.items() if knob or len(texts) == 1)  # an edit says more than a note
        for step, texts in sorted(labels.items())
    }
    marks = [Mark(step, _shortened(text), "mark") for step, text in done.items()]
    if (parent := forked_at(history)) is None:
        return marks
    before = [] if history.parent is None else marks_of(history.parent)
    faint = [replace(mark, style="mark.faint") for mark in before if mark.x < parent.step]
    return [*marks, Mark(parent.at, _shortened(f"fork of {without_date(parent.run)}"), "mark"), *faint]


def _shortened(label: str) -> str:
    return label if len(label) <= LONGEST_LABEL else f"{label[: LONGEST_LABEL - 1]}…"


def own_marks(looks: Looks) -> list[Mark]:
    """The person's marks A and B, where they are set."""
    return [Mark(step, label, "cursor") for label, step in (("A", looks.a), ("B", looks.b)) if step is not None]


def ribbon_of(history: History) -> list[Stretch]:
    """The phases, from each one's first step to the next one's."""
    ends = [*(phase.at for phase in history.phases[1:]), max(history.step, 1)]
    styles = {"memorization": "phase0", "circuit formation": "phase1", "cleanup": "phase2", "grokked": "phase3"}
    return [
        Stretch(phase.at, end, phase.phase, styles.get(phase.phase, "phase0"))
        for phase, end in zip(history.phases, ends, strict=False)
    ]


def short_knob(knob: str) -> str:
    """The short name of a knob: lr, wd, β₁."""
    return {"weight_decay": "wd", "beta1": "β₁", "beta2": "β₂"}.get(knob, knob)


def _number(value: object) -> str:
    return format_setting(value) if isinstance(value, int | float) else str(value)


def _lines(each: Drawn, looks: Looks, span: float, *, log_y: bool) -> Iterable[Line]:
    """A curve's lines: the inherited part faint, and with smoothing the run's own points too, below their mean."""
    (steps, values), (before, old) = each.own, each.inherited
    look = each.curve
    own = Line(look.label, steps, values, look.style, look.pattern, look.ascii_marker)
    if looks.smooth:
        yield replace(own, faint=True)
        x = np.concatenate([before, steps]).astype(np.float64)
        smoothed = moving_average(x, np.concatenate([old, values]), span * SMOOTHED_SHARE, log_y=log_y)
        old, values = smoothed[: len(before)], smoothed[len(before) :]
    yield replace(own, y=values)
    if len(before):
        if len(steps) and steps[0] > before[-1] + 1 and not len(undrawable(values[:1], log_y=log_y)):
            before, old = np.append(before, steps[0]), np.append(old, values[0])  # no gap between the two
        yield replace(own, x=before, y=old, faint=True)


def moving_average(
    x: NDArray[np.float64], y: NDArray[np.float64], window: float, *, log_y: bool
) -> NDArray[np.float64]:
    """Mean of the drawable values within half a window of every point (of their logarithms on a log axis).

    Points that cannot be drawn are left out of every mean and stay what they are.
    """
    usable = np.isfinite(y) & ((y > 0) if log_y else True)
    scale = float(np.abs(y[usable]).max(initial=1.0))
    heights = np.log10(np.where(usable, y, 1.0)) if log_y else np.where(usable, y, 0.0) / scale
    heights = np.where(usable, heights, 0.0)
    sums = np.concatenate([[0.0], np.cumsum(heights)])
    counts = np.concatenate([[0], np.cumsum(usable)])
    first = np.searchsorted(x, x - window / 2, side="left")
    end = np.searchsorted(x, x + window / 2, side="right")
    means = (sums[end] - sums[first]) / np.maximum(counts[end] - counts[first], 1)
    return np.where(usable, 10.0**means if log_y else means * scale, y)
