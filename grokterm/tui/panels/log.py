"""Panel 7: what happened, newest last: phases, edits, snapshots, notes, forks, waits, refusals, errors."""

from collections.abc import Mapping
from datetime import datetime
from math import isfinite, nan
from textwrap import wrap

from grokterm.ancestry import ancestors, forked_at
from grokterm.catalog import part
from grokterm.drawing.cells import Row, Span, one_cell_each, row_of
from grokterm.drawing.ticks import format_setting
from grokterm.history import History
from grokterm.run.events import Event
from grokterm.run.finding import without_date
from grokterm.run.story import RESUMED
from grokterm.tui.looks import Looks
from grokterm.tui.panel import Picture, short_knob

WHOLE_FROM = 6
"""Rows from which events are told in full, on several lines where they are long."""
_BY_PEOPLE = ("edit", "snapshot", "note")
NARROWEST = 20
"""Cells that a text needs to be worth breaking into lines."""


@part
class Log:
    """One line an event: step, time of day, what, and its particulars."""

    digit = 7
    name = "Log"

    def reads(self) -> frozenset[str]:
        """Only events."""
        return frozenset({"events"})

    def has_something(self, history: History) -> bool:  # noqa: ARG002 - a panel's signature
        """There is always something to tell."""
        return True

    def draw(self, history: History, looks: Looks, width: int, height: int) -> Picture:
        """The newest events that fit, up to the cursor."""
        told = [each for each in _told(history) if looks.cursor is None or each[0].step <= looks.cursor]
        ascii_only, whole = looks.markers == "ascii", height >= WHOLE_FROM
        lines = [
            _lines(event, width, ascii_only=ascii_only, whole=whole, faint=faint) for event, faint in told[-height:]
        ]
        rows = [row for each in lines for row in each][-height:]
        return Picture(self.name, (*rows, *(row_of((), width) for _ in range(height - len(rows)))))


def _told(history: History) -> list[tuple[Event, bool]]:
    """What is worth a line, and whether it is faint: what people did in the runs that a fork was made from.

    Where the fork's own part begins, a line takes the place of what its first trainer said.
    """
    own = [
        event
        for event, before in zip(history.events, [None, *history.events], strict=False)
        if not _repeats(event, before)
    ]
    parent = forked_at(history)
    if parent is None:
        return [(event, False) for event in own]
    begins = next((index for index, event in enumerate(own) if event.kind == "state"), len(own))
    before = [(event, False) for event in own[:begins]]  # its phases, copied
    child = parent
    for run in reversed(ancestors(history)):
        before += [(event, True) for event in run.events if event.kind in _BY_PEOPLE and event.step < child.step]
        child = forked_at(run) or child
    before.sort(key=lambda each: each[0].step)
    started = (history.config or {}).get("started")
    time = float(started) if isinstance(started, int | float) else nan
    here = Event(parent.step, time, "fork", {"of": parent.run, "at": parent.at, "from_step": parent.step})
    says_no_more = begins < len(own) and own[begins].data.get("state") == RESUMED and not own[begins].data.get("why")
    return [*before, (here, False), *((event, False) for event in own[begins + says_no_more :])]


def _lines(event: Event, width: int, *, ascii_only: bool, whole: bool, faint: bool) -> list[Row]:
    """An event on as many lines as it needs, or, when not `whole`, as much of it as one line holds."""
    kind, text, style = describe(event)
    style = "quiet" if faint else style
    head = (
        Span(f"{event.step:>8,}  ", "quiet" if faint else "value"),
        *([Span(f"{_time_of_day(event.time)}  ", "quiet")] if width >= 100 else []),
        Span(f"{kind:<9}", style),
    )
    indent = sum(len(span.text) for span in head)
    said = one_cell_each(text, ascii_only=ascii_only)
    room = width - indent
    if whole and room >= NARROWEST:
        parts = wrap(said, room) or [""]
    else:
        ellipsis = "..." if ascii_only else "…"
        parts = [said if len(said) <= room else said[: max(room - len(ellipsis), 0)] + ellipsis]
    before = (head, *((Span(" " * indent, ""),) for _ in parts[1:]))
    written = style if style == "problem" or faint else "text"
    return [row_of((*start, Span(part, written)), width) for start, part in zip(before, parts, strict=True)]


def _repeats(event: Event, before: Event | None) -> bool:
    """Whether an event only says that a run which was stepped by hand is paused again."""
    if before is None or event.kind != "state" or before.kind != "state":
        return False
    return event.data.get("state") == before.data.get("state") == "paused"


def describe(event: Event) -> tuple[str, str, str]:
    """An event in words: its kind, its particulars, the style of the kind."""
    data = event.data
    match event.kind:
        case "edit":
            return "edit", f"{change_of(event)}{_how(data)}", "edit"
        case "snapshot":
            return "snapshot", str(data.get("note") or data.get("checkpoint", "")), "mark"
        case "note":
            return "note", str(data.get("text", "")), "mark"
        case "phase" if "mark" in data:
            at = number_text(data.get("at"))
            return "mark", f"{mark_text(str(data['mark']))} at {at} ({data.get('why', '')})", "phase"
        case "phase" if "phase" in data:
            at = number_text(data.get("at"))
            return "phase", f"{data.get('phase', '')} since {at} ({data.get('why', '')})", "phase"
        case "refused":
            return "refused", str(data.get("why", "")), "problem"
        case "error":
            return ("diverged" if data.get("diverged") is True else "error"), _error(data), "problem"
        case "waited":
            return "waited", f"stood still {_seconds(data.get('seconds'))}: {data.get('why', '')}", "problem"
        case "fork" if "of" in data:
            return "fork", f"of {without_date(str(data['of']))}{_branched(data)}", "mark"
        case "fork":
            return "fork", f"goes on as {without_date(str(data.get('run', '')))}{_branched(data)}", "mark"
        case "state":
            return "state", *_state(data)
        case other:
            return other[:9], "", "quiet"


def change_of(edit: Event) -> str:
    """What an edit changed: lr 0.001 → 0.002."""
    old, new = number_text(edit.data.get("old")), number_text(edit.data.get("new"))
    return f"{short_knob(str(edit.data.get('knob')))} {old} → {new}"


def _how(data: Mapping[str, object]) -> str:
    """What else there is to say of an edit: the moments, and what it was planned for."""
    moments = ", moments reset" if data.get("moments") == "reset" else ""
    why = str(data.get("why") or "") if "scheduled" in data else ""
    planned = ", as planned" if why.startswith("at ") else f", as planned: {why}" if why else ""
    return f"{moments}{planned}"


def _error(data: Mapping[str, object]) -> str:
    """What went wrong; of a divergence, what the kind beside it does not say yet."""
    message = str(data.get("message", ""))
    match data:
        case {"diverged": True, "good": int(good)} if good >= 0:
            return f"{message.partition(':')[0]}; the last good step is {good:,}"
    return message


def _branched(data: Mapping[str, object]) -> str:
    """Where a fork branches off, and the checkpoint from which the steps since are computed again, if there are any."""
    if "at" not in data:
        return ""
    at, begins = data["at"], data.get("from_step", data["at"])
    back = "" if begins == at else f" (checkpoint {number_text(begins)})"
    return f" from step {number_text(at)}{back}"


def _state(data: Mapping[str, object]) -> tuple[str, str]:
    """What a `state` event says, and its style."""
    device = f" on {data['device']}, {_threads(data.get('threads'))}" if "device" in data else ""
    match data.get("state", ""):
        case "resumed":
            anew = " from the beginning" if data.get("checkpoint") == "" else ""
            why = str(data.get("why", ""))
            return (f"resumed{anew}: {why}", "problem") if why else (f"resumed{anew}{device}", "quiet")
        case "detached":
            return "detached: another process trains on", "quiet"
        case state:
            return f"{state}{device}", "quiet"


def mark_text(mark: str) -> str:
    """A mark of a `phase` event in words, in the spelling of every other text."""
    return {"memorized_at": "memorised", "grokked_at": "grokked"}.get(mark, mark.removesuffix("_at"))


def number_text(value: object) -> str:
    """A number of an event as a person writes it; whatever else stands there, as it is."""
    return format_setting(value) if isinstance(value, int | float) else str(value)


def _time_of_day(unix_time: float) -> str:
    try:
        return datetime.fromtimestamp(unix_time).strftime("%H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return "--:--:--"


def _seconds(seconds: object) -> str:
    """A wait in words: 0.4 s, 12 s, 75 min."""
    if not isinstance(seconds, int | float) or not isfinite(seconds):
        return "? s"
    if seconds >= 600:
        return f"{seconds / 60:,.0f} min"
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"


def _threads(count: object) -> str:
    return "1 thread" if count == 1 else f"{count} threads"
