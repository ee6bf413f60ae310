"""Runs as a table of text: what each column says, and which columns are worth the width there is. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from grokterm.drawing.ticks import format_value
from grokterm.summary import Summary

GAP = 2
"""Cells between two columns."""
NOT_RECORDED = "-"


@dataclass(frozen=True)
class Column:
    """A column: its title, what it says of a run ("" for nothing), and how much its place is worth: 0 is worth most.

    width: cells that it needs in a list whose runs change while it is shown; numbers are flush right.
    """

    title: str
    text: Callable[[Summary], str]
    worth: int
    width: int
    right: bool = False


def size_text(size: float) -> str:
    """Bytes in three digits: 972 B, 1.42 MB, 184 MB."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 999.5:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:,.0f} TB"


def time_text(unix_time: float) -> str:
    """A time as a list shows it, in the local zone: 2027-03-04 11:30; "" where a clock has no such time."""
    try:
        return datetime.fromtimestamp(unix_time).strftime("%Y-%m-%d %H:%M")
    except (ValueError, OverflowError, OSError):
        return ""


def count_text(count: int | None) -> str:
    """A number of steps: 12,500; "" for none."""
    return "" if count is None else f"{count:,}"


def loss_text(value: float | None) -> str:
    """A loss in four digits; "" for none."""
    return "" if value is None else format_value(value)


def share_text(value: float | None) -> str:
    """An accuracy with three decimals; "" for none."""
    return "" if value is None else f"{value:.3f}"


def tags_text(tags: Sequence[str]) -> str:
    """Tags one can tell apart: `good, two words, "a, b"`; "" for none."""
    return ", ".join(f'"{tag}"' if "," in tag else tag for tag in tags)


COLUMNS = (
    Column("name", lambda run: run.name, 0, 30),
    Column("preset", lambda run: run.preset, 10, 14),
    Column("seed", lambda run: "" if run.seed is None else str(run.seed), 12, 4, right=True),
    Column("state", lambda run: run.state, 1, 11),
    Column("step", lambda run: count_text(run.step), 2, 9, right=True),
    Column("train loss", lambda run: loss_text(run.train_loss), 7, 10, right=True),
    Column("test loss", lambda run: loss_text(run.test_loss), 3, 9, right=True),
    Column("test acc", lambda run: share_text(run.test_accuracy), 6, 8, right=True),
    Column("phase", lambda run: run.phase, 4, 17),
    Column("memorised at", lambda run: count_text(run.memorized_at), 13, 12, right=True),
    Column("grokked at", lambda run: count_text(run.grokked_at), 5, 10, right=True),
    Column("started", lambda run: time_text(run.started), 8, 16),
    Column("size", lambda run: size_text(run.size), 11, 7, right=True),
    Column("tags", lambda run: tags_text(run.tags), 9, 12),
)
PROBLEM = Column("problem", lambda run: run.problem, 14, 60)


def fitting(columns: Sequence[Column], widths: Sequence[int], room: int, wanted: str = "") -> list[int]:
    """Return the indices of the columns that have a place in `room` cells, in their order.

    The first always has one; the column of the title `wanted` is the next to get one.
    """
    kept = {0}
    left = room - widths[0]
    rest = range(1, len(columns))
    for index in sorted(rest, key=lambda index: (columns[index].title != wanted, columns[index].worth)):
        if widths[index] + GAP <= left:
            kept.add(index)
            left -= widths[index] + GAP
    return sorted(kept)


def table(summaries: Sequence[Summary], room: int | None, literal: Callable[[str], str]) -> list[str]:
    """Return the table as aligned lines, titles first: every column where `room` is None, else those that fit.

    `literal` makes a text of a run harmless; the problems of damaged runs are a column of the complete table only.
    """
    broken = room is None and any(run.problem for run in summaries)
    columns = [*COLUMNS, PROBLEM] if broken else list(COLUMNS)

    def texts(column: Column) -> list[str]:
        return [column.title, *(literal(column.text(run)) or NOT_RECORDED for run in summaries)]

    if room is None:
        said = [texts(column) for column in columns]
    else:  # the bytes of thousands of runs are counted only where they are shown
        known = {column: texts(column) for column in columns if column.title != "size"}
        widths = [max(map(len, known[column])) if column in known else column.width for column in columns]
        columns = [columns[index] for index in fitting(columns, widths, room)]
        said = [known[column] if column in known else texts(column) for column in columns]
    aligned = [_aligned(cells, right=column.right) for column, cells in zip(columns, said, strict=True)]
    return [(" " * GAP).join(row).rstrip()[:room] for row in zip(*aligned, strict=True)]


def _aligned(cells: Sequence[str], *, right: bool) -> list[str]:
    width = max(map(len, cells))
    return [cell.rjust(width) if right else cell.ljust(width) for cell in cells]
