"""Scatter plots: points as dots, a line across at which they are cut, numbers to point out below the axis."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grokterm.drawing.axes import Frame, Limits, draw_sentence, draw_x_axis, draw_y_axis, make_frame
from grokterm.drawing.bars import name_keys
from grokterm.drawing.cells import Drawing, Markers
from grokterm.drawing.dots import BITS, DOTS, characters, dot_rows
from grokterm.drawing.ticks import across, upward

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class Points:
    """Points of one kind: a whole number x and a value y each."""

    x: Integers
    y: Floats
    style: str
    ascii_marker: str = "*"


@dataclass(frozen=True, slots=True)
class Cut:
    """A horizontal line and what is written on it."""

    y: float
    label: str
    style: str = "mark"


def draw_scatter(
    groups: Sequence[Points],
    *,
    first: int,
    last: int,
    y: Limits,
    width: int,
    height: int,
    cut: Cut | None = None,
    highlighted: Mapping[int, str] | None = None,
    cursor: int | None = None,
    markers: Markers = "braille",
) -> Drawing:
    """Every point of every group, the later ones on top, for whole x from `first` to `last`.

    Points of one x lie side by side over the columns that are its own, in their order, so that equal ones do not hide
    each other where there is room. Values outside the limits lie on the edge; what is not finite, or not positive on a
    log axis, is counted in the notes. `highlighted`: labels below the axis; an arrow points at the x `cursor`.
    """
    highlighted = highlighted or {}
    frame = make_frame(width, height, 0, markers, ribbon=bool(highlighted))
    labels = upward(y.low, y.high, frame.rows, log=y.log, dots=DOTS[markers][1])
    gutter = max((len(text) for _, text in labels), default=1)
    frame = make_frame(width, height, gutter, markers, ribbon=bool(highlighted))
    count = last - first + 1
    draw_y_axis(frame, labels)
    if count < 1 or not any(len(group.x) for group in groups):
        draw_sentence(frame, "no data yet")
        draw_x_axis(frame, (), {})
        return Drawing(frame.canvas.rows())
    bits = np.zeros((frame.rows, frame.columns), dtype=np.uint8)
    lost = sum(_paint(frame, bits, group, first, count, y, markers) for group in groups)
    if cut is not None and y.low <= (math.log10(cut.y) if y.log else cut.y) <= y.high:
        _draw_cut(frame, int(_dot_row(frame, np.array([cut.y]), y, markers)[0]) // DOTS[markers][1], cut)
    each = frame.columns / count
    numbers = [(int((int(text) - first) * each), text) for _, text in across(first, last + 1, frame.columns)]
    pointed = None if cursor is None or not first <= cursor <= last else int((cursor - first + 0.5) * each)
    draw_x_axis(frame, numbers, {} if pointed is None else {pointed: "cursor"})
    keys = [(int((n - first) * each), label) for n, label in sorted(highlighted.items()) if first <= n <= last]
    name_keys(frame, keys, max(int(each), 1), "bar.key")
    what = "not finite" + (f" or {frame.glyphs.at_most} 0" if y.log else "")
    return Drawing(frame.canvas.rows(), (f"{lost:,} {what}",) if lost else ())


def _paint(
    frame: Frame, bits: NDArray[np.uint8], group: Points, first: int, count: int, y: Limits, markers: Markers
) -> int:
    """Add a group's dots to the canvas; returns how many cannot be drawn."""
    sound = np.isfinite(group.y) & ((group.y > 0) if y.log else True)
    x, values = group.x[sound], group.y[sound]
    dots_across, dots_down = DOTS[markers]
    column = np.minimum(_spread(x - first, count, frame.columns * dots_across), frame.columns * dots_across - 1)
    row = _dot_row(frame, values, y, markers)
    cells = row // dots_down, column // dots_across
    np.bitwise_or.at(bits, cells, BITS[markers][row % dots_down, column % dots_across])
    there = cells[0], frame.left + cells[1]
    lit = characters(bits, markers) if markers != "ascii" else np.full(bits.shape, ord(group.ascii_marker), np.uint32)
    frame.canvas.codes[there] = lit[cells]
    frame.canvas.styles[there] = frame.canvas.style(group.style)
    return int(np.count_nonzero(~sound))


def _spread(x: Integers, count: int, dots: int) -> NDArray[np.intp]:
    """The dot column of every point: those of one x around the middle of the columns that are its own, less a gap."""
    starts = np.arange(count + 1) * dots // count
    own = np.maximum(np.diff(starts) - (dots >= 4 * count), 1)
    many = np.bincount(x, minlength=count)
    order = np.argsort(x, kind="stable")
    turn = np.empty(len(x), dtype=np.intp)
    turn[order] = np.arange(len(x)) - np.searchsorted(x[order], x[order])
    columns: NDArray[np.intp] = starts[x] + np.maximum(own - many, 0)[x] // 2 + turn % own[x]
    return columns


def _draw_cut(frame: Frame, row: int, cut: Cut) -> None:
    """The line in the cells that no point has, and its label where it hides none."""
    canvas, left = frame.canvas, frame.left
    free = canvas.codes[row, left:] == ord(" ")
    canvas.codes[row, left:][free] = ord(frame.glyphs.dash)
    canvas.styles[row, left:][free] = canvas.style(cut.style)
    length = len(cut.label) + 2
    for start in (1, frame.columns - length - 1):
        if start >= 0 and length <= frame.columns // 2 and free[start : start + length].all():
            canvas.write(row, left + start, f" {cut.label} ", cut.style)
            return


def _dot_row(frame: Frame, values: Floats, y: Limits, markers: Markers) -> NDArray[np.intp]:
    """The dot row of values that are not logarithms, 0 at the top; values outside are on the edge."""
    rows = frame.rows * DOTS[markers][1]
    return dot_rows(np.log10(values) if y.log else values, y.low, y.high, rows)
