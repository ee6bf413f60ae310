"""The whole screen as rows of cells, without a terminal: what a recording of a replay shows. Pure.

It is the picture that the replay screen paints at the same step and size, its last line, the key hints, left empty.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise, repeat

from grokterm.drawing.cells import Markers, Row, Span, one_cell_each, row_of
from grokterm.history import History
from grokterm.tui import status
from grokterm.tui.layout import ORDER, Layout, arrange
from grokterm.tui.looks import Looks
from grokterm.tui.panel import Panel
from grokterm.tui.panels.log import Log

FRAME, CHOSEN_FRAME = "frame", "frame.chosen"
"""Styles of the lines around a panel, and around the one that is picked."""
_ROUND, _ASCII = ("╭", "─", "╮", "│", "╰", "╯"), ("+", "-", "+", "|", "+", "+")


def whole_screen(
    history: History,
    panels: Mapping[int, Panel],
    looks: Looks,
    width: int,
    height: int,
    *,
    transport: str,
    chosen: int = 1,
) -> tuple[Row, ...]:
    """Draw header, panels and log in exactly width × height cells; `transport` says how the replay moves."""
    filled = [digit for digit, panel in panels.items() if panel.has_something(history)]
    layout = arrange(width, height, chosen, zoomed=False, log_digit=Log.digit, filled=filled or ORDER)
    preset = str((history.config or {}).get("preset", ""))
    rows: list[Row] = []
    if layout.header:
        name, markers = history.run.name, looks.markers
        rows += status.header(history, name, preset, width, layout.header, markers, transport)
    heights = _shares(height - layout.header - layout.log - layout.footer, len(layout.grid))
    for digits, tall in zip(layout.grid, heights, strict=True):
        rows += _panel_row(history, panels, looks, digits, width, tall, layout, chosen)
    if layout.log:
        rows += panels[Log.digit].draw(history, Looks(markers=looks.markers), width, layout.log).rows
    return tuple(rows) + (row_of((), width),) * (height - len(rows))


def framed(
    title: str, rows: Sequence[Row], width: int, height: int, *, markers: Markers = "braille", picked: bool = False
) -> tuple[Row, ...]:
    """Rows with a frame around them and the title in its upper line: width × height cells, 2 × 2 at least."""
    top_left, across, top_right, side, bottom_left, bottom_right = _ASCII if markers == "ascii" else _ROUND
    style = CHOSEN_FRAME if picked else FRAME
    inside = width - 2
    label = one_cell_each(title, ascii_only=markers == "ascii")
    if len(label) > inside - 4:
        label = f"{label[: max(inside - 5, 0)]}…"
    label = f" {label} " if label and inside > 4 else ""
    top = (
        Span(top_left + across[:inside], style),
        Span(label, ""),
        Span(across * (inside - len(label) - 1) + top_right, style),
    )
    edge = Span(side, style)
    blank = row_of((), inside)
    filled = [*rows[: height - 2], *repeat(blank, height - 2 - len(rows))]
    bottom = Span(bottom_left + across * inside + bottom_right, style)
    return (tuple(span for span in top if span.text), *((edge, *row, edge) for row in filled), (bottom,))


def _panel_row(
    history: History,
    panels: Mapping[int, Panel],
    looks: Looks,
    digits: Sequence[int],
    width: int,
    height: int,
    layout: Layout,
    chosen: int,
) -> list[Row]:
    """Panels beside each other, joined row by row."""
    edge = 2 if layout.framed else 0
    beside: list[Sequence[Row]] = []
    for digit, wide in zip(digits, _shares(width, len(digits)), strict=True):
        room = (wide - edge, height - edge)
        picture = panels[digit].draw(history, looks, *room) if digit in panels and min(room) > 0 else None
        rows = picture.rows if picture else ()
        if layout.framed:
            title = f"{digit} {picture.title}" if picture else ""
            picked = digit == chosen and layout.grid != ((digit,),)
            rows = framed(title, rows, wide, height, markers=looks.markers, picked=picked)
        beside.append([*rows, *repeat(row_of((), wide), height - len(rows))])
    return [tuple(span for row in across for span in row) for across in zip(*beside, strict=True)]


def _shares(total: int, parts: int) -> list[int]:
    """Whole cells for equal parts, as Textual deals them out."""
    ends = [total * part // parts for part in range(parts + 1)]
    return [end - start for start, end in pairwise(ends)]
