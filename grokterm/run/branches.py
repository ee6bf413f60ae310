"""Where a fork branches off, what it keeps of the past, and what it plans. Reads runs, writes nothing.

A fork holds the edits made before the place where it branches off. It starts from a full checkpoint at or before that
place; the edits that the checkpoint does not contain happen again at their steps, as `[[interventions]]` of the fork.
What it holds may lie in the run itself or in the run that this one was forked from, and so on.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from grokterm.errors import RunError, UsageError
from grokterm.run import checkpoint
from grokterm.run.checkpoint import CheckpointInfo, Metadata
from grokterm.run.configuration import is_imported
from grokterm.run.directory import RunDirectory, no_run
from grokterm.run.events import Event, LineTail, event_from
from grokterm.run.lineage import Parent, parent_of
from grokterm.run.outcome import ENDED
from grokterm.run.story import Story
from grokterm.run.table import last_row

Entry = Mapping[str, Any]
"""A table of `[[interventions]]`."""


class Told:
    """A run as its files tell it now: configuration, checkpoints, events. Raises RunError when it cannot be read."""

    def __init__(self, run: RunDirectory) -> None:
        self.run = run
        config = run.read_config()
        if config is None:
            raise no_run(run.path)
        self.config = config
        try:
            self.checkpoints = checkpoint.list_checkpoints(run.checkpoints)  # before the events: none has a later edit
        except OSError as error:
            raise RunError(f"{run.checkpoints} cannot be read: {error.strerror}") from error
        self._rows = _reached(run)
        lines = LineTail(run.events_path).new()
        self.events = tuple(event for line in lines if (event := event_from(line)) is not None)

    @cached_property
    def edits(self) -> tuple[Event, ...]:
        """The edits in force."""
        return self.edits_among(len(self.events))

    @property
    def entries(self) -> Sequence[Entry]:
        """The run's own `[[interventions]]`. Raises RunError when they are no list of tables."""
        entries = self.config.get("interventions", [])
        if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
            raise RunError(f"{self.run.config_path}: interventions is no list of tables")
        return entries

    @property
    def parent(self) -> Parent | None:
        """What a fork says of its parent."""
        return Parent.of(self.config)

    @property
    def begins(self) -> int:
        """The step of the run's first row."""
        return 0 if self.parent is None else self.parent.step

    @property
    def ended(self) -> bool:
        """Whether it told its end last."""
        states = [event.data.get("state") for event in self._in_force(len(self.events)) if event.kind == "state"]
        return bool(states) and states[-1] in ENDED

    @property
    def last(self) -> int:
        """The newest step that tables, checkpoints or events show."""
        ends = [self.begins, self._rows, *(info.step for info in self.checkpoints[-1:])]
        return max(*ends, *(event.step for event in self._in_force(len(self.events))))

    def edits_among(self, count: int) -> tuple[Event, ...]:
        """The edits that were in force when so many events had been told."""
        return tuple(event for event in self._in_force(count) if event.kind == "edit")

    def phases_among(self, count: int) -> tuple[Event, ...]:
        """The phase changes that were in force then."""
        return tuple(event for event in self._in_force(count) if event.kind == "phase")

    def _in_force(self, count: int) -> Sequence[Event]:
        story = Story()
        for event in self.events[:count]:
            story.add(event)
        return story.events


@dataclass(frozen=True)
class Stretch:
    """A run on the line that leads to a fork, and which of its edits in force the fork holds."""

    told: Told
    held: tuple[Event, ...]


@dataclass(frozen=True)
class Branch:
    """The place where a fork leaves a line of runs.

    step: what is held was done before it. line: the run that is forked, its parent, …, to the one whose part holds the
    step. undone: the edits that the fork is to do without: one, or those of one intervention. goes_back: whether it
    also does without what people had asked the line's runs to do from the step on.
    """

    step: int
    line: tuple[Stretch, ...]
    undone: tuple[Event, ...] = ()
    goes_back: bool = False


@dataclass(frozen=True)
class Origin:
    """The checkpoint from which a fork starts, and the line to the run in which it lies."""

    info: CheckpointInfo
    state: Mapping[str, object]
    line: tuple[Stretch, ...]

    @property
    def told(self) -> Told:
        """The run in which it lies."""
        return self.line[-1].told


def branch_at(run: RunDirectory, step: int | None) -> Branch:
    """The place before the edits of a step; None: here and now, with everything that was done so far.

    Raises UsageError for a step that the run has not reached, RunError for runs that cannot be read.
    """
    told = Told(run)
    if step is None:
        return Branch(told.last, (Stretch(told, told.edits),))
    if step < 0:
        raise UsageError(f"{run.name}@{step}: a step is at least 0")
    if step > told.last:
        ends = "ends at" if told.ended else "has come to"
        raise UsageError(f"{run.name} has no step {step:,}: it {ends} step {told.last:,}")
    line = [Stretch(told, _before(told, step))]
    while step < line[-1].told.begins:
        line.append(_above(line, step))
    return Branch(step, tuple(line), goes_back=True)


def branch_before_last_edit(run: RunDirectory) -> Branch | None:
    """The place before the last edit in force, of the run or else of its parent; None when no knob was ever changed.

    Raises UsageError when that could only be known from a parent that is gone, RunError for runs that cannot be read.
    """
    told = Told(run)
    line = [Stretch(told, told.edits)]
    while not line[-1].held:
        if line[-1].told.parent is None:
            return None
        line.append(_above(line, line[-1].told.begins))
    held = line[-1].held
    first = _first_of_last(held)
    line[-1] = replace(line[-1], held=held[:first])
    return Branch(held[first].step, tuple(line), held[first:])


def origins(branch: Branch) -> Iterator[Origin]:
    """Full checkpoints from which the branch can be reached, the newest first; only their metadata were read.

    Those of the run come before those of its parent. Ends with a UsageError that says what is missing.
    """
    line, step, damaged = branch.line, branch.step, ""
    while True:
        told, held = line[-1].told, line[-1].held
        for info in reversed(told.checkpoints):
            if info.step > step:
                continue
            try:
                found = checkpoint.read_metadata(info.path)
            except RunError as error:
                damaged = damaged or str(error)
                continue
            if found.kind == "full" and _leads_on(found, held):
                yield Origin(info, found.state, line)
        if told.parent is None or parent_of(told.run, told.config) is None:
            break
        step = min(step, told.begins)
        line = (*line, _above(line, step))
    raise UsageError(_nothing_to_start_from(branch, damaged))


def interventions(branch: Branch, origin: Origin) -> list[dict[str, Any]]:
    """What the fork has to do by itself: the edits that it holds and the checkpoint does not, then what was planned.

    Planned are the interventions of the run that is forked, as far as they had not happened yet; not those that people
    had asked for from the branch's step on, where it goes back.
    """
    planned: list[dict[str, Any]] = []
    contained = _whole(origin.state.get("edits"))
    for at, stretch in reversed([*enumerate(origin.line)]):
        is_origin = at == len(origin.line) - 1
        done = stretch.held[contained:] if is_origin else stretch.held
        listed = set[int]()
        for event in done:
            index = _scheduled(event, stretch.told)
            if index is None:
                planned.append(_by_hand(event, stretch.told))
            elif index not in listed:
                planned.append(dict(stretch.told.entries[index]))
                listed.add(index)
        left = _left(branch, at) - listed - (_fired(origin.state) if is_origin else frozenset())
        entries = [stretch.told.entries[index] for index in sorted(left)]
        planned += [dict(entry) for entry in entries if not (branch.goes_back and _asked_from(entry, branch.step))]
    return planned


def _asked_from(entry: Entry, step: int) -> bool:
    """Whether an intervention is one that a person asked for, at a step or later."""
    match entry:
        case {"by_hand": True, "at": int(at)}:
            return at >= step
    return False


def _left(branch: Branch, at: int) -> frozenset[int]:
    """Which interventions of a run on the line are still planned where the fork branches off, by index.

    A fork's own `[[interventions]]` are all that its parent had not done at the fork's checkpoint. So of a parent only
    those are left that it had done there; and what lies above the branch has done its part already.
    """
    if at >= len(branch.line):
        return frozenset()
    told = branch.line[at].told
    if at == 0:
        left = frozenset(range(len(told.entries)))
    else:
        fork_begins = branch.line[at - 1].told.begins
        indices = {_scheduled(event, told) for event in told.edits if event.step < fork_begins}
        left = frozenset(index for index in indices if index is not None)
    if at == len(branch.line) - 1:
        left -= {_scheduled(event, told) for event in branch.undone}
    return left


def _above(line: Sequence[Stretch], step: int) -> Stretch:
    """The parent of the last run on a line, as far as it holds for a branch at a step.

    Raises UsageError when it is gone, RunError when it is on the line already.
    """
    told = line[-1].told
    parent = parent_of(told.run, told.config)
    if parent is None:
        named = "" if told.parent is None else f" {told.parent.run}"
        raise UsageError(f"{told.run.name} begins at step {told.begins:,}, and its parent{named} is not beside it")
    if any(parent.name == below.told.run.name for below in line):
        raise RunError(f"{told.run.config_path}: parent.run leads back to {parent.name}, which was made from this run")
    above = Told(parent)
    return Stretch(above, _before(above, min(step, told.begins)))


def _before(told: Told, step: int) -> tuple[Event, ...]:
    return tuple(event for event in told.edits if event.step < step)


def _first_of_last(edits: Sequence[Event]) -> int:
    """Where the last intervention begins among edits: one that was planned may have turned several knobs."""
    first = len(edits) - 1
    index = edits[-1].data.get("scheduled")
    while index is not None and first and edits[first - 1].data.get("scheduled") == index:
        first -= 1
    return first


def _leads_on(found: Metadata, held: Sequence[Event]) -> bool:
    """Whether a full checkpoint says all that it takes, and contains nothing that the fork is to do without."""
    return found.state.keys() >= checkpoint.GOING_ON and _whole(found.state["edits"]) <= len(held)


def _fired(state: Mapping[str, object]) -> frozenset[int]:
    """The interventions that had happened when a checkpoint was written, by index."""
    schedule = state.get("schedule")
    fired = schedule.get("fired") if isinstance(schedule, Mapping) else None
    return frozenset(index for index in fired if isinstance(index, int)) if isinstance(fired, list) else frozenset()


def _scheduled(event: Event, told: Told) -> int | None:
    """The intervention of the run that made an edit; None for one made by hand."""
    index = event.data.get("scheduled")
    return index if isinstance(index, int) and 0 <= index < len(told.entries) else None


def _by_hand(event: Event, told: Told) -> dict[str, Any]:
    """An edit as the intervention that makes it again."""
    match event.data:
        case {"knob": str(knob), "new": int() | float() as new}:
            moments = "reset" if event.data.get("moments") == "reset" else "kept"
            return {"at": event.step, "set": {knob: new}, "moments": moments, "by_hand": True}
    raise RunError(f"{told.run.events_path}: the edit at step {event.step:,} names no knob or no number")


def _reached(run: RunDirectory) -> int:
    """The newest step that the tables show; row k of steps.npy ends with update k done."""
    reached = 0
    for path, more in ((run.steps_path, 1), (run.tests_path, 0), (run.measures_path, 0)):
        try:
            row = last_row(path)
        except RunError:  # a table that is none is left out
            continue
        if row is not None and "step" in (row.dtype.names or ()):
            reached = max(reached, int(row["step"]) + more)
    return reached


def _nothing_to_start_from(branch: Branch, damaged: str) -> str:
    told = branch.line[0].told
    if is_imported(told.config):
        return f"{told.run.name} is an imported run: it holds weights alone, and nothing can be trained on from them"
    nothing = f"{told.run.name} has no full checkpoint at or before step {branch.step:,} that training could go on from"
    return f"{nothing}: {damaged}" if damaged else nothing


def _whole(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
