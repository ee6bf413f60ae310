"""Where a run that was trained before goes on: its last full checkpoint that can be read, and what came after it."""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grokterm.errors import RunError
from grokterm.run import checkpoint
from grokterm.run.checkpoint import Checkpoint
from grokterm.run.directory import RunDirectory
from grokterm.run.events import Event, LineTail, event_from
from grokterm.run.story import Story, is_resumption
from grokterm.run.table import cut_after, last_row

DAMAGED = ".damaged"
"""Put behind the name of a checkpoint that cannot be read, so that it is never taken for one again."""


@dataclass(frozen=True)
class Start:
    """The place to go on from. `checkpoint` None: from nothing, because the run died before it had a full one.

    path: of the checkpoint inside the run. keeps: how many of the events told so far still hold. again: what people
    did after them, to be done once more. answered: ids of the requests that were answered. why: what is amiss.
    """

    checkpoint: Checkpoint | None
    path: str
    keeps: int
    again: Sequence[Event]
    answered: frozenset[str]
    why: str

    @property
    def schedule(self) -> Mapping[str, object] | None:
        """What the schedule had done and seen."""
        told = self.checkpoint.state.get("schedule") if self.checkpoint is not None else None
        return told if isinstance(told, Mapping) else None


def find_start(run: RunDirectory) -> Start:
    """Look for the newest full checkpoint; one that cannot be read is passed over, renamed, and named in `why`.

    Raises RunError when the events or the checkpoints cannot be read because the disk or its permissions do not let
    it: that says nothing about what is in them.
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
    told = _told(run)
    keeps = _whole(found.state.get("events")) if found is not None else 0
    answered = frozenset(str(event.data["request"]) for event in told if "request" in event.data)
    why = f"{', '.join(path.name for path in damaged)} cannot be read and is passed over" if damaged else ""
    for broken in damaged:
        with contextlib.suppress(OSError):  # on a disk where nothing can be renamed it is passed over all the same
            broken.rename(broken.with_name(broken.name + DAMAGED))
    path = "" if found is None else f"checkpoints/{found.step:09d}.safetensors"
    return Start(found, path, keeps, _again(told, keeps), answered, why)


def prepare(run: RunDirectory, start: Start, first: int) -> str:
    """Cut every row off that is recorded again; say what is missing before that, "" for nothing.

    Checkpoints that a dead trainer left half written go, too.

    first: the step at which the run's rows begin. Raises RunError when a table cannot be cut.
    """
    step = start.checkpoint.step if start.checkpoint is not None else 0
    evaluated = _whole(start.checkpoint.state.get("evaluated"), -1) if start.checkpoint is not None else -1
    cut_after(run.steps_path, step - 1)
    for path in (run.tests_path, run.measures_path, *sorted(run.arrays.glob("*.npy"))):
        cut_after(path, evaluated)
    for half in run.checkpoints.glob(".*.part"):
        with contextlib.suppress(OSError):
            half.unlink()
    last = last_row(run.steps_path)
    ends = first if last is None else int(last["step"]) + 1
    return f"the rows of steps {ends:,} to {step - 1:,} are missing in steps.npy" if ends < step else ""


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


def _again(told: Sequence[Event], keeps: int) -> list[Event]:
    """What people did after the first `keeps` events: edits, snapshots, notes, a last pause; by step.

    What an earlier resumption had still to do again, and did not come to, is among it.
    """
    story = Story()
    undone: dict[object, Event] = {}  # what holds no longer and was not told again, by its request
    held: list[tuple[int, Event]] = []
    for number, event in enumerate(told):
        if story.add(event) and is_resumption(event):
            holds = set(map(id, story.events))
            undone |= {one.data.get("request"): one for _, one in held if id(one) not in holds and _is_by_hand(one)}
            held = [(place, one) for place, one in held if id(one) in holds]
        held.append((number, event))
        if _is_by_hand(event):
            undone.pop(event.data.get("request"), None)
    later = [event for number, event in held if number >= keeps]
    last_state = [event for event in later if event.kind == "state"][-1:]
    again = [event for event in later if _is_by_hand(event) or (event in last_state and _is_pause(event))]
    return sorted([*undone.values(), *again], key=lambda event: event.step)


def _is_by_hand(event: Event) -> bool:
    return event.kind in ("edit", "snapshot", "note") and "scheduled" not in event.data


def _is_pause(event: Event) -> bool:
    return event.data.get("state") == "paused"


def _whole(value: object, otherwise: int = 0) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else otherwise
