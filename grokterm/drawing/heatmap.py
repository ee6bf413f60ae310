"""Maps: a matrix as colours, two values a cell one above the other (▀), or as shades where there are no colours.

A matrix that is larger than the room has equal blocks of values in one place, and the drawing says how many; a smaller
one is enlarged by whole factors. Several maps of one scale stand side by side, in two rows where that shows more.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grokterm.drawing.axes import Frame
from grokterm.drawing.beside import beside, fitted
from grokterm.drawing.blocks import Blocks, Pooling, Side, blocks
from grokterm.drawing.cells import Canvas, Drawing, Markers, Row, Span, glyphs_for, row_of
from grokterm.drawing.colour_map import LEVELS
from grokterm.drawing.colour_scale import Scale, has_blocks, scale_spans, shades
from grokterm.drawing.map_axes import Axis, draw_across, draw_down, labels_across, labels_down

SCALE_FROM = 6
"""Rows from which one of them shows what the colours mean."""
LEAST_COLUMNS, LEAST_ROWS = 5, 3
"""Of a map with its axes; in less room it has none."""
GAP = 1
"""Cells between two maps."""


@dataclass(frozen=True, eq=False, slots=True)
class HeatMap:
    """A matrix (rows, columns), drawn as it is written: row 0 at the top, column 0 on the left.

    `down` and `across` are its axes; the longest of `labels` that fits is written above it; `pointer` is the cursor, a
    column and a row.
    """

    values: NDArray[np.floating]
    down: Axis
    across: Axis
    labels: tuple[str, ...] = ()
    pointer: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """How maps are drawn: their scale, what stands for a block of values, and what the terminal shows."""

    scale: Scale
    pooling: Pooling = "mean"
    markers: Markers = "braille"
    colours: int = 1 << 24

    @property
    def per_row(self) -> int:
        """Values that a cell shows one above the other."""
        return 2 if has_blocks(self.markers, self.colours) else 1


@dataclass(frozen=True, slots=True)
class _Room:
    """How maps of equal size are laid out: columns and rows of maps, cells of each, its wall and axis included.

    gutter: cells for numbers beside those on the left, before their wall; axes: whether there is room for any.
    """

    across: int
    down: int
    width: int
    height: int
    gutter: int
    axes: bool


@dataclass(frozen=True, eq=False, slots=True)
class _Place:
    """The frame of a map, and how its rows and columns are brought to that size."""

    frame: Frame
    down: Side
    across: Side
    labelled: bool


def draw_heatmaps(maps: Sequence[HeatMap], look: Look, width: int, height: int) -> Drawing:
    """Draw one map or more in exactly `height` rows of `width` cells, over the row that shows their scale.

    Values that are not finite are marked × and counted in the notes; so is how many values share a block, where there
    is no room for that beside the scale.
    """
    with_scale = height >= SCALE_FROM
    room = _layout(maps, look, width, height - with_scale)
    places = [_place(each, look, room, first=index % room.across == 0) for index, each in enumerate(maps)]
    drawn = [_draw_one(each, place, look) for each, place in zip(maps, places, strict=True)]
    rows: list[Row] = []
    for first in range(0, len(drawn), room.across):
        line = [fitted(one, _width(one), room.height) for one in drawn[first : first + room.across]]
        rows += fitted(beside(line, GAP), width, room.height)
    rows = list(fitted(rows, width, height - with_scale))
    told = _shared(places[0], look)
    if with_scale:
        row, told = _scale_row(look, places[0].frame.left, told, width)
        rows.append(row)
    return Drawing(tuple(rows), (*told[:1], *_notes(maps)))


def _width(rows: Sequence[Row]) -> int:
    return sum(len(span.text) for span in rows[0])


def _scale_row(look: Look, indent: int, shared: tuple[str, ...], width: int) -> tuple[Row, tuple[str, ...]]:
    """The row that shows what the colours mean, and what of `shared`, a remark and a shorter one, had no room in it."""
    scale = scale_spans(look.scale, width, markers=look.markers, colours=look.colours)
    taken = sum(len(span.text) for span in scale)
    if indent + taken > width:
        indent = 0
    remark = next((text for text in shared if scale and indent + taken + 3 + len(text) <= width), "")
    spans = (Span(" " * indent, ""), *scale, Span(f"   {remark}" if remark else "", "quiet"))
    return row_of(spans, width, ascii_only=look.markers == "ascii"), () if remark else shared


def natural_width(count: int, room: int, gutter: int = 4) -> int:
    """How many of `room` cells a map of so many columns fills; the rest may be used for something else."""
    return min(gutter + Side(count, max(room - gutter, 1)).cells, room)


def _layout(maps: Sequence[HeatMap], look: Look, width: int, height: int) -> _Room:
    """The arrangement in which the smaller side of each map has the most blocks; side by side where two are equal."""
    labelled = any(each.labels for each in maps)
    largest = max(max(each.values.shape) for each in maps)
    found: list[tuple[int, _Room]] = []
    for down in range(1, len(maps) + 1):
        across, one = math.ceil(len(maps) / down), max(height // down, 1)
        gutter = max(_gutter(each, look, one - labelled) for each in maps)
        each = (width - gutter - GAP * (across - 1)) // across
        axes = each > LEAST_COLUMNS and one - labelled >= LEAST_ROWS
        if not axes:
            gutter, each = 0, (width - GAP * (across - 1)) // across
        room = _Room(across, down, max(each, 1), one, gutter, axes)
        found.append((min(each - axes, (one - axes - labelled) * look.per_row, largest), room))
    return max(found, key=lambda candidate: candidate[0])[1]


def _gutter(each: HeatMap, look: Look, height: int) -> int:
    """Cells that the numbers down a map of this height take, and its name."""
    down = Side(each.values.shape[0], max((height - 1) * look.per_row, 1))
    return max([len(label.text) for label in labels_down(each.down, down, look.per_row)] + [len(each.down.name), 1])


def _place(each: HeatMap, look: Look, room: _Room, *, first: bool) -> _Place:
    """A frame without numbers at its wall for every map but the first of a line, and no higher than the map."""
    rows, columns = each.values.shape
    labelled = bool(each.labels) and room.height > 1
    gutter = room.gutter if first else 0
    height = room.height - labelled - room.axes
    height = min(height, -(-Side(rows, height * look.per_row).cells // look.per_row))
    left = gutter + room.axes
    canvas = Canvas(room.width + gutter, height + room.axes, ascii_only=look.markers == "ascii")
    axis_row = height if room.axes else None
    frame = Frame(canvas, glyphs_for(look.markers), left, canvas.width - left, height, axis_row, None)
    return _Place(frame, Side(rows, height * look.per_row), Side(columns, frame.columns), labelled)


def _draw_one(each: HeatMap, place: _Place, look: Look) -> tuple[Row, ...]:
    frame, down, across = place.frame, place.down, place.across
    grid = blocks(each.values, down, across, look.pooling)
    if look.per_row == 2:
        _paint_blocks(frame, grid, look)
    else:
        _paint_shades(frame, grid, look)
    column, row = None, None
    if each.pointer is not None:
        column, row = across.cell(each.pointer[0]), down.cell(each.pointer[1])
        _mark(frame, grid, look, column, row)
        row //= look.per_row
    draw_across(frame, labels_across(each.across, across), each.across.name, across.cells, column)
    draw_down(frame, labels_down(each.down, down, look.per_row), each.down.name, row)
    rows = frame.canvas.rows()
    if not place.labelled:
        return rows
    left = max(frame.left - 1, 0)
    label = next((text for text in each.labels if len(text) <= frame.canvas.width - left), each.labels[-1])
    head = (Span(" " * left, ""), Span(label, "strong"))
    return (row_of(head, frame.canvas.width, ascii_only=frame.canvas.ascii_only), *rows)


def _paint_blocks(frame: Frame, grid: Blocks, look: Look) -> None:
    """Two values a cell: the upper one in the foreground of ▀, the lower one behind it."""
    count, kind, canvas = LEVELS[look.scale.kind], look.scale.kind, frame.canvas
    levels = look.scale.levels(grid.values, count)
    upper = levels[0::2]
    lower = np.full(upper.shape, -1, dtype=np.intp)  # none below the last of an odd number
    lower[: len(levels) // 2] = levels[1::2]
    pairs, which = np.unique(upper * (count + 1) + lower + 1, return_inverse=True)
    halves = [divmod(pair, count + 1) for pair in pairs.tolist()]
    names = [f"{kind}{above}.{below - 1}" if below else f"{kind}{above}" for above, below in halves]
    styles = np.array([canvas.style(name) for name in names], dtype=np.int16)
    area = np.s_[: len(upper), frame.left : frame.left + levels.shape[1]]
    canvas.codes[area] = ord("▀")
    canvas.styles[area] = styles[which.reshape(upper.shape)]
    broken = grid.broken[0::2].copy()
    broken[: len(levels) // 2] |= grid.broken[1::2]
    _cross(frame, broken)


def _paint_shades(frame: Frame, grid: Blocks, look: Look) -> None:
    """One value a cell: a sign for its size, and where it may be negative, another one for its sign."""
    signs, names = shades(look.scale.kind, look.markers)
    levels = look.scale.levels(grid.values, len(signs))
    area = np.s_[: len(levels), frame.left : frame.left + levels.shape[1]]
    frame.canvas.codes[area] = np.array([ord(sign) for sign in signs], dtype=np.uint32)[levels]
    frame.canvas.styles[area] = np.array([frame.canvas.style(name) for name in names], dtype=np.int16)[levels]
    _cross(frame, grid.broken)


def _cross(frame: Frame, broken: NDArray[np.bool_]) -> None:
    rows, columns = np.nonzero(broken)
    frame.canvas.codes[rows, frame.left + columns] = ord(frame.glyphs.cross)
    frame.canvas.styles[rows, frame.left + columns] = frame.canvas.style("problem")


def _mark(frame: Frame, grid: Blocks, look: Look, column: int, row: int) -> None:
    """The cursor's sign over its value's own colour."""
    style = "cursor"
    if look.per_row == 2:
        kind = look.scale.kind
        level = look.scale.levels(grid.values[row : row + 1, column], LEVELS[kind])[0]
        style = f"{kind}{level}.here"
    frame.canvas.write(row // look.per_row, frame.left + column, frame.glyphs.here, style)


def _shared(place: _Place, look: Look) -> tuple[str, ...]:
    """How many values stand in one place, also in fewer words; nothing where every value has its own."""
    if place.down.each <= 1 and place.across.each <= 1:
        return ()
    size = " × ".join(f"{max(side.each, 1):.2g}" for side in (place.across, place.down))
    block = f"1 block = {'largest of ' if look.pooling == 'largest' else ''}{size}"
    return f"{block} values", block


def _notes(maps: Sequence[HeatMap]) -> list[str]:
    lost = sum(int(np.count_nonzero(~np.isfinite(each.values))) for each in maps)
    return [f"{lost:,} not finite"] if lost else []
