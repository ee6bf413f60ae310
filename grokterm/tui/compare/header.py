"""The lines above the panels of a comparison: how the runs are compared, how they are, which is which. Pure."""

from collections import Counter

from grokterm.drawing.cells import Row, Span, one_cell_each, row_of
from grokterm.drawing.legend import Entry, legend
from grokterm.run.outcome import ENDED
from grokterm.tui.compare.comparison import Comparison
from grokterm.tui.compare.overlay import Terms, fit, place_text, short
from grokterm.tui.looks import Looks

NARROW = 40
"""Columns below which the program's name gives way."""
NAME_LENGTHS = (30, 24, 20, 16, 12, 0)
"""Cells of a run's name: the most with which all fit."""
POINTED_OUT = 24
"""Cells of the name of the run that is pointed out, where the others have none."""
STATE_STYLES = {"training": "good", "paused": "pending", "gone": "problem", "unreadable": "problem"}


def header(comparison: Comparison, terms: Terms, looks: Looks, width: int) -> tuple[Row, Row]:
    """Two rows of `width` cells."""
    spans = [Span(" compare " if width >= NARROW else " ", "quiet")]
    for index, span in enumerate(_facts(comparison)):
        spans += [*([Span(" · ", "quiet")] if index else []), span]
    room = width - sum(len(span.text) for span in spans) - 1
    x = comparison.last if looks.cursor is None else looks.cursor
    place = place_text(x, since=comparison.since_memorised)
    ends = (f"newest {place}" if looks.cursor is None else place, place, f"{x:,}", "")
    end = next(text for text in ends if len(text) + 2 <= room or not text)
    spans.append(Span(f"{end:>{max(room, 0)}}", ""))
    ascii_only = looks.markers == "ascii"
    first = row_of([Span(one_cell_each(span.text, ascii_only=ascii_only), span.style) for span in spans], width)
    return first, _who_is_who(comparison, terms, looks, width)


def _facts(comparison: Comparison) -> list[Span]:
    """How many runs, what is not as it should be, how they are compared."""
    states = Counter(run.state for run in comparison.runs if run.state not in ENDED)
    facts = [Span(f"{len(comparison.runs)} runs", "strong")]
    facts += [Span(f"{count} {state}", STATE_STYLES.get(state, "quiet")) for state, count in states.items()]
    facts += [Span("x since memorised", "")] if comparison.since_memorised else []
    for reason, runs in comparison.why_left_out().items():
        left = " ".join(comparison.looks[index].label for index in runs)
        facts.append(Span(f"{reason}, left out: {left}", "pending"))
    if comparison.bundled:
        bundled = [track for track in comparison.tracks if len(track.members) > 1]
        facts += [Span(f"{len(bundled)} bundle{'' if len(bundled) == 1 else 's'}", "")] if bundled else []
    return facts


def _who_is_who(comparison: Comparison, terms: Terms, looks: Looks, width: int) -> Row:
    """Every track's look, label and name, the names as long as all of them fit."""
    pointed = terms.pointed_out(comparison)
    ascii_only = looks.markers == "ascii"
    entries: list[Entry] = []
    for most in NAME_LENGTHS:
        entries = []
        for track in comparison.tracks:
            label = "" if ascii_only and len(track.members) == 1 else track.label  # the marker says it
            style = track.look.style if pointed in ((), track.members) else f"{track.look.style}.faint"
            room = POINTED_OUT if pointed == track.members and not most else most
            name = f"{label} {short(track.name, room)}".strip()
            entries.append(Entry(name, style, track.look.pattern, "", track.look.label))
        if fit(entries, width - 2, 1):
            break
    made = legend(entries, max(width - 2, 0), 1, markers=looks.markers)
    return row_of([Span(" ", ""), *(made[0] if made else ())], width)
