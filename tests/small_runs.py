"""Runs of three steps that look as a test wants them to: what lists of runs are tested on."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from grokterm.run.directory import RunDirectory
from grokterm.run.events import append_line
from grokterm.run.table import TableWriter

STARTED = 1_800_000_000.0
"""2027-01-15 08:00 UTC."""
SCALAR = "<f8"


def small_run(
    folder: Path,
    name: str,
    *,
    started: float = STARTED,
    state: str = "finished",
    steps: int = 3,
    planned: int = 3,
    test_loss: float = 0.5,
    phase: str = "memorization",
    marks: Mapping[str, int] | None = None,
    tags: tuple[str, ...] = (),
    **changes: Any,
) -> RunDirectory:
    """Write a run; `changes` such as lr, p, seed or preset lay over its configuration."""
    run = RunDirectory(folder / name)
    run.arrays.mkdir(parents=True)
    run.checkpoints.mkdir()
    run.write_config(_configuration(started, planned, changes))
    _write_tables(run, steps, test_loss)
    _event(run, 0, "state", state="training", device="cpu", threads=2, knobs={"lr": 1e-3, "steps": planned})
    _event(run, 0, "phase", phase=phase, at=0, why="a test")
    for mark, at in (marks or {}).items():
        _event(run, steps, "phase", mark=mark, at=at, why="a test")
    if state != "training":
        _event(run, steps, "state", state=state)
    if tags:
        (run.path / "tags.json").write_text(json.dumps(tags))
    return run


def _event(run: RunDirectory, step: int, kind: str, **data: object) -> None:
    append_line(run.events_path, {"event": kind, "step": step, "time": STARTED + step, **data})


def _configuration(started: float, planned: int, changes: Mapping[str, Any]) -> dict[str, Any]:
    config: dict[str, Any] = {
        "format": 1,
        "preset": "mod113",
        "seed": 0,
        "started": started,
        "device": "cpu",
        "task": {"name": "modular", "p": 113, "train_fraction": 0.3},
        "optimizer": {"name": "adamw", "lr": 1e-3, "weight_decay": 1.0, "betas": [0.9, 0.98]},
        "training": {"steps": planned, "seed": 0, "device": "auto"},
    }
    for key, value in changes.items():
        section = next((part for part in ("task", "optimizer", "training") if key in config[part]), None)
        (config if key in config or section is None else config[section])[key] = value
    return config


def _write_tables(run: RunDirectory, steps: int, test_loss: float) -> None:
    train = np.dtype([("step", "<i8"), ("time", SCALAR), ("train_loss", SCALAR), ("train_accuracy", SCALAR)])
    test = np.dtype([("step", "<i8"), ("test_loss", SCALAR), ("test_accuracy", SCALAR)])
    with TableWriter(run.steps_path, train) as table:
        for step in range(steps):
            table.append(step, STARTED + step, 4.0 / (step + 1), 0.25 * step)
    with TableWriter(run.tests_path, test) as table:
        for step in range(steps):
            table.append(step, test_loss, 0.125 * step)
    clusters = np.dtype([("step", "<i8"), ("value", "<f8", (5,))])
    with TableWriter(run.arrays / "neuron_clusters.npy", clusters) as table:
        table.append(0, [1, 1, 1, 1, 1])
        table.append(2, [0, 3, 0, 0, 12])
