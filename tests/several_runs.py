"""Several runs to compare: in memory as a comparison sees them, or on disk as `record` writes them."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w

from grokterm.history import ArraySeries, Series
from grokterm.run.directory import RunDirectory
from grokterm.run.events import Event, EventLog
from grokterm.tui.compare.compared import Compared
from tests.recorded import record


def configuration(seed: int = 0, **settings: Any) -> dict[str, Any]:
    """What a run.toml says; `settings` such as lr, p or steps lay over it."""
    config: dict[str, Any] = {
        "format": 1,
        "preset": "mod113",
        "started": 1.8e9 + seed,
        "seed": seed,
        "device": "cpu",
        "task": {"name": "modular", "p": 113},
        "model": {"name": "transformer", "d_model": 128},
        "optimizer": {"name": "adamw", "lr": 1e-3, "betas": [0.9, 0.98]},
        "training": {"steps": 400, "seed": seed, "measure_every": 20},
    }
    for key, value in settings.items():
        section = next((part for part in ("task", "optimizer", "training") if key in config[part]), None)
        (config if section is None else config[section])[key] = value
    return config


def edit(step: int, knob: str, new: float) -> Event:
    return Event(step, 1.8e9 + step, "edit", {"knob": knob, "old": 1.0, "new": new, "moments": "kept", "request": "a"})


def series(steps: Sequence[int], values: Sequence[float]) -> Series:
    return Series(np.array(steps, np.int64), np.array(values, np.float64))


def compared(
    name: str = "mine",
    *,
    config: Mapping[str, Any] | None = None,
    memorised: int | None = None,
    grokked: int | None = None,
    edits: Sequence[Event] = (),
    clusters: Sequence[float] = (),
    **recorded: Series,
) -> Compared:
    """A finished run of 100 steps in /runs with these series; `clusters` are the neurons of every frequency."""
    marks = {"memorized_at": memorised, "grokked_at": grokked}
    array = ArraySeries(np.array([0], np.int64), np.array([clusters], np.float64))
    return Compared(
        name=name,
        path=f"/runs/{name}",
        config=configuration() if config is None else config,
        state="finished",
        step=100,
        phase_marks={mark: step for mark, step in marks.items() if step is not None},
        edits=tuple(edits),
        series=recorded,
        arrays={"neuron_clusters": array} if len(clusters) else {},
    )


def recorded_runs(folder: Path, *configurations: Mapping[str, Any], steps: int = 400) -> list[RunDirectory]:
    """A recorded run for every configuration, called run-0, run-1, …; run i memorised at 20 + 10 i."""
    made = []
    for index, config in enumerate(configurations):
        written = record(folder, steps)
        path = folder / f"2027-03-04-11300{index}-run"
        shutil.move(written.path, path)
        run = RunDirectory(path)
        run.config_path.write_bytes(tomli_w.dumps(config).encode())
        events = EventLog(run.events_path)
        events.write("phase", steps, mark="memorized_at", at=20 + 10 * index, why="test")
        events.write("phase", steps, mark="grokked_at", at=200 + 10 * index, why="test")
        made.append(run)
    return made
