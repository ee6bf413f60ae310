"""What surrounds a plot: its limits, the two axes, the phase ribbon, marks and the cursor."""

import math
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grokterm.drawing.cells import Canvas, Glyphs, Markers, glyphs_for
from grokterm.drawing.ticks import across, fraction, linear_ticks

SAME = 1e-9  # values closer than this part of their size are drawn as a constant
MARGIN = 0.03  # of the range, above and below the data
LARGEST = 308.25  # 10 to this is still a finite number
FARTHEST = 1e300  # steps beyond are drawn there, so that differences of steps stay finite
LABEL_ROWS = 3  # a mark's label stands in one of the first rows


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment on the x axis: an intervention, a snapshot, a note."""

    x: float
    label: str
    style: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """A phase on the ribbon, from step to step."""

    start: float
    end: float
    label: str
    style: str


@dataclass(frozen=True, slots=True)
class Limits:
    """The range of an axis in drawn coordinates: log10 of the values when `log`."""

    low: float
    high: float
    log: bool = False

    def part(self, value: float) -> float:
        """Where a value lies, 0 at `low` and 1 at `high`; on a log axis of steps, steps below 1 count as 1."""
        return fraction(math.log10(max(value, 1.0)) if self.log else value, self.low, self.high)

    def column(self, value: float, columns: int) -> int | None:
        """The column of a value, None outside."""
        part = self.part(value)
        return min(int(part * columns), columns - 1) if 0 <= part <= 1 else None


@dataclass(frozen=True, slots=True)
class Frame:
    """Where on a canvas the plot lies: `left` cells for the labels, rows below for axis and ribbon (None: no room)."""

    canvas: Canvas
    glyphs: Glyphs
    left: int
    columns: int
    rows: int
    axis_row: int | None
    ribbon_row: int | None


def make_frame(width: int, height: int, gutter: int, markers: Markers, *, ribbon: bool = False) -> Frame:
    """Divide a canvas. Where axes would leave too little, the plot gets everything."""
    canvas = Canvas(width, height, ascii_only=markers == "ascii")
    if width < gutter + 9 or height < 3:
        return Frame(canvas, glyphs_for(markers), 0, width, height, None, None)
    rows = height - 1 - (ribbon and height >= 6)
    return Frame(
        canvas, glyphs_for(markers), gutter + 1, width - gutter - 1, rows, rows, rows + 1 if rows + 1 < height else None
    )


def gutter_for(width: int, labels: Iterable[str] = ()) -> int:
    """Cells left of the axis; usually the same, so that panels above one another line up."""
    return max(6 if width >= 40 else 4, *map(len, labels), 0)


def linear_limits(low: float, high: float) -> tuple[float, float]:
    """Limits around data: a small margin, to a round number where one is near, and never past zero for nothing."""
    size, largest = max(abs(low), abs(high)), sys.float_info.max
    if high / 2 - low / 2 <= SAME * size or high - low < 1e-300:
        if size < 1e-300:
            return 0.0, 1.0
        return max(low - size * 0.1, -largest), min(high + size * 0.1, largest)
    margin = (high / 2 - low / 2) * 2 * MARGIN
    bottom, top = max(low - margin, -largest), min(high + margin, largest)
    ticks = linear_ticks(bottom, top, 6)
    if len(ticks) > 1:
        step = ticks[1] - ticks[0]
        below, above = ticks[0] - step, ticks[-1] + step
        bottom = below if bottom - below < step / 4 else bottom
        top = above if above - top < step / 4 else top
    if low >= 0 and (bottom < 0 or low < high / 6):
        bottom = 0.0
    if high <= 0 and (top > 0 or -high < -low / 6):
        top = 0.0
    return max(bottom, -largest), min(top, largest)


def log_limits(low: float, high: float) -> tuple[float, float]:
    """Limits around data given as log10: to whole decades where they are near, half a decade around a constant."""
    span = high - low
    if span < 1e-8:
        return low - 0.5, min(high + 0.5, LARGEST)
    near = 0.12 * span
    bottom = math.floor(low) if low - math.floor(low) <= near else low - MARGIN * span
    top = math.ceil(high) if math.ceil(high) - high <= near else high + MARGIN * span
    return float(bottom), min(float(top), LARGEST)


def step_limits(first: float, last: float, view_min: float | None, view_max: float | None, *, log: bool) -> Limits:
    """The steps shown, from the data's first and last one or as the view says; never an empty range."""
    ends = (first if view_min is None else view_min, last if view_max is None else view_max)
    low, high = (min(max(float(step), -FARTHEST), FARTHEST) if math.isfinite(step) else 0.0 for step in ends)
    if log:
        low, high = math.log10(max(low, 1.0)), math.log10(max(high, 1.0))
    return Limits(low, high if high - low > abs(low) * 1e-12 else low + max(1.0, abs(low) * 1e-9), log)


def draw_sentence(frame: Frame, sentence: str) -> None:
    """A sentence in the middle of an empty plot, cut to fit."""
    sentence = sentence[: frame.columns]
    column = frame.left + (frame.columns - len(sentence)) // 2
    frame.canvas.write((frame.rows - 1) // 2, column, sentence, "quiet")


def draw_y_axis(frame: Frame, labels: Sequence[tuple[int, str]]) -> None:
    """The wall and the labels left of it."""
    if not frame.left:
        return
    ticks = dict(labels)
    for row in range(frame.rows):
        label = ticks.get(row)
        text = frame.glyphs.wall if label is None else label + frame.glyphs.tick
        frame.canvas.write(row, frame.left - len(text), text, "axis")


def draw_x_axis(frame: Frame, labels: Sequence[tuple[int, str]], arrows: dict[int, str]) -> None:
    """The floor with its labels and an arrow (column → style) for every mark; a label gives way to an arrow."""
    if frame.axis_row is None:
        return
    canvas, row, left = frame.canvas, frame.axis_row, frame.left
    canvas.write(row, left - 1, frame.glyphs.corner + frame.glyphs.floor * frame.columns, "axis")
    for column, label in labels:
        start = column + 1 if column in arrows else column
        end = start + len(label)
        if end <= frame.columns and not any(start <= arrow < end for arrow in arrows):
            canvas.write(row, left + start, label, "axis")
    for column, style in arrows.items():
        canvas.write(row, left + column, frame.glyphs.arrow, style)


def steps_axis(frame: Frame, limits: Limits, marks: Sequence[Mark]) -> None:
    """The x axis of a plot over steps."""
    columns = ((limits.column(mark.x, frame.columns), mark.style) for mark in marks)
    arrows = {column: style for column, style in columns if column is not None}
    draw_x_axis(frame, across(limits.low, limits.high, frame.columns, log=limits.log), arrows)


def draw_ribbon(frame: Frame, limits: Limits, ribbon: Sequence[Stretch]) -> None:
    """The phases below the axis, each style in a shade of its own, labelled where the label fits."""
    if frame.ribbon_row is None:
        return
    shades: dict[str, str] = {}
    for stretch in ribbon:
        shades.setdefault(stretch.style, frame.glyphs.shades[len(shades) % len(frame.glyphs.shades)])
    for stretch in ribbon:
        first, last = limits.part(stretch.start), limits.part(stretch.end)
        if not (first < 1 and last > 0):
            continue
        start = min(round(max(first, 0.0) * frame.columns), frame.columns - 1)
        length = max(round(min(last, 1.0) * frame.columns) - start, 1)
        label = f" {stretch.label} " if stretch.label and len(stretch.label) + 2 <= length else ""
        text = label.center(length, "\0").replace("\0", shades[stretch.style])
        frame.canvas.write(frame.ribbon_row, frame.left + start, text, stretch.style)


def draw_cursor(frame: Frame, limits: Limits, cursor: float | None) -> None:
    """A vertical line through the empty cells of the cursor's column."""
    column = None if cursor is None else limits.column(cursor, frame.columns)
    if column is not None:
        _fill_column(frame, column, frame.glyphs.cursor, "cursor")


def draw_marks(frame: Frame, limits: Limits, marks: Sequence[Mark]) -> None:
    """A thin line for every mark and, where there is room beside it near the top, its label."""
    placed = [(column, mark) for mark in marks if (column := limits.column(mark.x, frame.columns)) is not None]
    free = _blank(frame)[:LABEL_ROWS]
    for column, _ in placed:
        free[:, column] = False
    for column, mark in placed:
        if mark.label:
            _label_mark(frame, free, column, mark)
    for column, mark in placed:
        _fill_column(frame, column, frame.glyphs.mark, mark.style)


def _label_mark(frame: Frame, free: NDArray[np.bool_], column: int, mark: Mark) -> None:
    length = len(mark.label)
    for row in range(len(free)):
        for start in (column + 1, column - length):
            if start >= 0 and start + length <= frame.columns and free[row, start : start + length].all():
                frame.canvas.write(row, frame.left + start, mark.label, mark.style)
                free[row, max(start - 1, 0) : start + length + 1] = False
                return


def _blank(frame: Frame) -> NDArray[np.bool_]:
    blank: NDArray[np.bool_] = frame.canvas.codes[: frame.rows, frame.left :] == ord(" ")
    return blank


def _fill_column(frame: Frame, column: int, glyph: str, style: str) -> None:
    rows = np.flatnonzero(_blank(frame)[:, column])
    frame.canvas.codes[rows, frame.left + column] = ord(glyph)
    frame.canvas.styles[rows, frame.left + column] = frame.canvas.style(style)
