"""Panel 7: what happened, newest last: phases, edits, snapshots, notes, forks, waits, refusals, errors."""

from collections.abc import Mapping
from datetime import datetime
from math import isfinite
from textwrap import wrap

from grokterm.catalog import part
from grokterm.drawing.cells import Row, Span, one_cell_each, row_of
from grokterm.drawing.ticks import format_value
from grokterm.history import History
from grokterm.run.events import Event
from grokterm.tui.looks import Looks
from grokterm.tui.panel import Picture, short_knob

WHOLE_FROM = 6
"""Rows from which events are told in full, on several lines where they are long."""
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
        told = [
            event
            for event, before in zip(history.events, [None, *history.events], strict=False)
            if (looks.cursor is None or event.step <= looks.cursor) and not _repeats(event, before)
        ]
        ascii_only = looks.markers == "ascii"
        lines = [_lines(event, width, ascii_only=ascii_only, whole=height >= WHOLE_FROM) for event in told[-height:]]
        rows = [row for each in lines for row in each][-height:]
        return Picture(self.name, (*rows, *(row_of((), width) for _ in range(height - len(rows)))))


def _lines(event: Event, width: int, *, ascii_only: bool, whole: bool) -> list[Row]:
    """An event on as many lines as it needs, or, when not `whole`, as much of it as one line holds."""
    kind, text, style = describe(event)
    head = (
        Span(f"{event.step:>8,}  ", "value"),
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
    written = "problem" if style == "problem" else "text"
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
            return "edit", _edit(data), "edit"
        case "snapshot":
            return "snapshot", str(data.get("note") or data.get("checkpoint", "")), "mark"
        case "note":
            return "note", str(data.get("text", "")), "mark"
        case "phase" if "mark" in data:
            at = number_text(data.get("at"))
            return "mark", f"{mark_text(str(data['mark']))} for good at {at} ({data.get('why', '')})", "phase"
        case "phase" if "phase" in data:
            at = number_text(data.get("at"))
            return "phase", f"{data.get('phase', '')} since {at} ({data.get('why', '')})", "phase"
        case "refused":
            return "refused", str(data.get("why", "")), "problem"
        case "error":
            kind = "diverged" if data.get("diverged") is True else "error"
            return kind, str(data.get("message", "")), "problem"
        case "waited":
            return "waited", f"stood still {_seconds(data.get('seconds'))}: {data.get('why', '')}", "problem"
        case "fork":
            at = f" from step {number_text(data['at'])}" if "at" in data else ""
            return "fork", f"goes on as {data.get('run', '')}{at}", "mark"
        case "state":
            return "state", *_state(event)
        case other:
            return other[:9], "", "quiet"


def _edit(data: Mapping[str, object]) -> str:
    old, new = number_text(data.get("old")), number_text(data.get("new"))
    moments = ", moments reset" if data.get("moments") == "reset" else ""
    scheduled = f", scheduled: {data.get('why', '')}" if "scheduled" in data else ""
    return f"{short_knob(str(data.get('knob')))} {old} → {new}{moments}{scheduled}"


def _state(event: Event) -> tuple[str, str]:
    """What a `state` event says, and its style."""
    data = event.data
    device = f" on {data['device']}, {_threads(data.get('threads'))}" if "device" in data else ""
    match data.get("state", ""):
        case "resumed":
            anew = ", from its beginning" if data.get("checkpoint") == "" else ""
            why = str(data.get("why", ""))
            said = f"resumed at step {event.step:,}{device}{anew}"
            return (f"{said}: {why}", "problem") if why else (said, "quiet")
        case "detached":
            return f"detached{device}: another process goes on", "quiet"
        case state:
            return f"{state}{device}", "quiet"


def mark_text(mark: str) -> str:
    """A mark of a `phase` event in words, in the spelling of every other text."""
    return {"memorized_at": "memorised", "grokked_at": "grokked"}.get(mark, mark.removesuffix("_at"))


def number_text(value: object) -> str:
    """A number of an event as a person writes it; whatever else stands there, as it is."""
    if isinstance(value, int):
        return f"{value:,}"
    return format_value(value) if isinstance(value, float) else str(value)


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
