"""A small recorded run made of formulas: what viewer tests look at, without torch."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from grokterm.catalog import Catalog
from grokterm.errors import GroktermError
from grokterm.run.directory import RunDirectory, create
from grokterm.run.events import EventLog
from grokterm.run.table import TableWriter

KNOBS = {"lr": 1e-3, "weight_decay": 1.0, "beta1": 0.9, "beta2": 0.98, "eps": 1e-8}
P = 23
KEYS = (3, 7)


class NoTraining:
    """A training that never does anything, as if in a thread of this process, or (`here` False) in another process."""

    def __init__(self, *, alive: bool = True, here: bool = True) -> None:
        self.here = here
        self.directory = RunDirectory(Path())
        self.error: GroktermError | None = None
        self.preset_name = "recorded"
        self.catalog = Catalog()
        self.is_started = True
        self._alive = alive

    def start(self) -> None:
        pass

    def is_alive(self) -> bool:
        return self._alive

    def join(self, timeout: float | None = None) -> None:
        self._alive = False


def record(runs: Path, steps: int = 400, *, state: str = "finished") -> RunDirectory:
    """Write a run of `steps` steps whose curves look like grokking; key frequencies 3 and 7 of p = 23."""
    run = create(runs, "recorded")
    run.write_config({"format": 1, "preset": "recorded", "training": {"steps": steps}})
    _write_tables(run, steps)
    _write_measures(run, steps)
    events = EventLog(run.events_path)
    knobs = {**KNOBS, "steps": steps, "test_every": 1, "measure_every": 20, "checkpoint_every": 100}
    events.write("state", 0, state="training", device="cpu", threads=2, knobs=knobs)
    events.write("phase", 0, phase="memorization", at=0, why="training begins")
    events.write("phase", steps // 4, phase="circuit formation", at=steps // 5, why="test")
    events.write("edit", steps // 2, knob="weight_decay", old=1.0, new=2.0, moments="kept", request="a1")
    events.write("note", steps // 2, text="[bold]odd[/bold] \x1b[31m", request="a2")
    if state != "training":
        events.write("state", steps, state=state)
    return run


def _write_tables(run: RunDirectory, steps: int) -> None:
    columns = ("time", "train_loss", "train_accuracy", "grad_norm", "update_norm", *KNOBS)
    with TableWriter(run.steps_path, _scalars(*columns)) as table:
        for step in range(steps):
            loss = 4.7 * float(np.exp(-step / 30)) + 1e-7
            table.append(step, 1.8e9 + step / 20, loss, 1 - loss / 4.7, loss, 0.1, *KNOBS.values())
    with TableWriter(run.tests_path, _scalars("test_loss", "test_accuracy")) as table:
        for step in range(steps):
            share = 1 / (1 + float(np.exp((steps * 0.6 - step) / (steps / 40))))
            table.append(step, 8 * (1 - share) + 1e-6, share)


def _write_measures(run: RunDirectory, steps: int) -> None:
    names = ("seconds", "measures_share", "excluded_loss", "excluded_loss_max", "restricted_loss", "gini_embedding")
    norms = ("weight_norm", "weight_norm_sq", "weight_norm_sq/W_E", "weight_norm_sq/W_U", "logit_margin_mean", "mine")
    with TableWriter(run.measures_path, _scalars(*names, *norms)) as table:
        for step in range(0, steps, 20):
            x = step / steps
            table.append(
                step, 0.01, 0.05, 1 + 8 * x, 1 + 4 * x, 5 - 4.9 * x, x, 50.0, 2500 - 1500 * x, 90.0, 60.0, x, x
            )
    spectrum, clusters = np.ones(P, np.float32), np.zeros((P - 1) // 2)
    vectors: dict[str, NDArray[np.floating]] = {
        "fourier_embedding": spectrum,
        "neuron_clusters": clusters,
        "excluded_loss_k": clusters + 1,
    }
    for name, vector in vectors.items():
        dtype = np.dtype([("step", "<i8"), ("value", vector.dtype.str, vector.shape)])
        with TableWriter(run.arrays / f"{name}.npy", dtype) as table:
            for step in range(0, steps, 20):
                for k in KEYS:
                    if name == "fourier_embedding":
                        vector[2 * k - 1 : 2 * k + 1] = 1 + 5 * step / steps
                    elif step > steps // 2:
                        vector[k - 1] = 12
                table.append(step, vector)


def _scalars(*names: str) -> np.dtype[np.void]:
    return np.dtype([("step", "<i8"), *((name, "<f8") for name in names)])
