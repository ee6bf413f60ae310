"""One of several runs that are compared: what was read of it last, which stays when its directory goes."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grokterm.circuit.waves import paired
from grokterm.drawing.axes import Mark
from grokterm.errors import RunError
from grokterm.history import ArraySeries, History, Series
from grokterm.run.directory import RunDirectory, no_run
from grokterm.run.events import Event
from grokterm.run.hindsight import PREFIX
from grokterm.run.lock import is_alive
from grokterm.run.outcome import ENDED, standing
from grokterm.tui.moments import Moment, moments
from grokterm.tui.panel import marks_of, row_at

GONE, UNREADABLE = "gone", "unreadable"
WAVES = frozenset({"fourier_embedding", "fourier_unembedding"})
"""Arrays of a constant, then cos and sin of every frequency."""


@dataclass(frozen=True, eq=False)
class Compared:
    """A run as it was when it was last read.

    state: as the trainer said, or interrupted (it said no end, and nobody trains the run), gone (no directory any
    more), unreadable (its files changed into something that is no run). `problem` says what is wrong with its files:
    of a run that can be read, which tables are left out.
    """

    name: str
    path: str
    config: Mapping[str, Any]
    state: str
    step: int
    phase_marks: Mapping[str, int] = field(default_factory=dict)
    edits: tuple[Event, ...] = ()
    moments: tuple[Moment, ...] = ()
    marks: tuple[Mark, ...] = ()
    series: Mapping[str, Series] = field(default_factory=dict)
    arrays: Mapping[str, ArraySeries] = field(default_factory=dict)
    problem: str = ""

    @property
    def memorised(self) -> int | None:
        """The step from which on the training data are known by heart."""
        return self.phase_marks.get("memorized_at")

    @property
    def grokked(self) -> int | None:
        """The step from which on the test data are answered too."""
        return self.phase_marks.get("grokked_at")

    @property
    def delay(self) -> int | None:
        """Steps from one to the other."""
        return None if self.memorised is None or self.grokked is None else self.grokked - self.memorised

    def value(self, name: str, step: int | None) -> float | None:
        """The recorded value of a series at or before a step (None: the newest); None where there is none."""
        found = self.series.get(name)
        row = None if found is None else row_at(found.steps, step)
        return None if found is None or row is None else float(found.values[row])

    def spectrum(self, name: str, step: int | None) -> NDArray[np.float64]:
        """One number a frequency of an array at or before a step; empty where there is none."""
        found = self.arrays.get(name)
        row = None if found is None else row_at(found.steps, step)
        if found is None or row is None or found.values.ndim < 2:
            return np.zeros(0)
        values = found.values[row : row + 1]
        if name.removeprefix(PREFIX) in WAVES and values.ndim == 2 and values.shape[1] % 2:
            values = paired(values)
        flat: NDArray[np.float64] = values[0].astype(np.float64)
        if flat.ndim > 1:
            flat = np.sqrt(np.square(flat).reshape(len(flat), -1).sum(axis=1))
        return flat

    def keys(self, step: int | None) -> tuple[int, ...]:
        """The frequencies that have a cluster of neurons at or before a step."""
        return tuple((np.flatnonzero(self.spectrum("neuron_clusters", step) > 0) + 1).tolist())


class Followed:
    """Keeps a Compared up with its run's directory. `now` never loses what it had because the directory did."""

    def __init__(self, run: RunDirectory) -> None:
        """Read the run. Raises RunError when it cannot be read, or is none."""
        self.run = run
        self._history = History(run)
        self._history.poll()
        if self._history.config is None:
            raise no_run(run.path)
        self.now = _taken(run, self._history, None)
        self._files = _files(run, self.now)

    def poll(self) -> bool:
        """Read what is new; True when `now` is another one. Never raises: `now.state` tells."""
        before = self.now
        if self._is_gone():
            self._turn_into(GONE)
            return self.now is not before
        try:
            changed = self._history.poll()
        except RunError as error:
            self._turn_into(*((GONE, "") if self._is_gone() else (UNREADABLE, str(error))))
            return self.now is not before
        if self._is_gone():  # while it was read: what was found then is half a run
            self._turn_into(GONE)
        elif self._history.problems and self._lost():
            self._turn_into(UNREADABLE, "; ".join(self._history.problems))
        elif changed or _state(self.run, self._history) != before.state:
            self.now = _taken(self.run, self._history, None if "events" in changed else before)
            self._files = _files(self.run, self.now)
        return self.now is not before

    def _lost(self) -> bool:
        """Whether something that was read before is in no table any more."""
        return bool(
            self.now.series.keys() - {*self._history.names()} or self.now.arrays.keys() - {*self._history.array_names()}
        )

    def _is_gone(self) -> bool:
        """Whether a file that was read before is not there any more."""
        return not all(path.exists() for path in self._files)

    def _turn_into(self, state: str, problem: str = "") -> None:
        if (self.now.state, self.now.problem) != (state, problem):
            self.now = replace(self.now, state=state, problem=problem)
        self._history = History(self.run)  # whatever comes back is read from its first row


def _taken(run: RunDirectory, history: History, before: Compared | None) -> Compared:
    """What a history holds now. `before` has its events already."""
    return Compared(
        name=run.name if before is None else before.name,
        path=str(run.path),
        config=history.config or {},
        state=_state(run, history),
        step=history.step,
        problem="; ".join(history.problems),
        phase_marks=dict(history.marks),
        edits=tuple(history.edits) if before is None else before.edits,
        moments=tuple(moments(history)) if before is None else before.moments,
        marks=tuple(marks_of(history)) if before is None else before.marks,
        series={name: found for name in history.names() if len((found := history.series(name)).steps)},
        arrays={name: array for name in history.array_names() if len((array := history.array(name)).steps)},
    )


def _files(run: RunDirectory, now: Compared) -> tuple[Path, ...]:
    """The files without which a run is not what was read; what was measured in hindsight goes when it is resumed."""
    tables = [path for path in (run.steps_path, run.tests_path, run.measures_path) if path.exists()]
    return (
        run.config_path,
        *tables,
        *(run.arrays / f"{name}.npy" for name in now.arrays if not name.startswith(PREFIX)),
    )


def _state(run: RunDirectory, history: History) -> str:
    """What the trainer said last, unless it said no end and nobody trains."""
    if history.state in ENDED:
        return history.state
    with contextlib.suppress(RunError, OSError):  # a file system that cannot lock
        return standing(history.state, alive=is_alive(run))
    return history.state
