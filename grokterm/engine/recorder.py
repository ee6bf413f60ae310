"""Writes what training produces into the run directory: rows, events, checkpoints. The trainer's only way out.

Nothing here fails because a disk is full: what is refused is tried again until it is written (`Patience`).
"""

import contextlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np

from grokterm.engine.patience import Patience
from grokterm.engine.state import Tensors
from grokterm.errors import RunError, UsageError
from grokterm.run import checkpoint, recorded_task
from grokterm.run.directory import RunDirectory
from grokterm.run.events import EventLog
from grokterm.run.recorded_task import RecordedTask
from grokterm.run.table import TableWriter, columns_of

T = TypeVar("T")

STEP_COLUMNS = ("time", "train_loss", "train_accuracy", "grad_norm", "update_norm")
TEST_COLUMNS = ("test_loss", "test_accuracy")
MEASURE_COLUMNS = ("seconds", "measures_share")
FLUSH_SECONDS = 0.05
"""Rows reach the files at least this often; a write a row would cost the smallest systems a few per cent."""


class Recorder:
    """The tables of one run. Rows wait in memory for at most FLUSH_SECONDS while training goes on.

    Nothing is touched before `open`.
    """

    def __init__(self, run: RunDirectory, knobs: Sequence[str], patience: Patience) -> None:
        self.run = run
        self._patience = patience
        self._columns = {run.steps_path: (*STEP_COLUMNS, *knobs), run.tests_path: TEST_COLUMNS}
        self._events = EventLog(run.events_path)
        self._tables: dict[Path, TableWriter] = {}
        self._flushed = time.monotonic()
        self._step = 0

    def check(self, numbers: Iterable[str], arrays: Mapping[str, np.ndarray[Any, Any]]) -> None:
        """Make sure that the tables which are there have the columns that will be recorded. Raises RunError."""
        wanted = {path: _scalars(columns) for path, columns in self._columns.items()}
        wanted[self.run.measures_path] = _scalars((*MEASURE_COLUMNS, *numbers))
        wanted |= {self._array_path(name): _array_row(value) for name, value in arrays.items()}
        for path, row in wanted.items():
            there = columns_of(path)
            if there is not None and there != row:
                missing = sorted({*(there.names or ())} - {*(row.names or ())})
                what = f"lacks {', '.join(missing)}" if missing else "is another one"
                raise RunError(
                    f"{path} has other columns than would be recorded now, which {what}: go on with the version and "
                    "the --parts that the run was begun with"
                )

    def open(self) -> None:
        """Open the tables that every run has. Raises RunError."""
        for path, columns in self._columns.items():
            row = _scalars(columns)
            self._tables[path] = self._patience.insist(partial(TableWriter, path, row))

    def task(self, task: RecordedTask) -> None:
        """Write down what is learned, unless that is known."""
        path = self.run.task_path
        self._patience.insist(lambda: None if path.exists() else recorded_task.write(path, task))

    @property
    def told(self) -> int:
        """How many events the run's file holds."""
        return self._events.count

    def look(self, read: Callable[[], T]) -> T:
        """Return what `read` returns, as soon as the disk lets it be read."""
        return self._patience.insist(read)

    def tell(self, kind: str, step: int, /, **data: object) -> None:
        """Write an event."""
        self._patience.insist(lambda: self._events.write(kind, step, **data))

    def fail(self, step: int, message: str, trace: str) -> None:
        """Write why training failed, once: nobody waits for the disk any more. Raises OSError."""
        self._events.write("error", step, message=message, traceback=trace)

    def step(self, step: int, *values: float) -> None:
        """Add a row of steps.npy: STEP_COLUMNS, then every knob."""
        self._tables[self.run.steps_path].append(step, *values)
        self._step = step

    def test(self, step: int, loss: float, accuracy: float) -> None:
        """Add a row of tests.npy."""
        self._tables[self.run.tests_path].append(step, loss, accuracy)

    def measures(self, step: int, seconds: float, share: float, numbers: Mapping[str, float]) -> None:
        """Add a row of measures.npy; every evaluation brings the same numbers."""
        path = self.run.measures_path
        if path not in self._tables:
            row = _scalars((*MEASURE_COLUMNS, *numbers))
            self._tables[path] = self._patience.insist(lambda: TableWriter(path, row))
        self._tables[path].append(step, seconds, share, *numbers.values())

    def array(self, step: int, name: str, value: np.ndarray[Any, Any]) -> None:
        """Add a row of arrays/NAME.npy."""
        path = self._array_path(name)
        if path not in self._tables:
            if "/" in name:
                raise UsageError(f"a measure calls a vector {name!r}: it names a file, so leave out the /")
            row = _array_row(value)
            self._tables[path] = self._patience.insist(lambda: TableWriter(path, row))
        self._tables[path].append(step, value)

    def flush(self, *, now: bool = False) -> None:
        """Write waiting rows to the files, when it is time or at once."""
        if now or time.monotonic() - self._flushed >= FLUSH_SECONDS:
            self._patience.insist(self._write_rows)
            self._flushed = time.monotonic()
            self._tell_waits()

    def save(self, step: int, tensors: Tensors, kind: Literal["weights", "full"], state: Mapping[str, object]) -> str:
        """Write a checkpoint, return its path inside the run; before a full one, rows and events are made durable."""
        if kind == "full":
            self.sync()
        else:
            self.flush(now=True)
        path = self._patience.insist(
            lambda: checkpoint.write(self.run.checkpoints, step, tensors, kind=kind, state=state)
        )
        return str(path.relative_to(self.run.path))

    def sync(self) -> None:
        """Wait until rows and events are on the disk."""
        self._patience.insist(self._make_durable)
        self._tell_waits()

    def close(self) -> None:
        """Write what is waiting and close every table, even when one of them raises OSError."""
        with contextlib.ExitStack() as stack:
            for table in self._tables.values():
                stack.callback(table.close)

    def _write_rows(self) -> None:
        self.run.steps_path.stat()  # rows written into a file that nobody can find any more would be lost
        for table in self._tables.values():
            table.flush()

    def _make_durable(self) -> None:
        self._write_rows()
        for table in self._tables.values():
            table.sync()
        self._events.sync()

    def _tell_waits(self) -> None:
        """Write down that training stood still, once it goes on."""
        while self._patience.waited:
            why, seconds = self._patience.waited.pop()
            self.tell("waited", self._step, why=why, seconds=round(seconds, 3))

    def _array_path(self, name: str) -> Path:
        return self.run.arrays / f"{name}.npy"


def _scalars(names: Sequence[str]) -> np.dtype[Any]:
    return np.dtype([("step", "<i8"), *((name, "<f8") for name in names)])


def _array_row(value: np.ndarray[Any, Any]) -> np.dtype[Any]:
    return np.dtype([("step", "<i8"), ("value", "<f4" if value.dtype.itemsize < 8 else "<f8", value.shape)])
