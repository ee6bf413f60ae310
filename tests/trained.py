"""A recorded run with the full checkpoints of a trainer, without torch: what forks are made of in tests."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w

from grokterm.run import checkpoint
from grokterm.run.directory import RunDirectory
from grokterm.run.events import EventLog
from grokterm.run.table import TableWriter

KNOBS: dict[str, float] = {"lr": 1e-3, "weight_decay": 1.0, "beta1": 0.9, "beta2": 0.98, "eps": 1e-8}
CADENCES = {"steps": 1000, "test_every": 1, "measure_every": 20, "checkpoint_every": 100}
CONFIG: dict[str, Any] = {
    "format": 1,
    "preset": "mod23",
    "description": "a test",
    "seed": 0,
    "started": 1.8e9 + 0.25,
    "host": "elsewhere",
    "device": "cpu",
    "threads": 2,
    "python": "3.11.0",
    "task": {"name": "modular", "p": 23},
    "model": {"name": "transformer", "d_model": 16},
    "optimizer": {"name": "adamw", "lr": 1e-3, "weight_decay": 1.0, "betas": [0.9, 0.98], "eps": 1e-8},
    "training": {"steps": 1000, "seed": 0},
}

Edit = tuple[int, str, float, Mapping[str, object]]


def by_hand(step: int, knob: str, new: float, moments: str = "kept") -> Edit:
    return step, knob, new, {"moments": moments, "request": f"{knob}{step}"}


def planned(step: int, knob: str, new: float, index: int) -> Edit:
    return step, knob, new, {"moments": "kept", "scheduled": index, "why": f"at {step}"}


def trained(
    folder: Path,
    name: str = "2027-03-04-113000-mod23",
    *,
    steps: int = 1000,
    edits: Sequence[Edit] = (),
    full: Sequence[int] = (),
    config: Mapping[str, Any] | None = None,
    first: int = 0,
    end: str = "finished",
) -> RunDirectory:
    """Write a run of steps `first` to `steps`: full checkpoints at both, before every edit, and at the steps of `full`.

    Weights alone are saved at every hundredth step. It memorizes at step 100, which is told at step 120.
    """
    run = RunDirectory(folder / name)
    run.arrays.mkdir(parents=True)
    run.checkpoints.mkdir()
    events, told, contained, knobs = EventLog(run.events_path), 0, 0, {**KNOBS, **CADENCES}
    fired: list[int] = []

    def tell(kind: str, step: int, **data: object) -> None:
        nonlocal told
        events.write(kind, step, **data)
        told += 1

    if not first:
        tell("state", 0, state="training", device="cpu", threads=2, knobs=knobs)
        tell("phase", 0, phase="memorization", at=0, why="training begins")
    for step in range(first, steps + 1):
        if step == 120:
            tell("phase", 120, mark="memorized_at", at=100, why="a test")
        now = [edit for edit in edits if edit[0] == step]
        if now or step in (first, steps, *full):
            state = {
                "knobs": dict(knobs),
                "edits": contained,
                "events": told,
                "paused": bool(now),
                "evaluated": step - 1,
                "diverged": False,
                "busy": step / 10,
                "measuring": 0.0,
                "phases": {"phase": "memorization"},
                "schedule": {"fired": sorted(set(fired)), "seen": {}},
            }
            checkpoint.write(run.checkpoints, step, tensors(step), kind="full", state=state)
        elif step % 100 == 0:
            state = {"knobs": dict(knobs), "edits": contained, "paused": False}
            checkpoint.write(run.checkpoints, step, tensors(step), kind="weights", state=state)
        for _, knob, new, more in now:
            tell("edit", step, knob=knob, old=knobs[knob], new=new, **more)
            knobs[knob] = new
            contained += 1
            if isinstance(index := more.get("scheduled"), int):
                fired.append(index)
    _write_tables(run, first, steps)
    if end:
        tell("state", steps, state=end)
    run.config_path.write_text(tomli_w.dumps({**CONFIG, **(config or {})}))
    return run


def tensors(step: int) -> dict[str, np.ndarray[Any, Any]]:
    return {"model/w": np.full((2, 3), step, np.float32), "random/torch": np.arange(step % 7 + 1, dtype=np.uint8)}


def _write_tables(run: RunDirectory, first: int, steps: int) -> None:
    columns = [("step", "<i8"), *((name, "<f8") for name in ("time", "train_loss", "train_accuracy", *KNOBS))]
    with TableWriter(run.steps_path, np.dtype(columns)) as table:
        for step in range(first, steps):
            table.append(step, 1.8e9 + step, 4.0 / (step + 1), min(step / 100, 1.0), *KNOBS.values())
    tests = [("step", "<i8"), ("test_loss", "<f8"), ("test_accuracy", "<f8")]
    with TableWriter(run.tests_path, np.dtype(tests)) as table:
        for step in range(first, steps):
            table.append(step, 5.0 + step / steps, step / steps)
