"""Writes what training produces into the run directory: rows, events, checkpoints. The trainer's only way out."""

import contextlib
import time
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import torch
from torch import nn
from torch.optim import Optimizer

from grokterm.run import checkpoint
from grokterm.run.directory import RunDirectory
from grokterm.run.events import EventLog
from grokterm.run.table import TableWriter

STEP_COLUMNS = ("time", "train_loss", "train_accuracy", "grad_norm", "update_norm")
TEST_COLUMNS = ("test_loss", "test_accuracy")
MEASURE_COLUMNS = ("seconds", "measures_share")
FLUSH_SECONDS = 0.05
"""Rows reach the files at least this often; a write a row would cost the smallest systems a few per cent."""


class Recorder:
    """The open tables of one run. Rows wait in memory for at most FLUSH_SECONDS while training goes on."""

    def __init__(self, run: RunDirectory, knobs: Sequence[str]) -> None:
        self.run = run
        self.events = EventLog(run.events_path)
        self._steps = TableWriter(run.steps_path, _scalars((*STEP_COLUMNS, *knobs)))
        self._tests = TableWriter(run.tests_path, _scalars(TEST_COLUMNS))
        self._measures: TableWriter | None = None
        self._arrays: dict[str, TableWriter] = {}
        self._flushed = time.monotonic()

    def step(self, step: int, *values: float) -> None:
        """Add a row of steps.npy: STEP_COLUMNS, then every knob."""
        self._steps.append(step, *values)

    def test(self, step: int, loss: float, accuracy: float) -> None:
        """Add a row of tests.npy."""
        self._tests.append(step, loss, accuracy)

    def measures(self, step: int, seconds: float, share: float, numbers: Mapping[str, float]) -> None:
        """Add a row of measures.npy; every evaluation brings the same numbers."""
        if self._measures is None:
            self._measures = TableWriter(self.run.measures_path, _scalars((*MEASURE_COLUMNS, *numbers)))
        self._measures.append(step, seconds, share, *numbers.values())

    def array(self, step: int, name: str, value: np.ndarray[Any, Any]) -> None:
        """Add a row of arrays/NAME.npy."""
        if name not in self._arrays:
            shape = np.dtype([("step", "<i8"), ("value", "<f4" if value.dtype.itemsize < 8 else "<f8", value.shape)])
            self._arrays[name] = TableWriter(self.run.arrays / f"{name}.npy", shape)
        self._arrays[name].append(step, value)

    def flush(self, *, now: bool = False) -> None:
        """Write waiting rows to the files, when it is time or at once."""
        moment = time.monotonic()
        if now or moment - self._flushed >= FLUSH_SECONDS:
            for table in self._tables():
                table.flush()
            self._flushed = moment

    def save(
        self,
        step: int,
        model: nn.Module,
        optimizer: Optimizer,
        kind: Literal["weights", "full"],
        state: Mapping[str, object],
    ) -> str:
        """Write a checkpoint, return its path inside the run; before a full one, rows and events are made durable."""
        tensors = {f"model/{name}": _numpy(weight) for name, weight in model.state_dict().items()}
        if kind == "full":
            tensors |= {
                f"optimizer/{name}/{key}": _numpy(value)
                for name, weight in model.named_parameters()
                for key, value in optimizer.state.get(weight, {}).items()
            }
            tensors["random/torch"] = torch.get_rng_state().numpy()
            if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
                tensors["random/cuda"] = torch.cuda.get_rng_state().numpy()
            for table in self._tables():
                table.sync()
            self.events.sync()
        else:
            self.flush(now=True)
        path = checkpoint.write(self.run.checkpoints, step, tensors, kind=kind, state=state)
        return str(path.relative_to(self.run.path))

    def close(self) -> None:
        """Write what is waiting and close every table, even when one of them raises OSError."""
        with contextlib.ExitStack() as stack:
            for table in self._tables():
                stack.callback(table.close)

    def _tables(self) -> list[TableWriter]:
        measures = [] if self._measures is None else [self._measures]
        return [self._steps, self._tests, *measures, *self._arrays.values()]


def _scalars(names: Sequence[str]) -> np.dtype[Any]:
    return np.dtype([("step", "<i8"), *((name, "<f8") for name in names)])


def _numpy(tensor: torch.Tensor) -> np.ndarray[Any, Any]:
    array: np.ndarray[Any, Any] = tensor.detach().cpu().numpy()
    return array
