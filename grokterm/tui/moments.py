"""The moments of a run that one may want to jump to: interventions, snapshots, notes, forks, phase changes. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from grokterm.ancestry import ancestors, forked_at
from grokterm.history import History
from grokterm.run.events import Event
from grokterm.run.lineage import Parent
from grokterm.tui.panels.log import describe, mark_text

_KINDS = ("edit", "snapshot", "note", "fork")


@dataclass(frozen=True, slots=True)
class Moment:
    """A step and what happened there, in a few words."""

    step: int
    text: str


def moments(history: History) -> list[Moment]:
    """Every such step once, in order: of a fork also what people did in the runs before it, and where it begins.

    A phase stands where it began, which is before it was recognized.
    """
    texts: dict[int, list[str]] = {}
    child: Parent | None = None
    for run in (history, *reversed(ancestors(history))):
        for event in run.events:
            if _is_worth_a_jump(event) and (child is None or event.step < child.step):
                kind, text, _ = describe(event)
                texts.setdefault(event.step, []).append(f"{kind} {text}".rstrip())
        child = forked_at(run)
        if child is not None:
            texts.setdefault(child.at, []).insert(0, f"begins as a fork of {child.run}")
    for event in history.events:  # a fork has the phases before it too
        match event.kind, event.data:
            case "phase", {"phase": str(phase), "at": int(at)}:
                texts.setdefault(at, []).append(f"{phase} begins{_recognized(event.step, at)}")
            case "phase", {"mark": str(mark), "at": int(at)}:
                texts.setdefault(at, []).append(f"{mark_text(mark)} for good{_recognized(event.step, at)}")
    return [Moment(step, "; ".join(said)) for step, said in sorted(texts.items())]


def _is_worth_a_jump(event: Event) -> bool:
    return event.kind in _KINDS or (event.kind == "error" and event.data.get("diverged") is True)


def neighbour(found: Sequence[Moment], step: int, by: int) -> Moment | None:
    """The next moment after a step (by > 0), or the last one before it."""
    there = [moment for moment in found if (moment.step - step) * by > 0]
    return min(there, key=lambda moment: abs(moment.step - step), default=None)


def _recognized(step: int, at: int) -> str:
    return f", recognised at {step:,}" if step > at else ""
