"""Live charts as pure functions, numbers in and rows of styled text out: curves over steps (more beside this file).

Every point of a curve is looked at (`envelope.py`), so no spike is ever hidden; what cannot be drawn is marked at the
frame's edge and counted in the drawing's notes. `bars.py`, `waterfall.py` and `legend.py` draw the rest; all
are imported from here.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from grokterm.drawing.axes import (
    Frame,
    Limits,
    Mark,
    Stretch,
    draw_cursor,
    draw_marks,
    draw_ribbon,
    draw_sentence,
    draw_x_axis,
    draw_y_axis,
    gutter_for,
    linear_limits,
    log_limits,
    make_frame,
    step_limits,
    steps_axis,
)
from grokterm.drawing.bands import Band, Shaded, paint_bands, shaded
from grokterm.drawing.bars import draw_bars
from grokterm.drawing.cells import Drawing, Markers, Pattern, Row, Span, glyphs_for
from grokterm.drawing.dots import DOTS, cell_bits, characters, dot_rows, shown_columns, thickened
from grokterm.drawing.envelope import envelope, first_after, first_from, undrawable
from grokterm.drawing.legend import Entry, legend
from grokterm.drawing.tags import Tagged, draw_tags
from grokterm.drawing.ticks import upward
from grokterm.drawing.waterfall import draw_waterfall

__all__ = [
    "Band",
    "Drawing",
    "Entry",
    "Line",
    "Mark",
    "Markers",
    "Pattern",
    "Plot",
    "Row",
    "Span",
    "Stretch",
    "View",
    "draw_bars",
    "draw_lines",
    "draw_waterfall",
    "legend",
    "plot_lines",
]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class Line:
    """A curve: x never decreases, y holds any values. Faint lines lie below the others, in style "NAME.faint".

    `tag`, one character, is written on the curve where no other is.
    """

    label: str
    x: Floats | NDArray[np.int64]
    y: Floats
    style: str
    pattern: Pattern = "solid"
    ascii_marker: str = "*"
    faint: bool = False
    tag: str = ""

    @property
    def drawn_style(self) -> str:
        """The style of the line's dots."""
        return f"{self.style}.faint" if self.faint else self.style


@dataclass(frozen=True, slots=True)
class View:
    """Which part of the plane is shown, and how; None means: as much as there is."""

    x_min: float | None = None
    x_max: float | None = None
    log_x: bool = False
    log_y: bool = False
    cursor: float | None = None
    y_min: float | None = None
    y_max: float | None = None


@dataclass(frozen=True, slots=True)
class _Curve:
    line: Line
    low: Floats
    high: Floats


@dataclass(frozen=True, eq=False, slots=True)
class Plot:
    """Curves as they are drawn, without what a person moves about in them; `over` is None where there are no steps."""

    frame: Frame
    over: Limits | None
    notes: tuple[str, ...]

    def drawing(self, cursor: float | None, marks: Sequence[Mark] = ()) -> Drawing:
        """The picture with cursor and marks; the plot itself stays as it is."""
        frame = replace(self.frame, canvas=self.frame.canvas.copy())
        if self.over is None:
            draw_x_axis(frame, (), {})
        else:
            draw_cursor(frame, self.over, cursor)
            draw_marks(frame, self.over, marks)
            steps_axis(frame, self.over, marks)
        return Drawing(frame.canvas.rows(), self.notes)


def draw_lines(
    lines: Sequence[Line],
    *,
    width: int,
    height: int,
    view: View | None = None,
    marks: Sequence[Mark] = (),
    ribbon: Sequence[Stretch] = (),
    bands: Sequence[Band] = (),
    markers: Markers = "braille",
) -> Drawing:
    """Draw curves over steps, later ones above earlier ones, in exactly `height` rows of `width` cells."""
    view = view or View()
    plot = plot_lines(lines, width=width, height=height, view=view, ribbon=ribbon, bands=bands, markers=markers)
    return plot.drawing(view.cursor, marks)


def plot_lines(
    lines: Sequence[Line],
    *,
    width: int,
    height: int,
    view: View,
    ribbon: Sequence[Stretch] = (),
    bands: Sequence[Band] = (),
    markers: Markers = "braille",
) -> Plot:
    """Draw what stays when the cursor moves. Bands lie below all curves."""
    lines = sorted(lines, key=lambda line: not line.faint)
    over = _x_limits(lines, view)
    frame = make_frame(width, height, gutter_for(width), markers, ribbon=bool(ribbon))
    curves = _curves(lines, over, view, frame, markers)
    ranges = shaded(bands, over, frame.columns, markers, log_y=view.log_y)
    limits = _y_limits([*curves, *ranges], view)
    labels = upward(limits.low, limits.high, frame.rows, log=limits.log, dots=DOTS[markers][1])
    if frame.left and gutter_for(width, (text for _, text in labels)) >= frame.left:
        frame = make_frame(width, height, gutter_for(width, (text for _, text in labels)), markers, ribbon=bool(ribbon))
        curves = _curves(lines, over, view, frame, markers)
        ranges = shaded(bands, over, frame.columns, markers, log_y=view.log_y)
    dots = np.zeros((frame.rows, frame.columns), dtype=np.uint8)
    paint_bands(frame, dots, ranges, limits, markers)
    cells = [_paint(frame, dots, curve, limits, markers) for curve in curves]
    draw_tags(frame, [Tagged(curve.line.tag, curve.line.style, lit) for curve, lit in zip(curves, cells, strict=True)])
    notes = _note_problems(frame, lines, over, view.log_y) + _off_scale(curves, over, limits, view)
    known = any(len(line.x) for line in lines)
    shown = any(np.isfinite(curve.low).any() for curve in curves)
    draw_y_axis(frame, labels if shown or view.y_max is not None else ())
    if not shown and not notes:
        draw_sentence(frame, "nothing in this range" if known else "no data yet")
    has_steps = known or view.x_max is not None
    if has_steps:
        draw_ribbon(frame, over, ribbon)
    at_most = glyphs_for(markers).at_most
    return Plot(frame, over if has_steps else None, tuple(f"{n:,} {what}".replace("≤", at_most) for what, n in notes))


def _x_limits(lines: Sequence[Line], view: View) -> Limits:
    first = min((float(line.x[0]) for line in lines if len(line.x)), default=0.0)
    last = max((float(line.x[-1]) for line in lines if len(line.x)), default=1.0)
    return step_limits(first, last, view.x_min, view.x_max, log=view.log_x)


def _curves(lines: Sequence[Line], over: Limits, view: View, frame: Frame, markers: Markers) -> list[_Curve]:
    edges = np.linspace(over.low, over.high, frame.columns * DOTS[markers][0] + 1)
    return [_Curve(line, *envelope(line.x, line.y, edges, log_x=view.log_x, log_y=view.log_y)) for line in lines]


def _y_limits(curves: Sequence[_Curve | Shaded], view: View) -> Limits:
    """The values shown, in drawn coordinates: fixed by the view or around the visible part of the curves."""
    lows = [low for curve in curves if not math.isnan(low := float(np.fmin.reduce(curve.low)))]
    highs = [high for curve in curves if not math.isnan(high := float(np.fmax.reduce(curve.high)))]
    fixed = _fixed_limits(view)
    data_low = min(lows, default=0.0 if fixed[1] is None else fixed[1] - 1)
    data_high = max(highs, default=1.0 if fixed[0] is None else fixed[0] + 1)
    low, high = (log_limits if view.log_y else linear_limits)(data_low, max(data_low, data_high))
    low, high = (low if fixed[0] is None else fixed[0]), (high if fixed[1] is None else fixed[1])
    if not high > low:
        around = log_limits if view.log_y else linear_limits
        low, high = around(low, low)
    return Limits(low, high, view.log_y)


def _fixed_limits(view: View) -> tuple[float | None, float | None]:
    limits: list[float | None] = []
    for value in (view.y_min, view.y_max):
        if value is None or not math.isfinite(value) or (view.log_y and value <= 0):
            limits.append(None)
        else:
            limits.append(math.log10(value) if view.log_y else float(value))
    return limits[0], limits[1]


def _paint(frame: Frame, dots: NDArray[np.uint8], curve: _Curve, limits: Limits, markers: Markers) -> NDArray[np.bool_]:
    """Add a curve to the dots of every cell and to the canvas; a cell has the colour of the last curve in it.

    Returns the cells that it goes through.
    """
    rows = frame.rows * DOTS[markers][1]
    top = dot_rows(curve.high, limits.low, limits.high, rows)
    bottom = dot_rows(curve.low, limits.low, limits.high, rows)
    pattern: Pattern = "solid" if markers == "ascii" else curve.line.pattern
    present = np.isfinite(curve.low)
    if pattern == "thick":
        top, bottom = thickened(top, bottom, present, rows)
    shown = shown_columns(top, bottom, present, pattern)
    bits = cell_bits(top, bottom, shown, frame.rows, markers)
    lit = bits > 0
    codes = frame.canvas.codes[: frame.rows, frame.left :]
    styles = frame.canvas.styles[: frame.rows, frame.left :]
    if markers == "ascii":
        codes[lit] = ord(curve.line.ascii_marker[:1] or "*")
    else:
        dots |= bits
        codes[lit] = characters(dots, markers)[lit]
    styles[lit] = frame.canvas.style(curve.line.drawn_style)
    return lit


def _note_problems(frame: Frame, lines: Sequence[Line], over: Limits, log_y: bool) -> list[tuple[str, int]]:
    """Mark the points that break a curve at the top (nan, inf) or the bottom (-inf, ≤ 0) and count them."""
    counts: Counter[str] = Counter()
    style = frame.canvas.style("problem")
    for line in lines:
        start, stop = _visible(line, over)
        broken = undrawable(line.y[start:stop], log_y=log_y) + start
        if not len(broken):
            continue
        values, at = line.y[broken], line.x[broken]
        at = np.log10(np.maximum(at, 1.0)) if over.log else at
        columns = np.minimum((at - over.low) / (over.high - over.low) * frame.columns, frame.columns - 1)
        fallen = values <= 0  # -inf too
        for row, there in ((0, ~fallen), (frame.rows - 1, fallen)):
            cells = frame.left + columns[there].astype(np.intp)
            frame.canvas.codes[row, cells] = ord(frame.glyphs.cross)
            frame.canvas.styles[row, cells] = style
        below = np.isneginf(values)
        counts["nan"] += int(np.isnan(values).sum())
        counts["inf"] += int(np.isposinf(values).sum())
        counts["-inf"] += int(below.sum())
        counts["≤ 0"] += int((fallen & ~below).sum())
    return [(what, count) for what, count in counts.items() if count]


def _off_scale(curves: Sequence[_Curve], over: Limits, limits: Limits, view: View) -> list[tuple[str, int]]:
    """How many drawable points lie outside the fixed y limits; they are drawn on the edge."""
    if view.y_min is None and view.y_max is None:
        return []
    low, high = limits.low, limits.high
    if limits.log:
        low, high = 10.0**low * (1 - 1e-12), 10.0**high * (1 + 1e-12)  # what log10 and back may change
    count = 0
    for curve in curves:
        if np.fmin.reduce(curve.low) < limits.low or np.fmax.reduce(curve.high) > limits.high:
            values = curve.line.y[slice(*_visible(curve.line, over))]
            outside = (values < low) | (values > high)
            outside[undrawable(values, log_y=limits.log)] = False
            count += int(np.count_nonzero(outside))
    return [("off scale", count)] if count else []


def _visible(line: Line, over: Limits) -> tuple[int, int]:
    """The range of indices of a line's points inside the x limits."""
    low, high = (10.0**over.low, 10.0**over.high) if over.log else (over.low, over.high)
    if over.log:
        low, high = (-math.inf if over.low <= 0 else low), high * (1 + 1e-12)
    ends = np.array([low, high])
    return int(first_from(line.x, ends[:1])[0]), int(first_after(line.x, ends[1:])[0])
