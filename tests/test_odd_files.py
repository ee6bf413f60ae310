"""Runs that somebody else wrote: whatever run.toml and the events say, every view of the run is drawn."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import grokterm
from grokterm.catalog import Catalog
from grokterm.errors import RunError
from grokterm.export import csv
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
from grokterm.tui.panels.log import Log
from grokterm.tui.replay.playhead import comfortable_speed, timeline_of
from tests.odd_run import Counted
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
        {"event": "state", "state": "resumed"},
        {"event": "state", "state": "resumed", "keeps": 0, "step": HUGE, "why": [1], "checkpoint": {}},
        {"event": "state", "state": "resumed", "keeps": 2, "step": -HUGE, "knobs": {"steps": "nan"}, "device": [1]},
        {"event": "state", "state": "resumed", "keeps": HUGE, "why": "a\x1b[31m" * 50, "time": "inf"},
        {"event": "state", "state": "detached", "device": {}},
        {"event": "fork", "run": ["x"], "at": "nan"},
        {"event": "fork"},
        {"event": "waited", "why": {}, "seconds": "-inf"},
        {"event": "edit", "knob": "lr", "old": 1, "new": 2, "scheduled": [], "why": {}},
        {"event": "error", "diverged": True, "good": "nan"},
    ],
)
def test_whatever_an_event_says(tmp_path: Path, other: RunDirectory, event: dict[str, Any]) -> None:
    run = record(tmp_path, 40)
    with run.events_path.open("a") as file:
        file.write(json.dumps({"step": 20, "time": 1.8e9, **event}) + "\n")
    look_at_everything(run, other)


LATER_EVENTS: list[dict[str, object]] = [
    {"event": "cosmic_ray", "bits": [1, {"a": "nan"}], "state": "broken", "phase": "x", "at": 3, "request": "none"},
    {"event": "state", "state": "migrating", "to": "elsewhere", "knobs": {"lr": 7.0, "momentum": 9}},
    {"event": "edit", "knob": "momentum", "old": 0.1, "new": 0.2, "moments": "halved", "by": {"who": "x"}},
    {"event": "phase", "season": "spring", "at": 3, "why": "x"},
    {"event": "note", "text": "a note", "image": "iVBORw0KGgo=", "position": [1, 2]},
]


def add_what_a_later_version_may(run: RunDirectory) -> None:
    """Events, fields, columns, tables, files, requests and settings that nobody knows yet."""
    last = run.events_path.read_bytes().splitlines()[-1] + b"\n"
    lines = [json.dumps({"step": 40, "time": 1.8e9, **event}) + "\n" for event in LATER_EVENTS]
    with run.events_path.open("ab") as file:
        file.write("".join(lines).encode() + last)
    with run.inbox_path.open("a") as text:
        text.write('{"id": "b1", "time": 1, "from": "x:1", "do": "dance", "steps": [1]}\n{"ask": "nicely"}\n')
    config = run.config_path.read_text().replace("format = 1", 'format = 1\nlicence = "x"\nnested = {a = [{b = 1}]}')
    run.config_path.write_text(f"{config}\n[later]\nx = 1\n[[later.list]]\ny = 2\n")
    rows = read_table(run.steps_path).copy()
    run.steps_path.unlink()
    dtype = np.dtype([*((n, rows.dtype[n]) for n in rows.dtype.names or ()), ("sharpness", "<f8"), ("who", "S3")])
    with TableWriter(run.steps_path, dtype) as table:
        for row in rows:
            table.append(*row.tolist(), 0.5, b"abc")
    for name, shape in (("hessian", (2, 3, 4)), ("loss_by_class", (5,))):
        with TableWriter(run.arrays / f"{name}.npy", [("step", "<i8"), ("value", "<f4", shape)]) as table:
            table.append(0, np.zeros(shape))
    for name in (
        "later.bin",
        "steps.idx",
        "arrays/README",
        "checkpoints/best.safetensors",
        "checkpoints/000000020.zst",
    ):
        (run.path / name).write_bytes(b"\0" * 10)
    (run.path / "later" / "steps.npy").mkdir(parents=True)


def test_what_a_later_version_adds_is_passed_over_everywhere(tmp_path: Path, other: RunDirectory) -> None:
    run = record(tmp_path, 40)
    before = look_at_everything(run, other)
    told, summary, page = closing(before), summarize(run), markdown(page_of(before, alive=False))
    add_what_a_later_version_may(run)
    after = look_at_everything(run, other)
    assert closing(after) == told
    assert after.problems == ()
    assert [event.kind for event in after.events[len(before.events) :]] == [
        *(str(event["event"]) for event in LATER_EVENTS),
        "state",
    ]
    assert (after.state, after.step, after.phases, after.marks) == (
        *(before.state, before.step, before.phases, before.marks),
    )
    assert {knob: value for knob, value in after.knobs.items() if knob != "momentum"} == before.knobs
    assert set(after.names()) == {*before.names(), "sharpness"}
    assert set(after.array_names()) == {*before.array_names(), "hessian", "loss_by_class"}
    listed = summarize(run)
    assert listed is not None
    assert summary is not None
    same = ("state", "problem", "step", "steps", "train_loss", "test_loss", "phase", "memorized_at", "grokked_at")
    assert [getattr(listed, name) for name in same] == [getattr(summary, name) for name in same]
    assert _section(markdown(page_of(after, alive=False)), "## Phases") == _section(page, "## Phases")
    rows = Log().draw(after, Looks(), 60, 12).rows
    assert ["".join(span.text for span in row).split()[1] for row in rows][-6:-4] == ["cosmic_ra", "state"]
    assert grokterm.open_run(run.path).checkpoints == ()


def test_what_a_later_version_adds_is_exported(tmp_path: Path) -> None:
    run = record(tmp_path, 40)
    add_what_a_later_version_may(run)
    (tmp_path / "out").mkdir()
    csv.write(run, tmp_path / "out", Counted())
    steps = (tmp_path / "out" / "steps.csv").read_text().splitlines()
    assert steps[0].endswith(",sharpness")  # what holds no number is left out
    assert len(steps) == 41
    events = (tmp_path / "out" / "events.csv").read_text()
    assert 'cosmic_ray,"{""bits"": [1, {""a"": ""nan""}]' in events
    assert (tmp_path / "out" / "arrays" / "hessian.csv").read_text().startswith("step,value/0/0/0,")


def _section(text: str, head: str) -> str:
    return text.partition(head)[2].partition("\n## ")[0]


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
