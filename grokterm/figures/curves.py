"""Curves over steps as a figure: every point counts, phases and interventions are named above the plot.

A curve of more points than the figure has columns is drawn as its envelope (`drawing/envelope.py`): in every column one
stroke from the lowest to the highest of all its points. A figure of 1,000,000 steps is as small as one of 1,000, and
no spike is lost.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from grokterm.charts import Line, LineChart
from grokterm.drawing.axes import Limits, linear_limits, log_limits, step_limits
from grokterm.drawing.envelope import envelope, log10_or_nan
from grokterm.figures.style import MARKERS, colour, in_the_font

Floats = NDArray[np.float64]
COLUMNS = 1200
"""Of a figure: a fifth of a millimetre each in print."""
SIGNS = 7
"""Markers on a curve."""
DASHES = (0, (6, 1.5))
FARTHEST = 300.0
"""Exponents beyond are drawn here: matplotlib computes with their differences."""


def draw_lines(axes: Axes, chart: LineChart, columns: int = COLUMNS) -> tuple[Limits, Limits]:
    """Draw the curves of a chart; returns the limits of steps and values, in drawn coordinates."""
    over = step_limits(*chart.span, None, None, log=chart.log_x)
    outlines = [outline(line, over, columns, log_y=chart.log_y) for line in chart.lines]
    within = _limits([y for _, y in outlines], chart)
    for index, (line, (x, y)) in enumerate(zip(chart.lines, outlines, strict=True)):
        alone = _alone(x, y, (over.high - over.low) / columns)
        signs = _signs(x, y, index, len(chart.lines))
        # The first curve lies on top, as on the screen.
        look = {"color": colour(line.style), "zorder": 3 - index / 100, "label": in_the_font(line.label)}
        dashes = {"linestyle": DASHES} if line.dashed else {}
        sign = MARKERS[index % len(MARKERS)]
        if line.inherited:
            first = _first_own(line, over)
            faint = {**look, **dashes, "alpha": 0.45, "label": "_"}
            before, since = x <= first, x >= first
            axes.plot(x[before], y[before], linewidth=0.7, **faint)  # type: ignore[arg-type] # stubs
            x, y = x[since], y[since]
            signs, alone = _signs(x, y, index, len(chart.lines)), alone[since[alone]] - np.count_nonzero(~since)
        axes.plot(x, y, marker=sign, markersize=3.2, markevery=signs, **look, **dashes)  # type: ignore[arg-type] # stubs
        axes.plot(x[alone], y[alone], linestyle="", marker=".", markersize=3, **{**look, "label": "_"})  # type: ignore[arg-type] # stubs
    return over, within


def _first_own(line: Line, over: Limits) -> float:
    """Where on the x axis a curve's own points begin, in drawn coordinates."""
    if line.inherited >= len(line.steps):
        return np.inf
    first = float(line.steps[line.inherited])
    return float(np.log10(max(first, 1.0))) if over.log else first


def outline(line: Line, over: Limits, columns: int, *, log_y: bool) -> tuple[Floats, Floats]:
    """The vertices of a curve in drawn coordinates, NaN where it is broken: its points, or its envelope's strokes."""
    begin, end = _in_view(line.steps, over)
    if end - begin <= 2 * columns:
        steps = line.steps[begin:end].astype(np.float64)
        x = np.log10(np.maximum(steps, 1.0)) if over.log else steps
        values = line.values[begin:end].astype(np.float64)
        y = log10_or_nan(values) if log_y else np.clip(values, -(10**FARTHEST), 10**FARTHEST)
        y = np.where(np.isfinite(values), y, np.nan)
        return x, np.clip(y, -FARTHEST, FARTHEST) if log_y else y
    edges = np.linspace(over.low, over.high, columns + 1)
    low, high = envelope(line.steps, line.values, edges, log_x=over.log, log_y=log_y)
    x = np.repeat(edges, 2)[1:-1]
    y = strokes(low, high)
    farthest = FARTHEST if log_y else 10**FARTHEST
    return x, np.clip(y, -farthest, farthest)


def strokes(low: Floats, high: Floats) -> Floats:
    """Both ends of every column's stroke, (2·columns,): first the end nearer to where the stroke before ended.

    With the first end at the column's left edge and the other at its right one, whatever rises or falls throughout is
    drawn as it is, without steps.
    """
    ends = np.empty((len(low), 2))
    at = np.nan
    for column, (bottom, top) in enumerate(zip(low.tolist(), high.tolist(), strict=True)):
        ends[column] = (top, bottom) if abs(top - at) < abs(bottom - at) else (bottom, top)
        at = ends[column, 1]
    return ends.ravel()


def _in_view(steps: NDArray[np.int64], over: Limits) -> tuple[int, int]:
    """The rows in view, and one on either side: the curve goes on to the edge."""
    ends = (10.0**over.low, 10.0**over.high) if over.log else (over.low, over.high)
    begin = 0 if over.log and over.low <= 0 else int(np.searchsorted(steps, ends[0]))
    end = int(np.searchsorted(steps, ends[1], side="right"))
    return max(begin - 1, 0), min(end + 1, len(steps))


def _limits(heights: Sequence[Floats], chart: LineChart) -> Limits:
    every = np.concatenate([np.zeros(0), *(y[np.isfinite(y)] for y in heights)])
    if not every.size:
        return Limits(0.0, 1.0, chart.log_y)
    low, high = float(every.min()), float(every.max())
    if chart.limits is not None and not chart.log_y:
        low, high = min(low, chart.limits[0]), max(high, chart.limits[1])
        margin = (high - low) * 0.02
        return Limits(low - margin, high + margin)
    return Limits(*(log_limits if chart.log_y else linear_limits)(low, high), chart.log_y)


def _signs(x: Floats, y: Floats, index: int, curves: int) -> list[int]:
    """The vertices that get the curve's sign: spread evenly, those of different curves beside one another."""
    there = np.flatnonzero(np.isfinite(y))
    if not there.size or index == 0:
        return []
    first, last = x[there[[0, -1]]]
    places = first + (np.arange(SIGNS) + (index + 0.5) / curves) / SIGNS * (last - first)
    nearest = np.minimum(np.searchsorted(x[there], places), there.size - 1)
    return [int(vertex) for vertex in np.unique(there[nearest])]


def _alone(x: Floats, y: Floats, column: float) -> NDArray[np.intp]:
    """The first vertex of every piece that is no wider than a column and has no height: a line would not show it."""
    there = np.concatenate([[False], np.isfinite(y), [False]])
    begins, ends = np.flatnonzero(there[1:] & ~there[:-1]), np.flatnonzero(there[:-1] & ~there[1:]) - 1
    dots: NDArray[np.bool_] = (x[ends] - x[begins] <= column * 1.5) & (y[begins] == y[ends]) & (ends - begins < 2)
    return begins[dots]
