"""The moments of a run that somebody may want to jump to: interventions, snapshots, notes, phase changes. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from grokterm.history import History
from grokterm.tui.panels.log import describe, mark_text

_KINDS = ("edit", "snapshot", "note")


@dataclass(frozen=True, slots=True)
class Moment:
    """A step and what happened there, in a few words."""

    step: int
    text: str


def moments(history: History) -> list[Moment]:
    """Every such step once, in order. A phase stands where it began, which is before it was recognized."""
    texts: dict[int, list[str]] = {}
    for event in history.events:
        if event.kind in _KINDS:
            kind, text, _ = describe(event)
            texts.setdefault(event.step, []).append(f"{kind} {text}".rstrip())
    for event in history.events:
        match event.kind, event.data:
            case "phase", {"phase": str(phase), "at": int(at)}:
                texts.setdefault(at, []).append(f"{phase} begins{_recognized(event.step, at)}")
            case "phase", {"mark": str(mark), "at": int(at)}:
                texts.setdefault(at, []).append(f"{mark_text(mark)} for good{_recognized(event.step, at)}")
    return [Moment(step, "; ".join(said)) for step, said in sorted(texts.items())]


def neighbour(found: Sequence[Moment], step: int, by: int) -> Moment | None:
    """The next moment after a step (by > 0), or the last one before it."""
    there = [moment for moment in found if (moment.step - step) * by > 0]
    return min(there, key=lambda moment: abs(moment.step - step), default=None)


def _recognized(step: int, at: int) -> str:
    return f", recognised at {step:,}" if step > at else ""
