"""Charts that are printed once, drawn by plotext: the closing report of a headless run and `grokterm plot`.

plotext 6.1 aborts the process on NaN and on points far outside its limits, and knows no logarithm of 0. So it gets
nothing raw: the envelope of every curve at the chart's own resolution, as numbers of dots inside the plot, and labels
that are ready. A column of dots is one upright stroke from the curve's lowest to its highest value there; neighbouring
strokes meet (`grokterm.drawing.envelope`), and where a curve is not finite there is no stroke.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grokterm.ancestry import forked_at, whole_series
from grokterm.drawing.axes import Limits, linear_limits, log_limits, step_limits
from grokterm.drawing.cells import Markers, glyphs_for, one_cell_each
from grokterm.drawing.dots import dot_rows
from grokterm.drawing.envelope import envelope, undrawable
from grokterm.drawing.ticks import across, upward
from grokterm.history import History
from grokterm.text import plain

SIGNS: dict[Markers, tuple[str, ...]] = {  # plotext's names; a sign for every curve, in colour or not
    "braille": ("braille", "hd", "x", "o", "+", "*", "#", "@", "%", "="),
    "block": ("hd", "x", "o", "+", "*", "#", "@", "%", "=", "~"),
    "ascii": ("*", "o", "x", "+", "#", "@", "%", "=", "~", "&"),
}
MOST_CURVES = 10
"""More would share signs."""
COLOURS = (74, 214, 36, 175, 227, 33, 166)  # of 256, near Okabe and Ito's
FAINT = (24, 94, 22, 96, 100, 18, 88)  # the same, darker
GREY = 145
LEAST_COLUMNS, LEAST_ROWS = 8, 2
ROOM_FOR_MARKS = 8
HEADS = ((14, 3), (8, 2), (0, 1))
"""Lines of a chart, and how many of them its title and labels may take."""
_LOOKS = {"braille": "⣿", "hd": "▞"}
_ACROSS, _DOWN = 2, 4  # dots of a cell in braille; plotext rounds them to what a coarser marker has
_ASCII_FRAME = str.maketrans({"┤": "+", "└": "+", "┬": "+", "─": "-", "│": "|"})


@dataclass(frozen=True, eq=False)
class Curve:
    """A curve over steps: x never decreases, y holds any values; the first `inherited` points are faint."""

    label: str
    x: NDArray[np.int64] | NDArray[np.float64]
    y: NDArray[np.float64]
    inherited: int = 0


@dataclass(frozen=True)
class Boundary:
    """A step from which a stretch of the x axis has a name."""

    label: str
    at: float


def loss_chart(history: History, *, width: int, height: int, colour: bool, markers: Markers = "braille") -> str:
    """Train and test loss over steps on log y with the phases' beginnings: at most `height` lines, no newline after."""
    series = [(label, whole_series(history, f"{label}_loss")) for label in ("train", "test")]
    curves = [
        Curve(label, found.steps, found.values, len(found.steps) - len(history.series(f"{label}_loss").steps))
        for label, found in series
        if found.steps.size
    ]
    phases = [Boundary(change.phase, change.at) for change in history.phases]
    parent = forked_at(history)
    return chart(
        curves,
        phases,
        title="loss, log y",
        width=width,
        height=height,
        colour=colour,
        markers=markers,
        log_y=True,
        marks=[] if parent is None else [Boundary(plain(f"fork of {parent.run}"), parent.at)],
    )


def chart(
    curves: Sequence[Curve],
    boundaries: Sequence[Boundary] = (),
    *,
    title: str,
    width: int,
    height: int,
    colour: bool,
    markers: Markers = "braille",
    log_x: bool = False,
    log_y: bool = False,
    span: tuple[float, float] | None = None,
    marks: Sequence[Boundary] = (),
) -> str:
    """Curves over steps as text: labels, the boundaries' names, the plot, the marks. A sentence where nothing can be.

    `span` is the first and last step shown; without it, all are. A mark is a moment: an arrow below the axis, where
    there are lines enough.
    """
    marks = marks if height >= ROOM_FOR_MARKS else ()
    most = next(most for lines, most in HEADS if height >= lines or not lines)
    head = _head(title, _within(curves, span), width, most, colour, markers, log_y)
    rows = height - head.count("\n") - 1 - bool(boundaries) - bool(marks) - 2
    first = min((float(curve.x[0]) for curve in curves if len(curve.x)), default=0.0)
    last = max((float(curve.x[-1]) for curve in curves if len(curve.x)), default=1.0)
    over = step_limits(first, last, *(span or (None, None)), log=log_x)
    finest = np.linspace(over.low, over.high, max(width, 2) * _ACROSS + 1)
    limits = _y_limits([envelope(curve.x, curve.y, finest, log_x=log_x, log_y=log_y) for curve in curves], log_y)
    if limits is None:
        return f"{head}\nnothing to draw yet"
    labels = upward(limits.low, limits.high, max(rows, 1), log=log_y, dots=_DOWN)
    gutter = max((len(text) for _, text in labels), default=1)
    columns = width - gutter - 1
    if columns < LEAST_COLUMNS or rows < LEAST_ROWS:
        return f"{head}\nno room for a chart"
    drawn = _drawn(curves, boundaries, over, limits, columns, rows, markers)
    picture = _with_axes(drawn, over, labels, gutter, columns, rows, colour, markers)
    names = [_names(boundaries, over, gutter + 1, columns, markers)] if boundaries else []
    below = [_arrows(marks, over, gutter + 1, columns, markers)] if marks else []
    return "\n".join([head, *names, *picture, *below])


def _within(curves: Sequence[Curve], span: tuple[float, float] | None) -> Sequence[Curve]:
    """The points in view."""
    if span is None:
        return curves
    ends = [(np.searchsorted(curve.x, span[0]), np.searchsorted(curve.x, span[1], side="right")) for curve in curves]
    return [
        Curve(curve.label, curve.x[first:end], curve.y[first:end], max(min(curve.inherited, int(end)) - int(first), 0))
        for curve, (first, end) in zip(curves, ends, strict=True)
    ]


def _y_limits(envelopes: Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]], log_y: bool) -> Limits | None:
    """Limits around everything drawable, in drawn coordinates; None when nothing is."""
    values = np.concatenate([part[np.isfinite(part)] for both in envelopes for part in both] or [np.zeros(0)])
    if not values.size:
        return None
    around = log_limits if log_y else linear_limits
    return Limits(*around(float(values.min()), float(values.max())), log_y)


def _drawn(
    curves: Sequence[Curve],
    boundaries: Sequence[Boundary],
    over: Limits,
    limits: Limits,
    columns: int,
    rows: int,
    markers: Markers,
) -> list[tuple[str, int, list[float], list[float]]]:
    """What plotext is to draw as (marker, colour, x, y), in dots from the lower left; two points are one stroke."""
    drawn: list[tuple[str, int, list[float], list[float]]] = []
    mark = glyphs_for(markers).mark
    for boundary in boundaries:
        column = over.column(boundary.at, columns)
        if column:  # the first column is where the axis is
            x = (column + 0.5) * _ACROSS
            y = [(row + 0.5) * _DOWN for row in range(rows) for _ in range(2)]
            drawn.append((mark, GREY, [x] * len(y), y))
    edges = np.linspace(over.low, over.high, columns * _ACROSS + 1)
    for index, curve in reversed(list(enumerate(curves))):  # the first on top, as on the screen
        low, high = envelope(curve.x, curve.y, edges, log_x=over.log, log_y=limits.log)
        shown = np.flatnonzero(np.isfinite(low) & np.isfinite(high))
        dots = rows * _DOWN
        ends = [dots - 0.5 - dot_rows(part[shown], limits.low, limits.high, dots) for part in (low, high)]
        x_dots, y_dots = np.repeat(shown + 0.5, 2).tolist(), np.stack(ends, axis=1).ravel().tolist()
        before = 2 * int(np.searchsorted(shown, _first_own_column(curve, edges, over)))
        for colours, part in ((FAINT, slice(before)), (COLOURS, slice(before, None))):
            drawn.append((_sign(index, markers), colours[index % len(colours)], x_dots[part], y_dots[part]))
    return drawn


def _first_own_column(curve: Curve, edges: NDArray[np.float64], over: Limits) -> int:
    """The column of dots from which on a curve is not faint."""
    if not curve.inherited:
        return 0
    if curve.inherited >= len(curve.x):
        return len(edges)
    first = float(curve.x[curve.inherited])
    return int(np.searchsorted(edges, np.log10(max(first, 1.0)) if over.log else first, side="right")) - 1


def _with_axes(
    drawn: Sequence[tuple[str, int, list[float], list[float]]],
    over: Limits,
    labels: Sequence[tuple[int, str]],
    gutter: int,
    columns: int,
    rows: int,
    colour: bool,
    markers: Markers,
) -> list[str]:
    """Have plotext draw the strokes between a left and a lower axis; returns the lines."""
    import plotext  # a quarter of a second, and only here

    plotext.terminal.limit(False, False)  # else it cuts the chart at what it takes for the terminal's size
    figure: Any = plotext.figure.clear()
    figure.theme("colorless")  # or it paints a white canvas
    figure.plot_size(columns + gutter + 1, rows + 2)
    figure.legend(False)
    figure.axes(False, axis="x", side="upper")
    figure.axes(False, axis="y", side="right")
    for marker, number, x, y in drawn:
        signal = figure.signal(x, y, marker=plotext.marker(marker, pixel=plotext.pixel(number)))
        for second in range(1, len(x), 2):
            signal.line(second, True)
        figure.draw(signal)
    horizontal, vertical = figure.ruler("x"), figure.ruler("y")
    horizontal.lim(0, columns * _ACROSS)
    vertical.lim(0, rows * _DOWN)
    ticks = across(over.low, over.high, columns, log=over.log)
    horizontal.alignment(lim="edge", tick="left")
    vertical.alignment(lim="edge")
    horizontal.ticks([(column + 0.5) * _ACROSS for column, _ in ticks], labels=[text for _, text in ticks])
    vertical.ticks([(rows - row - 0.5) * _DOWN for row, _ in labels], labels=[text.rjust(gutter) for _, text in labels])
    text: str = figure.build().string(colorless=not colour)
    figure.clear()
    lines = text.rstrip("\n").split("\n")
    if markers == "ascii":
        lines = [line.translate(_ASCII_FRAME) for line in lines]
    return lines if colour else [line.rstrip() for line in lines]


def _head(
    title: str, curves: Sequence[Curve], width: int, most: int, colour: bool, markers: Markers, log_y: bool
) -> str:
    """The title and every curve's sign and label, and how many of its points cannot be drawn: at most `most` lines."""
    lines, left = [title[:width]], width - len(title)
    for index, curve in enumerate(curves):
        sign = _LOOKS.get(_sign(index, markers), _sign(index, markers))
        label = one_cell_each(curve.label, ascii_only=markers == "ascii")
        lost = len(undrawable(curve.y, log_y=log_y))
        label += f" ({lost:,} point{'s' if lost > 1 else ''} cannot be drawn)" if lost else ""
        if left < len(label) + 5:
            if len(lines) == most or width < len(label) + 5:
                break
            lines.append("")
            left = width
        left -= len(label) + 5
        shown = f"\x1b[38;5;{COLOURS[index % len(COLOURS)]}m{sign}\x1b[0m" if colour else sign
        lines[-1] += f"   {shown} {label}"
    return "\n".join(lines)


def _names(boundaries: Sequence[Boundary], over: Limits, left: int, columns: int, markers: Markers) -> str:
    """The boundaries' names, each above its line, or ending with the plot; cut off where the next one begins."""
    placed: list[tuple[int, str]] = []
    for boundary in boundaries:
        column = over.column(boundary.at, columns)
        label = one_cell_each(boundary.label, ascii_only=markers == "ascii")[:columns]
        if column is not None:
            placed.append((left + min(column, columns - len(label)), label))
    line = ""
    for index, (start, label) in enumerate(placed):
        end = min((later for later, _ in placed[index + 1 :]), default=left + columns + 1)
        line = line.ljust(start) + label[: max(end - start - 1, 0)]
    return line


def _arrows(marks: Sequence[Boundary], over: Limits, left: int, columns: int, markers: Markers) -> str:
    """An arrow below the column of every mark; its label beside it where it fits whole, else nothing."""
    arrow = glyphs_for(markers).arrow
    labels = {
        column: one_cell_each(mark.label, ascii_only=markers == "ascii")
        for mark in marks
        if (column := over.column(mark.at, columns)) is not None
    }
    line = [" "] * columns
    for column in labels:
        line[column] = arrow
    for column, label in labels.items():
        for start, end in ((column + 1, column + len(label) + 2), (column - len(label) - 1, column)):
            if start >= 0 and end <= columns and line[start:end] == [" "] * (end - start):
                line[start:end] = f" {label}" if start > column else f"{label} "
                if end < columns and line[end] == " ":
                    line[end] = "\0"  # a label never touches the next one
                break
    return (" " * left + "".join(line)).replace("\0", " ").rstrip()


def _sign(index: int, markers: Markers) -> str:
    signs = SIGNS[markers]
    return signs[index % len(signs)]
