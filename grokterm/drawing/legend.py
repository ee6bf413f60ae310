"""The legend of a chart: a glyph in the line's pattern, its name and its latest value, as many as fit."""

from collections.abc import Sequence
from dataclasses import dataclass

from grokterm.drawing.cells import Markers, Pattern, Row, Span, one_cell_each, row_of

GLYPHS: dict[Pattern, str] = {"solid": "━", "long": "╾", "dash": "╍", "dot": "┄", "thick": "═"}
APART = "  "


@dataclass(frozen=True, slots=True)
class Entry:
    """What a legend says about one line."""

    label: str
    style: str
    pattern: Pattern = "solid"
    value: str = ""
    ascii_marker: str = "*"


def legend(entries: Sequence[Entry], width: int, max_rows: int, *, markers: Markers = "braille") -> tuple[Row, ...]:
    """At most `max_rows` rows of `width` cells; entries that do not fit are counted at the end: "+3"."""
    if width < 1 or max_rows < 1:
        return ()
    written = [_spans(entry, markers) for entry in entries]
    for shown in range(len(written), -1, -1):
        left = len(written) - shown
        blocks = written[:shown] + ([(Span(f"+{left}", "quiet"),)] if left else [])
        lines = _broken_into_lines(blocks, width)
        if len(lines) <= max_rows and (not shown or all(_length(line) <= width for line in lines)):
            return tuple(row_of(line, width) for line in lines)
    return ()


def _spans(entry: Entry, markers: Markers) -> tuple[Span, ...]:
    ascii_only = markers == "ascii"
    glyph = (entry.ascii_marker[:1] or "*") if ascii_only else GLYPHS[entry.pattern]
    name = Span(f"{glyph} {one_cell_each(entry.label, ascii_only=ascii_only)}", entry.style)
    return (name, Span(" " + one_cell_each(entry.value, ascii_only=ascii_only), "value")) if entry.value else (name,)


def _length(spans: Sequence[Span]) -> int:
    return sum(len(span.text) for span in spans)


def _broken_into_lines(blocks: Sequence[tuple[Span, ...]], width: int) -> list[list[Span]]:
    """Blocks one after the other, a new line where the next would not fit."""
    lines: list[list[Span]] = []
    for block in blocks:
        if lines and _length(lines[-1]) + len(APART) + _length(block) <= width:
            lines[-1] += [Span(APART, ""), *block]
        else:
            lines.append(list(block))
    return lines
