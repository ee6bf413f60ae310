"""Where a run that was trained before goes on: its last full checkpoint that can be read, and what came after it."""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grokterm.errors import RunError
from grokterm.run import checkpoint, hindsight
from grokterm.run.checkpoint import Checkpoint
from grokterm.run.directory import RunDirectory
from grokterm.run.events import Event, LineTail, event_from
from grokterm.run.lineage import Parent
from grokterm.run.story import Story, is_resumption
from grokterm.run.table import cut_after, last_row

DAMAGED = ".damaged"
"""Put behind the name of a checkpoint that cannot be read, so that it is never taken for one again."""
_MOVES = frozenset({"paused", "training", "resumed"})
"""The states that say whether training goes on; the others say that a trainer leaves."""


@dataclass(frozen=True)
class Start:
    """The place to go on from. `checkpoint` None: from nothing, because the run died before it had a full one.

    path: of the checkpoint inside the run. keeps: how many of the events told so far still hold. paused: whether it
    waits there. again: what people did after them, to be done once more. answered: ids of the requests that were
    answered. damaged: checkpoints that were passed over because they cannot be read.
    """

    checkpoint: Checkpoint | None
    path: str
    keeps: int
    paused: bool
    again: Sequence[Event]
    answered: frozenset[str]
    damaged: Sequence[Path]

    @property
    def step(self) -> int:
        """The step to go on from."""
        return 0 if self.checkpoint is None else self.checkpoint.step

    @property
    def schedule(self) -> Mapping[str, object] | None:
        """What the schedule had done and seen."""
        told = self.checkpoint.state.get("schedule") if self.checkpoint is not None else None
        return told if isinstance(told, Mapping) else None


def find_start(run: RunDirectory, config: Mapping[str, Any]) -> Start:
    """Look for the newest full checkpoint; what cannot be read is passed over. Nothing is changed.

    Raises RunError when there is none although the run has rows or is a fork, for then all that it was would be lost;
    and when events or checkpoints cannot be read because the disk or its permissions do not let it.
    """
    found, damaged = None, []
    for info in reversed(checkpoint.list_checkpoints(run.checkpoints)):
        try:
            if checkpoint.read_metadata(info.path).kind == "full":
                found = _usable(info.path)
                break
        except RunError as error:
            if isinstance(error.__cause__, OSError):
                raise
            damaged.append(info.path)
    parent = Parent.of(config)
    if found is None and parent is not None:
        raise RunError(f"{run.path} has no checkpoint that can be read; fork {parent.run} again")
    if found is None and last_row(run.steps_path) is not None:
        raise RunError(f"{run.path} has no full checkpoint that can be read, so there is nothing to go on from")
    told = _told(run)
    keeps = _whole(found.state.get("events")) if found is not None else 0
    answered = frozenset(str(event.data["request"]) for event in told if "request" in event.data)
    again, moved = _again(told, keeps)
    paused = found is not None and found.state.get("paused") is True and not moved
    path = "" if found is None else f"checkpoints/{found.step:09d}.safetensors"
    return Start(found, path, keeps, paused, again, answered, damaged)


def prepare(run: RunDirectory, start: Start, first: int) -> str:
    """Cut off all that is recorded again: rows, later checkpoints. Say what is amiss, "" for nothing.

    first: the step at which the run's rows begin. A checkpoint that cannot be read is renamed; one that a dead trainer
    left half written goes. So does what was measured in hindsight, for the run will have another end.
    Raises RunError when a table cannot be cut.
    """
    amiss = []
    evaluated = _whole(start.checkpoint.state.get("evaluated"), -1) if start.checkpoint is not None else -1
    cut_after(run.steps_path, start.step - 1)
    for path in (run.tests_path, run.measures_path, *sorted(run.arrays.glob("*.npy"))):
        cut_after(path, evaluated)
    hindsight.remove(run)
    if start.damaged:
        amiss.append(f"{', '.join(path.name for path in start.damaged)} cannot be read and is passed over")
    later = [info.path for info in checkpoint.list_checkpoints(run.checkpoints) if info.step > start.step]
    with contextlib.suppress(OSError):  # where nothing can be renamed or removed it is passed over all the same
        for broken in start.damaged:
            broken.rename(broken.with_name(broken.name + DAMAGED))
        for stale in {*later, *run.checkpoints.glob(".*.part")} - set(start.damaged):
            stale.unlink()
        for folder in (run.checkpoints, run.arrays):
            folder.mkdir(exist_ok=True)
    last = last_row(run.steps_path)
    ends = first if last is None else int(last["step"]) + 1
    if ends < start.step:
        amiss.append(f"the rows of steps {ends:,} to {start.step - 1:,} are missing in steps.npy")
    return "; ".join(amiss)


def _usable(path: Path) -> Checkpoint:
    """Load a full checkpoint. Raises RunError when it does not say what going on needs."""
    found = checkpoint.read(path)
    missing = checkpoint.GOING_ON - found.state.keys()
    if missing:
        raise RunError(f"{path} says nothing of {', '.join(sorted(missing))}")
    return found


def _told(run: RunDirectory) -> list[Event]:
    """Every event in the file, whether it holds or not."""
    return [event for line in LineTail(run.events_path).new() if (event := event_from(line)) is not None]


def _again(told: Sequence[Event], keeps: int) -> tuple[list[Event], bool]:
    """What people did after the first `keeps` events: edits, snapshots, notes, a last pause; in its order.

    What an earlier resumption had still to do again, and did not come to, is among it. Also whether training was
    paused or let go after them.
    """
    story = Story()
    undone: dict[object, Event] = {}  # what holds no longer and was not told again, by its request
    first: dict[object, int] = {}  # when each request was answered for the first time
    held: list[tuple[int, Event]] = []
    for number, event in enumerate(told):
        if story.add(event) and is_resumption(event):
            holds = set(map(id, story.events))
            undone |= {one.data.get("request"): one for _, one in held if id(one) not in holds and _is_by_hand(one)}
            held = [(place, one) for place, one in held if id(one) in holds]
        held.append((number, event))
        first.setdefault(event.data.get("request", number), number)
        if _is_by_hand(event):
            undone.pop(event.data.get("request"), None)
    later = [event for number, event in held if number >= keeps]
    moves = [event for event in later if event.kind == "state" and event.data.get("state") in _MOVES]
    pause = [event for event in moves[-1:] if event.data["state"] == "paused"]
    again = [*undone.values(), *filter(_is_by_hand, later), *pause]
    return sorted(again, key=lambda event: (event.step, first.get(event.data.get("request"), len(told)))), bool(moves)


def _is_by_hand(event: Event) -> bool:
    return event.kind in ("edit", "snapshot", "note") and "scheduled" not in event.data


def _whole(value: object, otherwise: int = 0) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else otherwise
