"""Every series at a step, or at two steps and what lies between them, as lines of text. Pure."""

from collections.abc import Callable, Sequence

from grokterm.ancestry import names, value_at
from grokterm.drawing.ticks import format_value
from grokterm.history import History

IN_FULL_FROM = 100
"""Columns of a terminal that has room for two numbers in full beside a name, a difference and a ratio."""


def values(history: History, step: int) -> str:
    """A line a series: the row at or before `step`, and its value in full.

    Before a fork's first row it is that of the run that it was made from.
    """
    lines = [(name, value_at(history, name, step)) for name in names(history)]
    return table([(name, f"{found[0]:,}", repr(found[1])) if found else (name, "–", "–") for name, found in lines])


def differences(history: History, a: int, b: int, width: int) -> str:
    """A line a series: its recorded values at or before steps a and b, their difference and ratio.

    In full on a terminal of IN_FULL_FROM columns or more, else to the digits that a legend shows.
    """
    write = repr if width >= IN_FULL_FROM else format_value
    lines = [(name, *_at_both(history, name, a, b, write)) for name in names(history)]
    return table([("", "A", "B", "B − A", "B / A"), *lines])


def _at_both(history: History, name: str, a: int, b: int, write: Callable[[float], str]) -> tuple[str, str, str, str]:
    first, second = (
        (found[1] if found else None) for found in (value_at(history, name, a), value_at(history, name, b))
    )
    at_a, at_b = ("–" if value is None else write(value) for value in (first, second))
    if first is None or second is None:
        return at_a, at_b, "", ""
    return at_a, at_b, format_value(second - first), format_value(second / first) if first else ""


def table(lines: Sequence[Sequence[str]]) -> str:
    """Lines of cells as text in columns, the first to the left, the others to the right."""
    if not lines:
        return ""
    columns = max(map(len, lines))
    filled = [[*line, *[""] * (columns - len(line))] for line in lines]
    widths = [max(len(line[column]) for line in filled) for column in range(columns)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if not column else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in filled
    )
