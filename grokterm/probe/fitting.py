"""Aligned tables and sentences, made to fit a terminal: a line breaks between words, a table between its columns.

width: columns of the terminal; None where there is none, and every row of a table is one line however long.
"""

from collections.abc import Iterator, Sequence
from textwrap import wrap

GAP = "  "
LEFT, RIGHT = "<", ">"
WIDTH = 80
"""Of prose where there is no terminal."""
NARROWEST = 20
"""Nothing is made narrower than this."""


def table(rows: Sequence[Sequence[str]], sides: str, width: int | None = None) -> list[str]:
    """Rows of cells as aligned lines; `sides` has < or > for each column, the side that its cells keep to.

    Columns that the width has no place for come below the others, behind the first one again.
    """
    parts = _parts(_widths(rows), width)
    lines: list[str] = []
    for columns in parts:
        chosen = [[cells[column] for column in columns] for cells in rows]
        lines += _aligned(chosen, "".join(sides[column] for column in columns), width)
    return lines


def prose(text: str, width: int | None = None) -> list[str]:
    """A text as lines that end between words."""
    return _wrapped(text, WIDTH if width is None else width)


def fact(text: str, width: int | None = None) -> list[str]:
    """A line, which is broken only where there is a terminal; its further lines are indented."""
    return [text] if width is None else _wrapped(text, width, GAP * 2)


def indented(lines: Sequence[str]) -> list[str]:
    """Lines a step further to the right; they were made for `within` the width."""
    return [GAP + line for line in lines]


def within(width: int | None) -> int | None:
    """The width that is left for lines which will be `indented`."""
    return None if width is None else width - len(GAP)


def _parts(widths: Sequence[int], width: int | None) -> list[list[int]]:
    """The columns that stand side by side; every part begins with the first column."""
    parts, used = [[0]], widths[0]
    for column in range(1, len(widths)):
        more = len(GAP) + widths[column]
        if width is not None and used + more > width and len(parts[-1]) > 1:
            parts.append([0])
            used = widths[0]
        parts[-1].append(column)
        used += more
    return parts


def _aligned(rows: Sequence[Sequence[str]], sides: str, width: int | None) -> list[str]:
    """Rows as lines; the last column is broken between words where even alone it is too wide."""
    *widths, last = _widths(rows)
    before = sum(widths) + len(GAP) * len(widths)
    room = last if width is None else max(width - before, NARROWEST)
    lines = []
    for cells in rows:
        first, *rest = _wrapped(cells[-1], room) or [""] if len(cells[-1]) > room else [cells[-1]]
        row = zip([*cells[:-1], first], sides, [*widths, min(last, room)], strict=True)
        lines.append(GAP.join(f"{cell:{side}{wide}}" for cell, side, wide in row).rstrip())
        lines += [" " * before + line for line in rest]
    return lines


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(len, cells)) for cells in _columns(rows)]


def _columns(rows: Sequence[Sequence[str]]) -> Iterator[tuple[str, ...]]:
    return zip(*rows, strict=True)


def _wrapped(text: str, width: int, later: str = "") -> list[str]:
    return wrap(
        text,
        max(width, NARROWEST),
        subsequent_indent=later,
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=True,
    )
