"""The panels of a comparison: curves over one another, spectra below one another, a table. Pure."""

from grokterm.drawing.cells import Row, row_of
from grokterm.drawing.strips import Strip, draw_strips
from grokterm.tui.compare import results
from grokterm.tui.compare.choices import OVERLAYS, RESULTS, SPECTRA, TABLE, Choice, choices
from grokterm.tui.compare.comparison import Comparison
from grokterm.tui.compare.overlay import Terms, draw_overlay, place_text
from grokterm.tui.looks import Looks
from grokterm.tui.panel import Picture


def offered(comparison: Comparison, digit: int) -> tuple[Choice, ...]:
    """What a panel can show."""
    return choices(digit, comparison.runs, len(comparison.tracks))


def draw_panel(
    comparison: Comparison, digit: int, terms: Terms, looks: Looks, width: int, height: int
) -> Picture | None:
    """A panel in exactly width × height cells; None where there is no panel with this digit."""
    panel = next((panel for panel in OVERLAYS if panel.digit == digit), None)
    if panel is None:
        return None
    choice = terms.choice(digit, offered(comparison, digit))
    if choice is None:
        return Picture(f"{panel.name} · none of the runs has recorded any", (row_of((), width),) * height)
    if digit == TABLE:
        return _table(comparison, choice, terms, looks, width, height)
    if digit == SPECTRA:
        return _spectra(comparison, choice, looks, width, height)
    return draw_overlay(comparison, panel, choice, terms, looks, width, height)


def _table(comparison: Comparison, choice: Choice, terms: Terms, looks: Looks, width: int, height: int) -> Picture:
    """Results, and what every panel shows as numbers; the chosen one first, the other where there is room for it."""
    shown = [terms.choice(panel.digit, offered(comparison, panel.digit)) for panel in OVERLAYS]
    names = dict.fromkeys(name for each in shown if each for name in each.series if comparison.has(name))
    x, results_first = looks.cursor, choice.name == RESULTS
    read = results.in_blocks(results.reading_columns(tuple(names)), comparison, x, width)
    blocks = [list(results.RESULTS), *read] if results_first else [*read, list(results.RESULTS)]
    rows: list[Row] = []
    left = 0
    for columns in blocks:
        pointed = terms.pointed_out(comparison)
        made = results.table_rows(comparison, columns, x, width, looks.markers, pointed)
        if rows and (left or len(rows) + 1 + len(made) > height):
            left += 1
            continue
        rows += [*([row_of((), width)] if rows else []), *made]
    hidden = max(len(rows) - height, 0)
    rows = rows[:height] + [row_of((), width)] * (height - len(rows))
    notes = ["newest" if x is None else f"at {place_text(x, since=comparison.since_memorised)}"]
    notes += [f"{hidden} more runs where there is room (z)"] if hidden else []
    notes += ["more with v"] if left else []
    return Picture(" · ".join(["Table", choice.name, *notes]), tuple(rows))


def _spectra(comparison: Comparison, choice: Choice, looks: Looks, width: int, height: int) -> Picture:
    """A strip for every run at the cursor; key frequencies are those at the cursor too."""
    (name,) = choice.series
    strips = []
    for track in comparison.tracks:
        for index in track.members:
            step = comparison.step_of(index, looks.cursor)
            run, look = comparison.runs[index], comparison.looks[index]
            strips.append(Strip(look.label, look.style, run.spectrum(name, step), run.keys(step)))
    drawing = draw_strips(strips, width, height, looks.markers)
    at = [] if looks.cursor is None else [f"at {looks.cursor:,}"]
    return Picture(" · ".join([choice.name, *at, *drawing.notes]), drawing.rows)
