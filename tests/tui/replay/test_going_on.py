"""F in a replay: a fork at the playhead, with other knobs, which is what the replay is left with."""

from pathlib import Path

import numpy as np
import pytest
from textual.widgets import Static

from grokterm.ancestry import find_parents
from grokterm.catalog import Catalog
from grokterm.history import History
from grokterm.run import checkpoint
from grokterm.run.directory import RunDirectory
from grokterm.run.events import EventLog
from grokterm.run.fork import fork
from grokterm.tui.moments import moments
from grokterm.tui.replay.app import ReplayApp
from grokterm.tui.rows import RowsView
from grokterm.tui.screens.fork import ForkScreen, knobs_before
from tests.pilots import until
from tests.recorded import KNOBS, record

STEPS = 400
CADENCES = {"steps": STEPS, "test_every": 1, "measure_every": 20, "checkpoint_every": 100}
AT_REST = {"schedule": {}, "paused": False, "diverged": False, "busy": 0.0, "measuring": 0.0}


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    """A finished run with full checkpoints at steps 0 and 200, and an edit of weight decay at step 200."""
    run = record(tmp_path, STEPS)
    for step in (0, STEPS // 2):
        state = {"knobs": {**KNOBS, **CADENCES}, "edits": 0, "events": 3, "evaluated": step, "phases": {}}
        tensors = {"model/W": np.zeros(3, np.float32)}
        checkpoint.write(run.checkpoints, step, tensors, kind="full", state={**state, **AT_REST})
    return run


def polled(run: RunDirectory) -> History:
    history = History(run)
    history.poll()
    return history


def replaying(run: RunDirectory, start: int, *, playing: bool = False) -> ReplayApp:
    return ReplayApp(polled(run), Catalog(), markers="braille", start=start, playing=playing)


def dialog(app: ReplayApp) -> str:
    return " ".join(" ".join(str(part.render()) for part in app.screen.query(Static)).split())


async def test_it_leaves_the_replay_with_a_fork_at_the_playhead(run: RunDirectory, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in run.path.rglob("*")}
    app = replaying(run, 250, playing=True)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("F")
        await until(pilot, lambda: isinstance(app.screen, ForkScreen))
        step = app.replay.position
        assert not app.replay.playhead.playing
        assert app.screen.query_one(".box").border_title == f"Go on live from step {step:,}"
        assert "from the checkpoint at step 200" in dialog(app)
        assert "The recorded run stays as it is." in dialog(app)
        await pilot.press(*"wd 0.5")
        assert "weight_decay 2 → 0.5" in dialog(app)
        await pilot.press("enter")
        await until(pilot, lambda: app.fork is not None)
    made = app.fork
    assert made is not None
    config = made.read_config()
    assert config is not None
    assert config["parent"]["run"] == run.name
    assert config["interventions"][-1] == {
        "at": step,
        "set": {"weight_decay": 0.5},
        "moments": "kept",
        "by_hand": True,
    }
    assert {path: path.stat().st_mtime_ns for path in run.path.rglob("*")} == before


async def test_without_a_change_the_fork_repeats_the_run(run: RunDirectory) -> None:
    app = replaying(run, STEPS // 2)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("F")
        await until(pilot, lambda: isinstance(app.screen, ForkScreen))
        assert "checkpoint" not in dialog(app)
        await pilot.press("escape", "F", "enter")
        await until(pilot, lambda: app.fork is not None)
    assert app.fork is not None
    assert "interventions" not in (app.fork.read_config() or {})


async def test_a_run_without_a_checkpoint_to_start_from_says_so(tmp_path: Path) -> None:
    app = replaying(record(tmp_path, STEPS), 100)
    async with app.run_test(size=(200, 50)) as pilot:
        await pilot.press("F")
        await until(pilot, lambda: "checkpoint" in app.replay.query_one("#hints", RowsView).text)
        assert app.screen is app.replay
    assert app.fork is None
    assert len(list(tmp_path.iterdir())) == 1


async def test_what_the_fork_refuses_is_told_and_nothing_is_made(run: RunDirectory) -> None:
    app = replaying(run, 250)
    async with app.run_test(size=(200, 50)) as pilot:
        await pilot.press("F", *"steps 100", "enter")
        await until(
            pilot,
            lambda: "steps = 100: the fork is at step 250 by then" in app.replay.query_one("#hints", RowsView).text,
        )
        assert app.screen is app.replay
    assert app.fork is None
    assert len(list(run.path.parent.iterdir())) == 1


# -- what it stands on


def test_knobs_before_a_step_are_those_without_its_edits(run: RunDirectory) -> None:
    history = polled(run)
    assert [knobs_before(history, step)["weight_decay"] for step in (0, 200, 201, 400)] == [1.0, 1.0, 2.0, 2.0]
    EventLog(run.events_path).write("edit", 150, knob="lr", old=1e-3, new=2e-3, moments="kept")
    child = fork(run, 300)
    young = polled(child)
    find_parents(young)
    assert knobs_before(young, 100)["weight_decay"] == 1.0  # before the fork's own first step: its parent's
    assert [knobs_before(young, step)["lr"] for step in (150, 151)] == [1e-3, 2e-3]


def test_the_moments_of_a_fork_include_what_was_done_before_it(run: RunDirectory) -> None:
    child = polled(fork(run, 300))
    find_parents(child)
    found = [(moment.step, moment.text) for moment in moments(child)]
    assert [step for step, _ in found] == [0, 80, 300]
    assert found[2][1] == f"begins as a fork of {run.name}"
