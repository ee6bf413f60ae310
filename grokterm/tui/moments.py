"""The moments of a run that somebody may want to jump to: interventions, snapshots, notes, phase changes. Pure."""

from dataclasses import dataclass

from grokterm.history import History
from grokterm.tui.panels.log import describe

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
    for phase in history.phases:
        texts.setdefault(phase.at, []).append(f"{phase.phase} begins")
    for mark, at in history.marks.items():
        texts.setdefault(at, []).append(f"{mark.removesuffix('_at')} for good")
    return [Moment(step, "; ".join(said)) for step, said in sorted(texts.items())]
