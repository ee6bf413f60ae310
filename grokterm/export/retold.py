"""What people and the schedule did to a run since step 0, as interventions that do it again. Reads runs alone.

A fork goes on from a checkpoint of its parent, so what was done in the parent before that step comes first.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, TypeGuard

from grokterm.errors import RunError
from grokterm.run.branches import Told
from grokterm.run.configuration import is_imported
from grokterm.run.directory import RunDirectory
from grokterm.run.events import Event
from grokterm.run.lineage import parent_of
from grokterm.run.story import Story


@dataclass(frozen=True)
class Act:
    """Something that was done at a step: knobs were turned, or with an empty `set` something was said.

    about: in words, who and why, or what was said. index: of the run's own `[[interventions]]` the one that did it.
    """

    step: int
    about: str
    set: Mapping[str, float] = field(default_factory=dict)
    moments: str = "kept"
    index: int | None = None


def line_of(run: RunDirectory) -> tuple[Told, ...]:
    """The runs that this one was forked from, the oldest first, and itself.

    Raises RunError when one is gone, cannot be read, or was imported.
    """
    line = [Told(run)]
    while True:
        told = line[0]
        if is_imported(told.config):
            raise RunError(f"{told.run.name} is an imported run: nothing says how it was trained")
        if "parent" not in told.config:
            return tuple(line)
        parent = parent_of(told.run, told.config)
        if parent is None:
            named = "" if told.parent is None else f" {told.parent.run}"
            gone = f"was forked at step {told.begins:,}, and its parent{named} is not beside it"
            raise RunError(f"{told.run.name} {gone}: what was done before that step is not known")
        if any(parent.name == below.run.name for below in line):
            raise RunError(f"{told.run.config_path}: parent.run leads back to {parent.name}, which was made from it")
        line.insert(0, Told(parent))


def events_of(line: Sequence[Told]) -> Iterator[tuple[Told, Sequence[Event]]]:
    """Each run of a line with those of its events in force that the next run starts with; all of the last one's."""
    for place, told in enumerate(line):
        story = Story()
        for event in told.events:
            story.add(event)
        below = line[place + 1 :]
        yield told, [event for event in story.events if all(event.step < each.begins for each in below)]


def acts_of(line: Sequence[Told]) -> list[Act]:
    """Everything that was done along the line, in its order. Raises RunError for an edit without knob or number."""
    return [act for told, events in events_of(line) for act in _acts(events, told, is_last=told is line[-1])]


def _acts(events: Iterable[Event], told: Told, *, is_last: bool) -> Iterator[Act]:
    """What the events of one run say; the edits of one planned intervention together."""
    where = "" if is_last else f" in {told.run.name}"
    spoken = (event for event in events if event.kind in ("edit", "note", "snapshot"))
    for _, together in groupby(spoken, key=_belongs_to):
        group = [*together]
        first = group[0]
        match first.kind, first.data:
            case "edit", {"scheduled": int(index), "why": ""}:  # asked of the fork that did it
                yield _turned(group, told, f"by hand{where}", index if is_last else None)
            case "edit", {"scheduled": int(index)}:
                why = first.data.get("why")
                about = f"planned{where}, {why}" if why else f"planned{where}"
                yield _turned(group, told, about, index if is_last else None)
            case "edit", _:
                yield _turned(group, told, f"by hand{where}", None)
            case "note", {"text": str(text)}:
                yield Act(first.step, f"note{where}: {text}")
            case "snapshot", {"note": str(text)} if text:
                yield Act(first.step, f"snapshot{where}: {text}")


def _belongs_to(event: Event) -> object:
    """Equal for edits of one planned intervention, which follow each other; for everything else its own."""
    index = event.data.get("scheduled")
    return index if event.kind == "edit" and isinstance(index, int) else id(event)


def _turned(edits: Iterable[Event], told: Told, about: str, index: int | None) -> Act:
    """The edits as one act: old and new values in words too."""
    values: dict[str, float] = {}
    changes: list[str] = []
    step, moments = 0, "kept"
    for edit in edits:
        data: Mapping[str, Any] = edit.data
        knob, new = data.get("knob"), data.get("new")
        if not (isinstance(knob, str) and knob.isprintable()) or not _is_number(new):
            raise RunError(f"{told.run.events_path}: the edit at step {edit.step:,} says no knob or no number")
        values[knob] = new
        changes.append(f"{knob} {data.get('old')} → {new}")
        step, moments = edit.step, "reset" if data.get("moments") == "reset" else "kept"
    return Act(step, f"{about}: {', '.join(changes)}", values, moments, index)


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
