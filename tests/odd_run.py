"""A tiny run with everything that a file format may stumble over; the same bytes whenever it is made."""

from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from grokterm.run.directory import RunDirectory, create
from grokterm.run.events import append_line
from grokterm.run.table import TableWriter

ODD_NAME = 'naïve, "quoted" [cos]'
CONFIG = {"format": 1, "preset": "odd", "description": "é ∎", "seed": 3, "training": {"steps": 4}}
BEGAN = 1.8e9 + 0.1
EVENTS: list[dict[str, object]] = [
    {"event": "state", "step": 0, "time": BEGAN, "state": "training", "device": "cpu", "knobs": {"lr": 1e-3}},
    {"event": "phase", "step": 0, "time": BEGAN, "phase": "memorization", "at": 0, "why": "training begins"},
    {"event": "edit", "step": 2, "time": BEGAN + 1, "knob": "lr", "old": 1e-3, "new": float("inf"), "moments": "kept"},
    {"event": "note", "step": 2, "time": BEGAN + 1, "text": 'a "b",\n<i>é ∎</i> \x1b[31m', "request": "a2"},
    {"event": "note", "step": 2, "time": BEGAN + 1, "text": "nan", "request": "a3"},
    {"event": "cosmic_ray", "step": 3, "time": BEGAN + 2, "bits": [1, 2], "energy": float("nan")},
    {"event": "state", "step": 4, "time": BEGAN + 3, "state": "finished"},
]


def record_odd(runs: Path) -> RunDirectory:
    """Write four steps: NaN, infinities, -0.0, the least number there is; names with / and "; a torn last row."""
    run = create(runs, "odd", datetime(2027, 3, 4, 11, 30))
    run.write_config(CONFIG)
    with TableWriter(run.steps_path, _scalars("time", "train_loss", "lr")) as table:
        for step, loss in enumerate((0.1 + 0.2, float("nan"), float("inf"), 5e-324)):
            table.append(step, BEGAN + step / 3, loss, 1e-3)
    with TableWriter(run.tests_path, _scalars("test_loss")) as table:
        for step, loss in enumerate((1e22, -0.0, float("-inf"), 1.7976931348623157e308, -np.pi)):
            table.append(step, loss)
    with run.tests_path.open("ab") as file:
        file.write(b"torn")
    with TableWriter(run.measures_path, _scalars("weight_norm_sq/W_E", ODD_NAME)) as table:
        table.append(0, 1 / 3, 1e-300)
        table.append(3, float("nan"), 2.0**53 + 2)
    _write_array(run, "spectrum", np.array([[0.1, np.nan, -np.inf], [1e-45, -0.0, 16777217]], "<f4"))
    _write_array(run, "weights", np.array([[[1, 2], [3, 0.1]], [[np.inf, 5], [6, 7]]], "<f8"))
    for event in EVENTS:
        append_line(run.events_path, event)
    return run


def _write_array(run: RunDirectory, name: str, values: NDArray[np.floating]) -> None:
    with TableWriter(
        run.arrays / f"{name}.npy", np.dtype([("step", "<i8"), ("value", values.dtype.str, values.shape[1:])])
    ) as table:
        for step, value in zip((0, 3), values, strict=True):
            table.append(step, value)


def _scalars(*names: str) -> np.dtype[np.void]:
    return np.dtype([("step", "<i8"), *((name, "<f8") for name in names)])


class Counted:
    """A progress that remembers: what there was to do, what was done, in how many pieces."""

    def __init__(self) -> None:
        self.total = -1
        self.done: list[int] = []

    def begin(self, total: int, before: int = 0) -> None:
        assert self.total == -1
        self.total = total

    def advance(self, more: int) -> None:
        self.done.append(more)

    @property
    def is_complete(self) -> bool:
        return self.total == sum(self.done) > 0
