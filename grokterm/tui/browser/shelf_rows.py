"""The browser's list and the lines around it as rows of cells, and where they go on a terminal of any size. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from grokterm.drawing.cells import Markers, Row, Span, one_cell_each, row_of
from grokterm.listing import COLUMNS, GAP, Column, fitting
from grokterm.summary import Summary
from grokterm.tui.browser.shelf import ORDERS, Shelf
from grokterm.tui.status import STATES

MARK = "● "
LEAST_NAME = 12
LONGEST_FOLDER = 24
SIDE_SHARE = 0.57
"""Share of a wide terminal that the list gets; the preview has the rest."""
LEAST_LIST, LEAST_PREVIEW = 80, 30
"""Cells that both have where they are beside one another: no column of a narrow terminal's list gives way to curves."""


@dataclass(frozen=True, slots=True)
class BrowserLayout:
    """Cells of the list, the chart and the facts; where the chart or the facts have none they are not shown.

    beside: the preview is right of the list, else below it.
    """

    beside: bool
    list_width: int
    list_height: int
    chart_height: int
    facts_height: int
    preview_width: int

    @property
    def gap(self) -> int:
        """Blank cells between the list and a preview beside it."""
        return GAP if self.beside else 0


def arrange_browser(width: int, height: int) -> BrowserLayout:
    """Divide a terminal of width × height, of which the first line is a header and the last one hints."""
    body = max(height - 2, 1)
    if width >= LEAST_LIST + GAP + LEAST_PREVIEW and body >= 12:
        left = max(int(width * SIDE_SHARE), LEAST_LIST)
        facts = min(max(body // 3, 6), 14)
        return BrowserLayout(True, left, body, body - facts, facts, width - left - GAP)
    if body >= 18:
        preview = body // 2
        facts = 4 if preview >= 11 else 3
        return BrowserLayout(False, width, body - preview, preview - facts, facts, width)
    facts = 3 if body >= 12 else 0
    return BrowserLayout(False, width, body - facts, 0, facts, width)


def header_row(
    shelf: Shelf, folder: str, width: int, markers: Markers, *, complete: bool = True, typing: bool = False
) -> Row:
    """How many runs, which of them are shown, in what order; a filter that is being typed is seen elsewhere."""
    count = f"{len(shelf.shown):,} of {len(shelf):,} runs" if shelf.filter else f"{len(shelf):,} runs"
    folder = folder if len(folder) <= LONGEST_FOLDER else f"…{folder[1 - LONGEST_FOLDER :]}"
    spans = [Span(" grokterm ", "quiet"), Span(folder, "strong"), Span(f"  {count}", "")]
    spans += [] if complete else [Span(" …", "quiet")]
    spans += [Span("  filter ", "quiet"), Span(shelf.filter, "pending")] if shelf.filter and not typing else []
    spans += [Span(f"  ({problem})", "quiet") for problem in shelf.understood.problems]
    spans += [Span(f"  {len(shelf.marked)} marked", "pending")] if shelf.marked else []
    spans += [Span(f"  by {ORDERS[shelf.order].title}", "quiet")]
    return _shown(row_of(spans, width), markers)


def list_rows(
    shelf: Shelf, top: int, width: int, height: int, markers: Markers, *, complete: bool
) -> tuple[tuple[Row, ...], int]:
    """Titles and the runs from `top` on, in `height` rows, and the line of the cursor (-1 where there is none)."""
    if width < 1 or height < 1:
        return (), -1
    has_titles = height >= 4
    columns = _columns(shelf, width - len(MARK))
    rows = [_titles(columns, width)] if has_titles else []
    for index, summary in enumerate(shelf.shown[top : top + height - len(rows)], top):
        rows.append(_run(columns, summary, width, here=index == shelf.index, marked=summary.path in shelf.marked))
    if not shelf.shown:
        said = "reading …" if not complete else "no run fits the filter; esc clears it" if shelf.filter else "no runs"
        rows.append(row_of([Span(f"  {said}", "quiet")], width))
    rows += [row_of((), width)] * (height - len(rows))
    line = shelf.index - top + has_titles if shelf.shown else -1
    return tuple(_shown(row, markers) for row in rows[:height]), line


def runs_shown(height: int) -> int:
    """How many runs a list of so many rows shows beside its titles."""
    return max(height - (height >= 4), 1)


def scrolled(top: int, index: int, lines: int, count: int) -> int:
    """The first run shown, moved as little as the cursor needs to be in sight, with no empty lines at the end."""
    top = min(max(top, index - lines + 1), index)
    return max(min(top, count - lines), 0)


Placed = Sequence[tuple[Column, int]]


def _columns(shelf: Shelf, room: int) -> Placed:
    """The columns that fit, with their widths; only the name's depends on the runs, so that nothing jumps."""
    name = max((len(summary.name) for summary in shelf.shown), default=LEAST_NAME)
    widths = [min(max(name, LEAST_NAME), max(room, 1)), *(column.width for column in COLUMNS[1:])]
    sorted_by = ORDERS[shelf.order].title if shelf.order else ""  # names begin with the date as it is
    return [(COLUMNS[index], widths[index]) for index in fitting(COLUMNS, widths, room, sorted_by)]


def _titles(columns: Placed, width: int) -> Row:
    cells = (_cell(column.title, size, right=column.right) for column, size in columns)
    return row_of([Span(" " * len(MARK) + (" " * GAP).join(cells), "quiet")], width)


def _run(columns: Placed, summary: Summary, width: int, *, here: bool, marked: bool) -> Row:
    spans = [Span(MARK if marked else " " * len(MARK), "" if here else "pending")]
    for number, (column, size) in enumerate(columns):
        style = STATES.get(summary.state, ("", "problem", ""))[1] if column.title == "state" else ""
        spans.append(Span(" " * GAP if number else "", ""))
        spans.append(Span(_cell(column.text(summary), size, right=column.right), "" if here else style))
    row = row_of(spans, width)
    return (Span("".join(span.text for span in row), ""),) if here else row


def _cell(text: str, width: int, *, right: bool) -> str:
    text = one_cell_each(text)
    text = text if len(text) <= width else f"{text[: max(width - 1, 0)]}…"[:width]
    return text.rjust(width) if right else text.ljust(width)


def _shown(row: Row, markers: Markers) -> Row:
    if markers != "ascii":
        return row
    return tuple(Span(one_cell_each(span.text.replace("…", "~"), ascii_only=True), span.style) for span in row)
