"""The lines above the microscope's pictures: which checkpoint of which run, and what is known of it. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from grokterm.drawing.cells import ASCII_SIGNS, Markers, Row, Span, one_cell_each, row_of
from grokterm.drawing.ticks import format_value
from grokterm.run.finding import without_date
from grokterm.tui.microscope.about import About
from grokterm.tui.microscope.lens import Lens
from grokterm.tui.microscope.workshop import Opened
from grokterm.tui.status import longest_that_fits

KINDS = {"full": "full", "weights": "weights alone"}
APART = "   "


@dataclass(frozen=True, slots=True)
class Stand:
    """Which checkpoint is looked at. number, count: it is the number-th of so many. run: the run's name.

    opened: what it is, as far as that is known. about: what was found out of it, or, with is_late, of another one that
    stays in sight for the moment, that of step about_step. standing: how the run stands that goes on meanwhile, ""
    where none does; at: its step.
    """

    run: str
    step: int | None
    number: int
    count: int
    follows: bool
    opened: Opened | None
    about: About | None
    is_late: bool
    standing: str = ""
    at: int = 0
    about_step: int | None = None


def header(stand: Stand, width: int, height: int, markers: Markers) -> tuple[Row, ...]:
    """The checkpoint; below it (where height is 2) its key frequencies, losses and accuracies."""
    rows = (_place_row(stand, width), _facts_row(stand, width))
    return tuple(_translated(row, markers) for row in rows[:height])


def strip(lenses: Sequence[Lens], chosen: str, shown: Collection[str], width: int, markers: Markers) -> Row:
    """Every picture's key; the picked one's name, those of the others in sight, and more names as far as they fit."""
    room = width - 1 - sum(len(lens.key) + 2 for lens in lenses)
    named = set()
    for lens in sorted(lenses, key=lambda lens: (lens.key != chosen, lens.key not in shown)):
        room -= len(lens.name) + 1
        if room < 0:
            break
        named.add(lens.key)
    spans = [Span(" ", "")]
    for lens in lenses:
        style = "key" if lens.key == chosen else "" if lens.key in shown else "quiet"
        text = f"{lens.key} {lens.name}" if lens.key in named else lens.key
        spans += [Span(one_cell_each(text), style), Span("  ", "")]
    return _translated(row_of(spans, width), markers)


def _place_row(stand: Stand, width: int) -> Row:
    name = one_cell_each(without_date(stand.run))
    if stand.step is None:
        return row_of([Span(" microscope ", "quiet"), Span(name, "strong")], width)
    step = f"step {stand.step:,}"
    of = f"checkpoint {stand.number:,} of {stand.count:,}"
    kind = KINDS.get(str(stand.opened.kind), "") if stand.opened is not None else ""
    following = "following" if stand.follows else ""
    training = f"{stand.standing} at step {stand.at:,}" if stand.standing else ""
    short = f"{stand.standing} {stand.at:,}" if stand.standing else ""
    few, fewest = f"{stand.number:,} of {stand.count:,}", f"{stand.number}/{stand.count}"
    ways = [
        ["microscope ", name, step, of, kind, following, training],
        ["", name, step, of, kind, following, training],
        ["", name, step, of, kind, following, short],
        ["", name, step, of, following, short],
        ["", name, step, few, following, short],
        ["", name, step, few, short],
        *([["", "", step, few, short]] if short else []),
        ["", name, step, few],
        ["", "", step, fewest],
        ["", "", f"{step} {fewest}"],
        ["", "", step],
        ["", "", f"{stand.step:,}"],
        ["", "", ""],
    ]
    texts = [f" {program}" + APART.join(part for part in parts if part) for program, *parts in ways]
    way = ways[texts.index(longest_that_fits(texts, width))]
    program, name, step, *rest = way
    spans = [Span(f" {program}", "quiet"), Span(name, "strong"), Span(f"{APART if name else ''}{step}", "strong")]
    for text in filter(None, rest):
        spans += [Span(APART, ""), Span(text, "good" if text == following else "quiet")]
    return row_of(spans, width)


def _facts_row(stand: Stand, width: int) -> Row:
    if stand.opened is not None and stand.opened.trouble:
        return row_of([Span(" this checkpoint cannot be looked at", "problem")], width)
    if stand.about is None:
        return row_of([Span(" …" if stand.step is not None else "", "quiet")], width)
    losses = stand.about.losses
    keys = " ".join(map(str, stand.about.keys)) or "none"
    of_step = f"{stand.about_step:,}" if stand.is_late and stand.about_step not in (None, stand.step) else ""
    facts = [
        *([("of step", of_step, "")] if of_step else []),
        *([("key", keys, "bar.key")] if not stand.about.trouble else []),
        ("train", format_value(losses.train), ""),
        ("test", format_value(losses.test), ""),
        ("accuracy", f"{losses.train_accuracy:.1%} train, {losses.test_accuracy:.1%} test", ""),
    ]
    spans = [Span(" ", "")]
    left = width - 1
    for label, text, style in facts:
        needed = len(label) + len(text) + 1 + len(APART)
        if needed > left + len(APART):
            break
        spans += [Span(f"{label} ", "quiet"), Span(text, "quiet" if stand.is_late else style), Span(APART, "")]
        left -= needed
    return row_of(spans, width)


def _translated(row: Row, markers: Markers) -> Row:
    if markers != "ascii":
        return row
    return tuple(Span(span.text.translate(ASCII_SIGNS), span.style) for span in row)
