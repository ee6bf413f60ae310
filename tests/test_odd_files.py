"""Runs that somebody else wrote: whatever run.toml and the events say, every view of the run is drawn."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grokterm.catalog import Catalog
from grokterm.errors import RunError
from grokterm.export.whole_screen import whole_screen
from grokterm.history import History
from grokterm.listing import table
from grokterm.page.content import page_of
from grokterm.page.markdown import markdown
from grokterm.report import closing, progress_line
from grokterm.run.directory import RunDirectory
from grokterm.run.table import TableWriter, read_table
from grokterm.summary import as_json, summarize
from grokterm.text import plain
from grokterm.tui.app import load_panels
from grokterm.tui.compare.compared import Followed
from grokterm.tui.compare.comparison import Comparison
from grokterm.tui.compare.printed import comparison_json, comparison_text
from grokterm.tui.looks import Looks
from grokterm.tui.replay.playhead import comfortable_speed, timeline_of
from tests.recorded import record

PANELS = load_panels(Catalog())
HUGE = 9_223_372_036_854_775_807


def look_at_everything(run: RunDirectory, other: RunDirectory) -> History:
    history = History(run)
    history.poll()
    for width, height in ((120, 40), (60, 20)):
        for transport in ("", "▶ 1×"):
            whole_screen(history, PANELS, Looks(), width, height, transport=transport)
            whole_screen(history.at(20), PANELS, Looks(), width, height, transport=transport)
    comfortable_speed(timeline_of(history), by_time=True)
    progress_line(history)
    closing(history)
    for alive in (True, False):
        markdown(page_of(history, alive=alive))
    summary = summarize(run)
    assert summary is not None
    json.loads(as_json(summary))
    table([summary], None, plain)
    comparison = Comparison([Followed(each).now for each in (run, other)])
    comparison_text(comparison, 80)
    json.loads(comparison_json(comparison))
    return history


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    return record(tmp_path_factory.mktemp("other"), 40)


@pytest.mark.parametrize(
    "toml",
    [
        'training = "x"',
        "training = [1]",
        '[training]\nsteps = "many"',
        "[training]\nsteps = inf",
        "[training]\nsteps = nan",
        "[training]\nsteps = -5",
        f"[training]\nsteps = {10**400}",
        "[training.steps]\na = 1",
        'versions = "x"\nresolved = 3\ntorch = 2\nnumpy = []',
        "preset = {a = 1}\nseed = inf\nstarted = inf\ndescription = 3",
        "preset = 1979-05-27\nseed = nan\nstarted = 1979-05-27T07:32:00Z\ndevice = []",
        "started = true\nseed = true\ntask = 3\nmodel = 4\noptimizer = []\nsource = 1",
        f"started = 1e300\nseed = {10**400}\n[task]\np = {10**400}",
        "[optimizer]\nlr = nan\nname = {a = 1}\n[task]\nname = []\np = true",
    ],
)
def test_whatever_run_toml_says(tmp_path: Path, other: RunDirectory, toml: str) -> None:
    run = record(tmp_path, 40)
    run.config_path.write_text(toml)
    run.events_path.write_text("")
    look_at_everything(run, other)


@pytest.mark.parametrize(
    "event",
    [
        {"event": "state", "state": "training", "knobs": {"steps": "nan", "lr": "inf", "weight_decay": True}},
        {"event": "state", "state": "training", "knobs": {"steps": "inf", "lr": {}, "beta1": HUGE}},
        {"event": "state", "state": "training", "knobs": {"steps": -1}, "device": [], "threads": {}},
        {"event": "state", "state": "training", "knobs": ["steps"], "device": None},
        {"event": "state", "state": {"a": 1}},
        {"event": "state", "state": "a\x1b[31m" * 50},
        {"event": "edit", "knob": ["lr"], "new": None, "old": {}, "moments": 3},
        {"event": "edit"},
        {"event": "edit", "knob": "steps", "new": "inf"},
        {"event": "phase", "phase": "cleanup", "at": True, "why": ["x"]},
        {"event": "phase", "phase": "cleanup", "at": -HUGE},
        {"event": "phase", "phase": ["cleanup"], "at": HUGE},
        {"event": "phase", "mark": "grokked_at", "at": HUGE, "why": {}},
        {"event": "phase", "mark": ["grokked_at"], "at": "nan"},
        {"event": "phase", "mark": "memorized_at", "at": -HUGE},
        {"event": "note", "text": ["x"]},
        {"event": "snapshot", "note": 3, "checkpoint": []},
        {"event": "error", "message": {}, "traceback": 5},
        {"event": "refused", "why": [1]},
        {"event": "note", "text": "x", "step": HUGE},
        {"event": "note", "text": "x", "step": -HUGE},
        {"event": "note", "text": "x", "time": "nan"},
        {"event": "state", "state": "training", "time": "-inf"},
        {"event": "state", "state": "training", "time": 1e308},
        {"event": "note", "text": "x" * 10_000},
    ],
)
def test_whatever_an_event_says(tmp_path: Path, other: RunDirectory, event: dict[str, Any]) -> None:
    run = record(tmp_path, 40)
    with run.events_path.open("a") as file:
        file.write(json.dumps({"step": 20, "time": 1.8e9, **event}) + "\n")
    look_at_everything(run, other)


@pytest.mark.parametrize("times", [(np.nan, np.nan), (0.0, np.inf), (-np.inf, 0.0), (1e308, 0.0)])
def test_whatever_the_clock_said(tmp_path: Path, other: RunDirectory, times: tuple[float, float]) -> None:
    run = record(tmp_path, 40, state="training")
    rows = read_table(run.steps_path).copy()
    rows["time"] = np.resize(times, len(rows))
    run.steps_path.unlink()
    with TableWriter(run.steps_path, rows.dtype) as table:
        for row in rows:
            table.append(*row.tolist())
    look_at_everything(run, other)


@pytest.mark.parametrize("depth", [900, 50_000])
def test_an_event_too_deep_to_be_followed_is_none(tmp_path: Path, other: RunDirectory, depth: int) -> None:
    run = record(tmp_path, 40)
    with run.events_path.open("a") as file:
        file.write(f'{{"event": "note", "step": 40, "time": 1, "text": {"[" * depth}{"]" * depth}}}\n')
    assert not [event for event in look_at_everything(run, other).events if event.step == 40 and event.kind == "note"]


def test_a_configuration_too_deep_to_be_followed_is_refused_in_a_sentence(tmp_path: Path) -> None:
    run = record(tmp_path, 40)
    run.config_path.write_text(f"preset{'.a' * 3000} = 1\n")
    with pytest.raises(RunError, match=r"run\.toml has tables more than 50 deep in each other$"):
        History(run).poll()


def test_a_file_that_is_no_table_costs_the_run_nothing_else(tmp_path: Path, other: RunDirectory) -> None:
    run = record(tmp_path, 40)
    (run.arrays / "mine.npy").write_bytes(b"junk")
    run.measures_path.write_bytes(b"junk")
    history = look_at_everything(run, other)
    assert [problem.partition(" ")[0] for problem in history.problems] == [
        str(run.measures_path),
        str(run.arrays / "mine.npy"),
    ]
    assert "mine.npy does not begin" in markdown(page_of(history, alive=False)).replace("\\", "")
