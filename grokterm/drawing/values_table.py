"""Tables: named columns of words and numbers, as many as the room allows, the most telling ones first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from grokterm.drawing.cells import Drawing, Markers, Row, Span, glyphs_for, one_cell_each, row_of

APART = 2
"""Blanks between two columns."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its head, one text a row, and how much it is worth when there is not room for all."""

    head: str
    cells: tuple[str, ...]
    worth: int
    align: Literal["left", "right"] = "right"
    style: str = "value"

    @property
    def width(self) -> int:
        """Cells that its widest text takes."""
        return max(map(len, (self.head, *self.cells)))


def draw_table(
    columns: Sequence[Column],
    *,
    width: int,
    height: int,
    last_apart: bool = False,
    cursor: int | None = None,
    markers: Markers = "braille",
) -> Drawing:
    """A row of heads and one row a line, in exactly `height` rows of `width` cells, in the order of the columns.

    Columns that do not fit are left out, those of least worth first; rows that do not fit are counted in the notes, and
    those in sight are around the row `cursor`, which is pointed at. `last_apart`: the last row is of another kind, a
    total, and stays in sight.
    """
    shown = _fitting(columns, width)
    count = len(columns[0].cells)
    ascii_only = markers == "ascii"
    totals = [count - 1] if last_apart and height >= 4 else []
    room = max(height - 1 - len(totals), 0)
    body = count - len(totals)
    first = 0 if cursor is None else min(max(cursor - room // 2, 0), max(body - room, 0))
    lines = [*range(first, min(first + room, body)), *totals]
    pointer = glyphs_for(markers).pointer
    heads = [column.head for column in shown]
    rows: list[Row] = [_line(" ", heads, shown, ["quiet"] * len(shown), width, ascii_only=ascii_only)]
    for line in lines:
        texts = [column.cells[line] for column in shown]
        style = "strong" if line in totals else "cursor" if line == cursor else None
        styles = [style or column.style for column in shown]
        rows.append(_line(pointer if line == cursor else " ", texts, shown, styles, width, ascii_only=ascii_only))
    rows += [row_of((), width)] * max(height - len(rows), 0)
    hidden = body - (len(lines) - len(totals))
    return Drawing(tuple(rows[:height]), (f"{hidden} more row{'s' if hidden > 1 else ''}",) if hidden else ())


def _fitting(columns: Sequence[Column], width: int) -> list[Column]:
    shown = list(columns)
    while len(shown) > 1 and 1 + sum(column.width for column in shown) + APART * (len(shown) - 1) > width:
        shown.remove(min(shown, key=lambda column: column.worth))
    return shown


def _line(
    mark: str, texts: Sequence[str], columns: Sequence[Column], styles: Sequence[str], width: int, *, ascii_only: bool
) -> Row:
    spans = [Span(mark, "cursor" if mark.strip() else "")]
    for index, (text, column, style) in enumerate(zip(texts, columns, styles, strict=True)):
        aligned = text.ljust(column.width) if column.align == "left" else text.rjust(column.width)
        spans.append(Span(" " * (APART if index else 0) + one_cell_each(aligned, ascii_only=ascii_only), style))
    return row_of(spans, width)
