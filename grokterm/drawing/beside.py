"""Drawings side by side or below one another, as one."""

from collections.abc import Sequence

from grokterm.drawing.cells import Row, Span, row_of


def beside(drawings: Sequence[Sequence[Row]], gap: int = 1) -> tuple[Row, ...]:
    """Rows of drawings of one height, joined, with so many blanks between two of them."""
    between = (Span(" " * gap, ""),) if gap else ()
    joined: list[Row] = []
    for rows in zip(*drawings, strict=True):
        cells: list[Span] = list(rows[0])
        for row in rows[1:]:
            cells += [*between, *row]
        joined.append(tuple(cells))
    return tuple(joined)


def fitted(rows: Sequence[Row], width: int, height: int) -> tuple[Row, ...]:
    """Rows cut to a size or filled up with blanks, on the right and at the bottom."""
    blank = row_of((), width)
    return (*(_fitted(row, width) for row in rows[:height]), *[blank] * (height - len(rows)))


def _fitted(row: Row, width: int) -> Row:
    left = width - sum([len(span.text) for span in row])
    return row_of(row, width) if left < 0 else (*row, Span(" " * left, "")) if left else row
