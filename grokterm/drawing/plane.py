"""Numbered points on a plane, equally scaled in both directions, so that a circle is drawn as a circle."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grokterm.drawing.cells import Canvas, Drawing, Markers, glyphs_for
from grokterm.drawing.dots import BITS, DOTS, characters

Floats = NDArray[np.float64]
CELL_HEIGHT = 2.0
"""Of a terminal's cell, in widths."""
SPARSE = 20
"""Cells per point from which a point is a sign of its own; a single dot of braille would be lost."""
AROUND = ((0, 1), (0, -1), (-1, 0), (1, 0), (-1, 1), (1, 1), (-1, -1), (1, -1))
"""Where a number may stand beside its point: rows down, and right or left of it."""


@dataclass(frozen=True, eq=False, slots=True)
class _Scaled:
    """Where the points lie: dots from the left and from the top; -1 for points that are not finite."""

    column: NDArray[np.intp]
    row: NDArray[np.intp]


def draw_plane(
    places: Floats,
    *,
    order: Sequence[int],
    width: int,
    height: int,
    style: str = "bar.key",
    cursor: int | None = None,
    markers: Markers = "braille",
) -> Drawing:
    """Points (n, 2) as dots, x to the right, y up, the origin in the middle, and the numbers of as many as have room.

    `order`: the points as they follow one another in the plane; numbers are spread evenly over it. The number of the
    point `cursor` is always written, in brackets. A cross of thin lines goes through the origin. Points that are not
    finite are counted in the notes.
    """
    canvas = Canvas(width, height, ascii_only=markers == "ascii")
    finite = np.logical_and(*np.isfinite(places).T)
    scaled = _scaled(places, finite, width, height, markers)
    _draw_cross(canvas, markers)
    free = np.ones((height, width), dtype=bool)
    _paint(canvas, free, scaled, finite, style, markers)
    across, down = DOTS[markers]
    cells = {i: (int(scaled.row[i]) // down, int(scaled.column[i]) // across) for i in np.flatnonzero(finite).tolist()}
    wanted = [number for number in _evenly(order) if number in cells]
    if cursor in cells:
        wanted = [cursor, *(number for number in wanted if number != cursor)]
    for number in wanted:
        _write_number(canvas, free, number, cells[number], number == cursor)
    lost = len(places) - len(cells)
    return Drawing(canvas.rows(), (f"{lost:,} not finite",) if lost else ())


def _scaled(places: Floats, finite: NDArray[np.bool_], width: int, height: int, markers: Markers) -> _Scaled:
    across, down = DOTS[markers]
    margin = 4 if width >= 24 else 1  # for numbers on the left and on the right
    reach = float(np.abs(places[finite]).max(initial=0.0)) or 1.0
    high = height - 2 if height >= 8 else height
    half = min((width - 2 * margin - 1) / 2, (high - 1) * CELL_HEIGHT / 2) / reach  # cell widths per unit
    clean = np.where(finite[:, None], places, 0.0)
    column = np.rint((width / 2 + clean[:, 0] * half) * across - 0.5)
    row = np.rint((height / 2 - clean[:, 1] * half / CELL_HEIGHT) * down - 0.5)
    return _Scaled(
        np.clip(column, 0, width * across - 1).astype(np.intp), np.clip(row, 0, height * down - 1).astype(np.intp)
    )


def _draw_cross(canvas: Canvas, markers: Markers) -> None:
    glyphs = glyphs_for(markers)
    for column in range(canvas.width):
        canvas.write(canvas.height // 2, column, glyphs.dash if column % 2 else " ", "quiet")
    for row in range(canvas.height):
        canvas.write(row, canvas.width // 2, glyphs.mark, "quiet")


def _paint(
    canvas: Canvas,
    free: NDArray[np.bool_],
    scaled: _Scaled,
    finite: NDArray[np.bool_],
    style: str,
    markers: Markers,
) -> None:
    across, down = DOTS[markers]
    row, column = scaled.row[finite], scaled.column[finite]
    bits = np.zeros(free.shape, dtype=np.uint8)
    cells = row // down, column // across
    np.bitwise_or.at(bits, cells, BITS[markers][row % down, column % across])
    sparse = free.size >= SPARSE * len(row)
    sign = "*" if markers == "ascii" else "•"
    canvas.codes[cells] = ord(sign) if sparse or markers == "ascii" else characters(bits, markers)[cells]
    canvas.styles[cells] = canvas.style(style)
    free[cells] = False


def _evenly(order: Sequence[int]) -> list[int]:
    """The points so that any first few are spread evenly over their order: every 64th, then every 32nd between …"""
    chosen: dict[int, None] = {}
    stride = 1 << max(len(order) - 1, 0).bit_length()
    while stride:
        chosen |= dict.fromkeys(order[::stride])
        stride //= 2
    return list(chosen)


def _write_number(canvas: Canvas, free: NDArray[np.bool_], number: int, cell: tuple[int, int], pointed: bool) -> bool:
    """Write a number beside its point, on a side that looks away from the middle; False where nothing is free there."""
    text, style = (f"[{number}]", "here") if pointed else (str(number), "value")
    (row, column), (height, width) = cell, free.shape
    x, y = column - (width - 1) / 2, (row - (height - 1) / 2) * CELL_HEIGHT

    def outward(side: tuple[int, int]) -> float:
        return float(side[1] * x + side[0] * CELL_HEIGHT * y)

    for down, right in sorted(AROUND, key=outward, reverse=True):
        if outward((down, right)) < 0:
            break
        start = column + 1 if right > 0 else column - len(text) if right < 0 else column - len(text) // 2
        if not 0 <= row + down < height or not 0 <= start <= width - len(text):
            continue
        apart = slice(max(start - (right <= 0 or down != 0), 0), start + len(text) + (right >= 0 or down != 0))
        if free[row + down, apart].all():
            canvas.write(row + down, start, text, style)
            free[row + down, start : start + len(text)] = False
            return True
    if pointed:  # over whatever is there
        start = max(min(column, width - len(text)), 0)
        canvas.write(row, start, text, style)
        free[row, start : start + len(text)] = False
    return pointed
