"""A run in Python: `grokterm.open_run(".")`. Every look at it sees what is recorded by then, and reads only that."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import DTypeLike

from grokterm import frames
from grokterm.circuit.circuit import Circuit
from grokterm.circuit.reading import read_circuit
from grokterm.errors import RunError, nearest
from grokterm.growing import ROWS_AT_ONCE, Column
from grokterm.history import ArraySeries, History, PhaseChange, Series
from grokterm.run.checkpoint import Checkpoint, CheckpointInfo, list_checkpoints, read
from grokterm.run.cuts import Cuts
from grokterm.run.directory import RunDirectory
from grokterm.run.events import Event
from grokterm.run.finding import find
from grokterm.run.lineage import parent_of
from grokterm.run.lock import is_alive
from grokterm.run.outcome import standing
from grokterm.run.table import Rows, TableReader

if TYPE_CHECKING:
    import pandas as pd


def open_run(reference: str | os.PathLike[str] = ".", runs: str | os.PathLike[str] | None = None) -> "OpenedRun":
    """Open a run, living or not: by the path of its directory ("." inside one), its name or the beginning of one.

    runs: the folder where names are looked up, by default $GROKTERM_RUNS or "runs"; "-" is the newest run there.
    Raises RunError that names what there is when no run is meant.
    """
    folder = Path(os.environ.get("GROKTERM_RUNS") or "runs") if runs is None else Path(runs)
    return OpenedRun(find(folder, os.fspath(reference)).path.absolute())


class OpenedRun:
    """A run that may still be going on; everything about it is as recorded at the moment it is asked for.

    Step k is the weights after k updates, and a row of any table at step k describes them (RUN_FORMAT.md). Arrays are
    read-only views and stay as they were: ask again for newer rows. Nothing here writes to the run. Whatever reads
    raises RunError when a file that it needs is not what it should be; `problems` says which files are not.
    """

    def __init__(self, path: Path) -> None:
        self._run = RunDirectory(path)
        self._history = History(self._run)
        self._cuts = Cuts(self._run)
        self._tables = _tables_of(self._run)

    def __repr__(self) -> str:
        try:
            history = self._now()
        except RunError:
            return f"OpenedRun({str(self.path)!r}, unreadable)"
        return f"OpenedRun({str(self.path)!r}, state={history.state!r}, step={history.step})"

    @property
    def name(self) -> str:
        """The name of the run's directory."""
        return self._run.name

    @property
    def path(self) -> Path:
        """The run's directory."""
        return self._run.path

    @property
    def config(self) -> Mapping[str, Any]:
        """What run.toml says: the resolved configuration, seed, versions, device."""
        return self._now().config or {}

    @property
    def parent(self) -> "OpenedRun | None":
        """The run that this one was forked from, whole; None for a run that is no fork, or where that one is gone.

        A fork's own rows begin at step `config["parent"]["step"]`; those before it are the parent's.
        """
        found = parent_of(self._run, self.config)
        return None if found is None else OpenedRun(found.path)

    @property
    def step(self) -> int:
        """How many updates are known to have been made."""
        return self._now().step

    @property
    def steps(self) -> Rows:
        """One row an optimizer step: step, time, train_loss, train_accuracy, grad_norm, update_norm and every knob.

        A structured array, `run.steps["train_loss"]`, in the types that were recorded.
        """
        return self._newest("steps")

    @property
    def tests(self) -> Rows:
        """One row a test evaluation: step, test_loss, test_accuracy. No rows while there are none."""
        return self._newest("tests")

    @property
    def measures(self) -> Rows:
        """One row an evaluation of the measures: step, and a column for each scalar. No rows while there are none."""
        return self._newest("measures")

    @property
    def hindsight(self) -> Rows:
        """One row a checkpoint, measured with the key frequencies of the last one. No rows before `grokterm measure`.

        The columns are called as those of `measures`, and there are more; `series("hindsight/NAME")` is one of them,
        `array("hindsight/NAME")` a vector or matrix.
        """
        return self._newest("hindsight")

    @property
    def hindsight_keys(self) -> tuple[int, ...] | None:
        """The key frequencies of the last checkpoint, with which hindsight was measured; None where it was not."""
        about = self._now().hindsight
        return None if about is None else about.key_frequencies

    @property
    def problems(self) -> Sequence[str]:
        """A sentence for each table or array that is left out because its file is none."""
        return self._now().problems

    @property
    def names(self) -> tuple[str, ...]:
        """Every scalar that `series` knows."""
        return self._now().names()

    @property
    def array_names(self) -> tuple[str, ...]:
        """Every vector or matrix that `array` knows."""
        return self._now().array_names()

    def series(self, name: str) -> Series:
        """Return `steps` (n,) and `values` (n,) of a scalar, whichever table it is in, as float64.

        Raises RunError that names the nearest when no such scalar is recorded (yet).
        """
        history = self._now()
        if name not in history.names():
            raise RunError(f"{self.name} has no series {name!r}; {nearest(name, history.names())}")
        return history.series(name)

    def array(self, name: str) -> ArraySeries:
        """Return `steps` (n,) and `values` (n, …) of a vector or matrix in the type that was recorded.

        The p components of fourier_embedding and fourier_unembedding are norms along cos and sin: component 0 is the
        constant, 2k − 1 the cosine and 2k the sine of frequency k = 1 … (p − 1)/2. So the norm of frequency k is
        `np.hypot(values[:, 2 * k - 1], values[:, 2 * k])`. Vectors with an entry for each frequency, such as
        neuron_clusters, hold frequency k at k − 1.

        Raises RunError that names the nearest when no such array is recorded (yet).
        """
        history = self._now()
        if name not in history.array_names():
            raise RunError(f"{self.name} has no array {name!r}; {nearest(name, history.array_names())}")
        return history.array(name)

    @property
    def events(self) -> Sequence[Event]:
        """What happened, oldest first: `step`, `time` (unix seconds), `kind`, and `data`, the fields of its kind."""
        return tuple(self._now().events)

    @property
    def state(self) -> str:
        """training, paused, stopping, finished, stopped or failed, as training declared last; loading before it did.

        interrupted: it declared no end, and nobody trains the run.
        """
        declared = self._now().state
        return standing("" if declared == "loading" else declared, alive=self.is_alive)

    @property
    def is_alive(self) -> bool:
        """Whether a process trains it now."""
        return is_alive(self._run)

    @property
    def phases(self) -> Sequence[PhaseChange]:
        """The phases that training entered: `phase`, `at` (the step), `why`."""
        return tuple(self._now().phases)

    @property
    def marks(self) -> Mapping[str, int]:
        """The steps memorized_at and grokked_at, each as soon as it is certain."""
        return dict(self._now().marks)

    @property
    def checkpoints(self) -> Sequence[CheckpointInfo]:
        """The saved states that there are, `step` and `path`, by step."""
        return tuple(list_checkpoints(self._run.checkpoints))

    def checkpoint(self, step: int | None = None) -> Checkpoint:
        """Load the state saved at exactly this step, by default the last one; `tensors` are NumPy arrays by name.

        "model/W_E" is a parameter, "optimizer/W_E/exp_avg" the optimizer's state where it was saved. Raises RunError
        that names the nearest steps when there is no such checkpoint.
        """
        return read(self._saved(step).path)

    def circuit(self, step: int | None = None, *, dtype: DTypeLike | None = None) -> Circuit:
        """Make a circuit of the state saved at exactly this step, by default the last one: what is learned, by NumPy.

        It computes each fact when it is asked for: `losses`, `key_frequencies`, `attention`, `logits`, … The functions
        of grokterm.circuit take it: `ablated_logits(run.circuit(), Ablation(heads=frozenset({0})))`. dtype: the
        precision to compute in, by default that of the weights. Raises RunError as `checkpoint` does, and where the run
        has no task.npz or is of another kind of network or task.
        """
        return read_circuit(self._run, self._saved(step), dtype=dtype)

    def _saved(self, step: int | None) -> CheckpointInfo:
        """The checkpoint at exactly this step, or the last one."""
        there = self.checkpoints
        if not there:
            raise RunError(f"{self.name} has no checkpoint")
        if step is None:
            return there[-1]
        before = [info for info in there if info.step <= step]
        if before and before[-1].step == step:
            return before[-1]
        nearby = [info.step for info in (*before[-1:], *there[len(before) : len(before) + 1])]
        raise RunError(f"{self.name} has no checkpoint at step {step}; the nearest: {' and '.join(map(str, nearby))}")

    def to_pandas(self, table: str | None = None) -> "pd.DataFrame":
        """Return what was recorded as a pandas DataFrame indexed by step.

        Without `table`, every scalar of steps, tests, measures and hindsight side by side, a row for each step that has
        any. What was not measured at a step is NaN there, and so is a number that was recorded as NaN: here they look
        the same. With "steps", "tests", "measures", "hindsight" or the name of an array, that table alone: it has only
        rows that were recorded, so a NaN in it is a number that was NaN. A vector has one column an element, numbered
        from 0; a matrix a level of the columns for each axis. "events" has time, event and a column for each field.
        A column of that name in an earlier table makes it TABLE/NAME; those of hindsight are always called so.

        Raises UsageError when pandas is not installed, RunError when there is no such table.
        """
        if table is None:
            return frames.side_by_side({name: self._newest(name) for name in self._tables})
        if table in self._tables:
            return frames.of_table(self._newest(table))
        if table == "events":
            return frames.of_events(self.events)
        if table in self.array_names:
            return frames.of_array(self.array(table))
        known = [*self._tables, "events", *self.array_names]
        raise RunError(f"{self.name} has no table {table!r}; {nearest(table, known)}")

    def _newest(self, name: str) -> Rows:
        """Every row of a table so far: what was not read yet of it, or all of it when tables were cut since."""
        cut = self._cuts.new()
        while True:
            if cut:
                self._tables = _tables_of(self._run)
            rows = self._tables[name].newest()
            cut = self._cuts.new()
            if not cut:
                return rows

    def _now(self) -> History:
        self._history.poll()
        return self._history


def _tables_of(run: RunDirectory) -> "dict[str, _GrowingRows]":
    paths = {"steps": run.steps_path, "tests": run.tests_path, "measures": run.measures_path}
    return {name: _GrowingRows(path) for name, path in (*paths.items(), ("hindsight", run.hindsight_path))}


class _GrowingRows:
    """The rows of one table as they are in its file, kept up with it."""

    def __init__(self, path: Path) -> None:
        self._reader = TableReader(path)
        self._rows = Column([("step", "<i8")], ())

    def newest(self) -> Rows:
        """Read what is new and return every row so far; what was returned before stays as it is."""
        while True:
            rows = self._reader.new_rows(ROWS_AT_ONCE)
            if self._reader.restarted:
                self._rows = Column([("step", "<i8")], ())
            if len(rows):
                if rows.dtype != self._rows.view().dtype:
                    self._rows = Column(rows.dtype, ())
                self._rows.extend(rows, self._reader.behind)
            if not self._reader.behind:
                return self._rows.view()
