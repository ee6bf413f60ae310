"""What came of each run, and what each reads at the cursor: tables with a line a run. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from grokterm.drawing.cells import Markers, Row, Span, one_cell_each, row_of
from grokterm.drawing.legend import GLYPHS
from grokterm.drawing.ticks import format_value
from grokterm.tui.compare.comparison import Comparison
from grokterm.tui.compare.overlay import short
from grokterm.tui.differences import table

NONE = "–"
GAP = 2
LONGEST_NAME = 24


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its title, what it says of a run at x (None: the newest), and how much its place is worth (0: most)."""

    title: str
    text: Callable[[Comparison, int, int | None], str]
    worth: int
    right: bool = True


def _count(value: int | None) -> str:
    return NONE if value is None else f"{value:,}"


def _number(value: float | None) -> str:
    return NONE if value is None else format_value(value)


def keys_text(comparison: Comparison, index: int, x: int | None) -> str:
    """The key frequencies of a run at x."""
    return " ".join(map(str, comparison.runs[index].keys(comparison.step_of(index, x)))) or NONE


def _series(name: str) -> Callable[[Comparison, int, int | None], str]:
    return lambda comparison, index, x: _number(comparison.value(index, name, x))


RESULTS = (
    Column("memorised", lambda comparison, index, _: _count(comparison.runs[index].memorised), 0),
    Column("grokked", lambda comparison, index, _: _count(comparison.runs[index].grokked), 0),
    Column("delay", lambda comparison, index, _: _count(comparison.runs[index].delay), 1),
    Column("train loss", _series("train_loss"), 2),
    Column("test loss", _series("test_loss"), 0),
    Column("keys", keys_text, 3, right=False),
    Column("state", lambda comparison, index, _: comparison.runs[index].state, 4, right=False),
    Column("step", lambda comparison, index, _: _count(comparison.runs[index].step), 5),
)
"""In the order in which they stand. Losses and key frequencies are those at the cursor."""


def reading_columns(names: Sequence[str]) -> tuple[Column, ...]:
    """A column for each of these series."""
    return tuple(Column(name.replace("_", " "), _series(name), 0) for name in names)


def table_rows(
    comparison: Comparison,
    columns: Sequence[Column],
    x: int | None,
    width: int,
    markers: Markers,
    selected: Sequence[int] = (),
) -> tuple[Row, ...]:
    """A header and a line a run, in the run's look; what does not fit the width is left out, least worth first."""
    indices = range(len(comparison.runs))
    ascii_only = markers == "ascii"
    names = [short(name, LONGEST_NAME) for name in comparison.names]
    texts = {column: [column.text(comparison, index, x) for index in indices] for column in columns}
    widths = {column: max(map(len, [column.title, *said])) for column, said in texts.items()}
    longest = max(map(len, names))
    kept = list(columns)
    while kept and _needed(kept, widths) + longest + 5 > width:
        if longest > 10 and _needed(kept, widths) + 15 <= width:
            longest = width - _needed(kept, widths) - 5
            break
        worst = max(column.worth for column in kept)
        kept.remove(next(column for column in reversed(kept) if column.worth == worst))
    rows = [row_of([Span(" " * (longest + 5), ""), Span(_header(kept, widths), "quiet")], width)]
    for index in indices:
        look = comparison.looks[index]
        glyph = look.label if ascii_only else f"{GLYPHS[look.pattern]} {look.label}"
        name = one_cell_each(short(names[index], longest).ljust(longest), ascii_only=ascii_only)
        pointed = (">" if ascii_only else "▸") if index in selected else " "
        cells = "".join(_cell(column, texts[column][index], widths) for column in kept)
        faint = index in comparison.left_out or bool(selected and index not in selected)
        rows.append(
            row_of(
                [
                    Span(f"{pointed}{glyph:<3} {name}", f"{look.style}.faint" if faint else look.style),
                    Span(one_cell_each(cells, ascii_only=ascii_only), "quiet" if faint else "value"),
                ],
                width,
            )
        )
    return tuple(rows)


def in_blocks(columns: Sequence[Column], comparison: Comparison, x: int | None, width: int) -> list[list[Column]]:
    """Columns in groups that each fit the width beside the names."""
    names = max(len(short(name, LONGEST_NAME)) for name in comparison.names)
    blocks: list[list[Column]] = [[]]
    room = width - names - 5
    for column in columns:
        texts = [column.title, *(column.text(comparison, index, x) for index in range(len(comparison.runs)))]
        needed = GAP + max(map(len, texts))
        if blocks[-1] and needed > room:
            blocks.append([])
            room = width - names - 5
        blocks[-1].append(column)
        room -= needed
    return blocks


def results_text(comparison: Comparison) -> str:
    """The results as plain text, whole."""
    titles = ["", *(column.title for column in RESULTS)]
    lines = [
        [f"{comparison.looks[index].label} {comparison.names[index]}"]
        + [column.text(comparison, index, None) for column in RESULTS]
        for index in range(len(comparison.runs))
    ]
    return table([titles, *lines])


def _needed(columns: Sequence[Column], widths: dict[Column, int]) -> int:
    return sum(GAP + widths[column] for column in columns)


def _header(columns: Sequence[Column], widths: dict[Column, int]) -> str:
    return "".join(_cell(column, column.title, widths) for column in columns)


def _cell(column: Column, text: str, widths: dict[Column, int]) -> str:
    width = widths[column]
    return " " * GAP + (text.rjust(width) if column.right else text.ljust(width))
