"""A fork of a recorded run, made of formulas like it: what tests of panels and comparisons look at."""

import shutil
from pathlib import Path

import tomli_w

from grokterm.run.directory import RunDirectory
from grokterm.run.events import EventLog
from grokterm.run.table import TableWriter, read_table
from tests.recorded import KNOBS, record

FORKED_AT = 250
STARTED = 1.8e9 + 0.5


def parent_and_fork(folder: Path, steps: int = 400, at: int = FORKED_AT) -> tuple[RunDirectory, RunDirectory]:
    """Write a run of `steps` steps and a fork that goes on from step `at` with other numbers.

    The parent turned its weight decay at half way, and its learning rate at `at`, which the fork did not do.
    """
    written = record(folder, steps)
    parent = RunDirectory(folder / "2027-03-04-113000-mother")
    written.path.rename(parent.path)
    config = {"format": 1, "preset": "recorded", "training": {"steps": steps}}
    parent.config_path.write_text(tomli_w.dumps({**config, "started": STARTED}))
    EventLog(parent.events_path).write("edit", at, knob="lr", old=1e-3, new=5e-3, moments="kept")
    return parent, fork_of(parent, "2027-03-04-120000-mother-from-250", at)


def fork_of(parent: RunDirectory, name: str, at: int, started: float = STARTED + 60) -> RunDirectory:
    """Write a fork: the parent's rows from step `at` on, every number half as large."""
    made = RunDirectory(parent.path.parent / name)
    made.arrays.mkdir(parents=True)
    made.checkpoints.mkdir()
    config = parent.read_config()
    assert config is not None
    said = {"run": parent.name, "started": config["started"], "step": at}
    for table in (parent.steps_path, parent.tests_path, parent.measures_path, *parent.arrays.glob("*.npy")):
        rows = read_table(table)
        with TableWriter(made.path / table.relative_to(parent.path), rows.dtype) as written:
            for row in rows[rows["step"] >= at]:
                written.append(*(row[name] if name == "step" else row[name] / 2 for name in rows.dtype.names or ()))
    events = EventLog(made.events_path)
    events.write("phase", 0, phase="memorization", at=0, why="training begins")
    events.write("phase", 100, phase="circuit formation", at=80, why="test")
    events.write("state", at, state="resumed", keeps=2, device="cpu", threads=2, knobs=KNOBS)
    made.config_path.write_text(tomli_w.dumps({**config, "started": started, "parent": said}))
    return made


def remove(run: RunDirectory) -> None:
    shutil.rmtree(run.path)
