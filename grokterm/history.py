"""What a viewer knows of a run: its series, events and state, read from the directory whenever it is polled.

Live view, attach and replay all look at a run through this. There are no threads here: `poll` reads what is new, and
between two polls nothing changes. `at` is the same run as it was at an earlier step: what a replay shows.
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from grokterm.growing import Column, Rowwise, Table
from grokterm.run.directory import RunDirectory
from grokterm.run.events import Event, LineTail, Request, event_from, request_from
from grokterm.run.hindsight import About, AboutFile
from grokterm.run.story import RESUMED, Story, is_resumption
from grokterm.run_tables import RunTables

LATEST_ROWS = 8192
"""So many rows at the end are looked at for the speed: ten seconds of most runs."""


@dataclass(frozen=True, eq=False)
class Series:
    """A recorded number over training: read-only views of equal length, contiguous."""

    steps: NDArray[np.int64]
    values: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ArraySeries:
    """A recorded vector or matrix over training: steps (n,), values (n, …) in the recorded dtype, read-only views."""

    steps: NDArray[np.int64]
    values: NDArray[Any]


@dataclass(frozen=True)
class PhaseChange:
    """The step at which training entered a phase, and the reason given for saying so."""

    phase: str
    at: int
    why: str = ""


class History:
    """One run as its directory tells it. A table that is none is left out, and `problems` says why.

    What was measured in hindsight has series and arrays of its own, "hindsight/NAME" beside the live NAME.
    `poll` raises RunError when run.toml, events.jsonl or inbox.jsonl cannot be read.

    latest: of longer tables only about so many of the latest rows are kept, for somebody who follows a run for days and
    wants to know no more than how it stands.
    """

    def __init__(self, run: RunDirectory, latest: int | None = None) -> None:
        self.run = run
        self.config: Mapping[str, Any] | None = None
        self.parent: History | None = None
        """The run that this one was forked from, up to there, where somebody asked for it (`ancestry.find_parents`)."""
        self.pending: dict[str, Request] = {}
        self._about = AboutFile(run)
        self._tables = RunTables(run, latest)
        self._event_lines = LineTail(run.events_path)
        self._inbox_lines = LineTail(run.inbox_path)
        self._story = Story()
        self._answered: set[str] = set()
        self._until: int | None = None
        self._forget_events()

    def _forget_events(self) -> None:
        self.events: list[Event] = []  # those that hold: a resumed run tells some of its steps a second time
        self.marks: dict[str, int] = {}
        self.knobs: dict[str, float] = {}
        self.phases: list[PhaseChange] = []
        self.state = "loading"
        self._training_since = 0.0  # unix time of the last change to "training"

    def at(self, step: int) -> Self:
        """Return the run as it was when `step` updates had been made and their weights evaluated.

        That is what a live screen saw then: of steps.npy the rows before `step`, of everything else those up to it.
        The result shares this history's columns, costs nothing to keep, and is not polled.
        """
        past = copy.copy(self)
        past._until = step
        past._tell_anew([event for event in self.events if event.step <= step])
        if self.parent is not None and self.parent.reaches(step):  # it was still the parent that was trained
            past.parent = self.parent.at(step)
            past.state, past.knobs = past.parent.state, dict(past.parent.knobs)
        past.pending = {}
        return past

    def reaches(self, step: int) -> bool:
        """Whether this history may hold more than there was at a step."""
        return self._until is None or step < self._until

    def poll(self) -> frozenset[str]:
        """Read what is new and say what changed: of config, steps, tests, measures, arrays, hindsight and events.

        Costs a few stats when nothing did. A request that is asked or answered counts as a change of events; a table
        that turns into something else, or back, as a change of that table. When training was resumed, the events that
        hold no longer go, and every table is read anew.
        """
        changed = {"events"} if self._poll_events() else set()
        if self.config is None:
            self.config = self.run.read_config()
            if self.config is not None:
                changed.add("config")
        changed |= self._poll_tables()
        if self._poll_events():  # before `resumed` was written, tables were cut: perhaps while they were read
            changed |= {"events"} | self._poll_tables()
        return frozenset(changed)

    @property
    def told(self) -> int:
        """How many events were ever read, those that hold no longer too: what `since` takes."""
        return self._story.count

    def since(self, told: int) -> list[Event]:
        """Return the events that were read after the first `told` and hold: what somebody has not seen yet."""
        return self._story.since(told)

    @property
    def problems(self) -> tuple[str, ...]:
        """A sentence for each table that is left out because it is none: which file, and what is wrong with it."""
        return self._tables.problems

    def names(self) -> tuple[str, ...]:
        """Every scalar series: the columns of steps, tests and measures in their order, then those of hindsight."""
        return self._tables.names()

    def series(self, name: str) -> Series:
        """Return the series of a scalar; an empty one when no such scalar is recorded (yet)."""
        found = self._tables.number(name)
        return Series(_no_steps(), np.zeros(0)) if found is None else self._series(*found)

    def times(self) -> Series:
        """Return the unix time of each step's row."""
        table = self._tables.of_numbers["steps"]
        column = table.columns.get("time")
        return Series(_no_steps(), np.zeros(0)) if column is None else self._series(table, column)

    def array_names(self) -> tuple[str, ...]:
        """Every vector or matrix series, by name."""
        return self._tables.array_names()

    def array(self, name: str, through: Rowwise | None = None) -> ArraySeries:
        """Return the series of a vector or matrix; an empty one when no such array is recorded (yet).

        `through` makes other rows of the recorded ones (n, …) → (n, …): it is called once for every row, and what it
        made is kept.
        """
        found = self._tables.array(name)
        if found is None:
            return ArraySeries(_no_steps(), np.zeros((0, 0), np.float32))
        table, column = found
        rows = self._rows(table)
        values = column.view() if through is None else table.through(through, column)
        return ArraySeries(table.steps()[:rows], values[:rows])

    def value_at(self, name: str, step: int) -> tuple[int, float] | None:
        """Return step and exact recorded value of the last row at or before `step`; None when there is none."""
        series = self.series(name)
        row = int(np.searchsorted(series.steps, step, side="right")) - 1
        return None if row < 0 else (int(series.steps[row]), float(series.values[row]))

    def rate(self, seconds: float = 10.0) -> float:
        """Return the steps per second of the last `seconds` recorded, not looking back beyond a pause.

        Nor beyond a jump of the clock. 0 while paused and while there are too few rows to tell.
        """
        times = self.times()
        if self.state == "paused" or times.values.size < 2:
            return 0.0
        latest = times.values[-LATEST_ROWS:]
        end = latest[-1]
        start = end - seconds if self._training_since > end else max(end - seconds, self._training_since)
        others = np.flatnonzero((latest < start) | (latest > end))  # later ones are from before a clock was set back
        first = int(others[-1]) + 1 if others.size else 0
        passed = float(end) - float(latest[first])  # a clock may say inf: no warning, and no rate
        return float(times.steps[-1] - times.steps[first - len(latest)]) / passed if passed > 0 else 0.0

    @property
    def hindsight(self) -> About | None:
        """What the hindsight series hold, and with which key frequencies; None for a run that was not measured."""
        return self._about.about

    @property
    def measured(self) -> int:
        """How many checkpoints were measured in hindsight."""
        return self._rows(self._tables.of_numbers["hindsight"])

    @property
    def step(self) -> int:
        """The latest step whose weights the run is known to have reached."""
        ends = [0 if self.parent is None else self.parent.step, self.events[-1].step if self.events else 0]
        for name, table in self._tables.of_numbers.items():
            steps = table.steps()[: self._rows(table)]
            if steps.size and name != "hindsight":  # which is about what was reached before
                ends.append(int(steps[-1]) + (name == "steps"))  # row k of steps ends with update k done
        return max(ends)

    @property
    def paused(self) -> bool:
        """Whether training waits for somebody to resume it."""
        return self.state == "paused"

    @property
    def phase(self) -> str:
        """The phase that training is in; "" while none was declared."""
        return self.phases[-1].phase if self.phases else ""

    @property
    def edits(self) -> list[Event]:
        """The knobs that were changed: data has knob, old, new, moments."""
        return self._of_kind("edit")

    @property
    def snapshots(self) -> list[Event]:
        """The checkpoints that a person asked for: data has checkpoint and note."""
        return self._of_kind("snapshot")

    @property
    def notes(self) -> list[Event]:
        """What people wrote down: data has text."""
        return self._of_kind("note")

    @property
    def errors(self) -> list[Event]:
        """What went wrong on the training side: data has message and traceback."""
        return self._of_kind("error")

    def _rows(self, table: Table) -> int:
        """How many rows of a table there were at the step this history speaks of."""
        steps = table.steps()
        if self._until is None:
            return len(steps)
        side: Literal["left", "right"] = "left" if table is self._tables.of_numbers["steps"] else "right"
        return int(np.searchsorted(steps, self._until, side=side))

    def _series(self, table: Table, column: Column) -> Series:
        rows = self._rows(table)
        return Series(table.steps()[:rows], column.view()[:rows])

    def _of_kind(self, kind: str) -> list[Event]:
        return [event for event in self.events if event.kind == kind]

    def _poll_tables(self) -> set[str]:
        changed = self._tables.poll()
        return changed | {"hindsight"} if self._about.poll() else changed

    def _poll_events(self) -> bool:
        requests = [request for line in self._inbox_lines.new() if (request := request_from(line)) is not None]
        events = [event for line in self._event_lines.new() if (event := event_from(line)) is not None]
        for request in requests:
            self.pending[request.id] = request
        went_back = False
        for event in events:
            went_back |= self._story.add(event)
            if not went_back:
                self._take_in(event)
            if is_resumption(event):
                self._tables.forget()
            match event.data:
                case {"request": str(name)}:
                    self._answered.add(name)  # and stays it when the answer holds no longer
        if went_back:
            self._tell_anew(self._story.events)
        for answered in self.pending.keys() & self._answered:
            del self.pending[answered]
        return bool(requests or events)

    def _tell_anew(self, events: Sequence[Event]) -> None:
        self._forget_events()
        for event in events:
            self._take_in(event)

    def _take_in(self, event: Event) -> None:
        self.events.append(event)
        match event.kind, event.data:
            case "state", {"state": str(state)}:
                self.state = "training" if state == RESUMED else state
                if self.state == "training":
                    self._training_since = event.time
                    self._take_in_knobs(event.data.get("knobs"))
            case "edit", {"knob": str(knob), "new": int() | float() as new}:
                self.knobs[knob] = float(new)
            case "phase", {"phase": str(phase), "at": int(at)}:
                self.phases.append(PhaseChange(phase, at, str(event.data.get("why", ""))))
            case "phase", {"mark": str(mark), "at": int(at)}:
                self.marks[mark] = at

    def _take_in_knobs(self, knobs: object) -> None:
        if isinstance(knobs, Mapping):
            numbers = {knob: float(value) for knob, value in knobs.items() if isinstance(value, int | float)}
            self.knobs.update(numbers)


def _no_steps() -> NDArray[np.int64]:
    return np.zeros(0, np.int64)
