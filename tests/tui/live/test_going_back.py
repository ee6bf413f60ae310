"""Undo, fork, divergence, a trainer that dies, comes back or goes on in a fork: how the live screen shows it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from textual.widgets import Input, Static

from grokterm.drawing.cells import Markers
from grokterm.run import checkpoint
from grokterm.run.directory import RunDirectory
from grokterm.run.events import EventLog, LineTail, append_line
from grokterm.run.fork import fork
from grokterm.run.lock import Lock
from grokterm.run.table import TableWriter, read_table
from grokterm.tui.live import liveness
from grokterm.tui.live.app import LiveApp
from grokterm.tui.rows import RowsView
from grokterm.tui.screens.ask import AskChoice
from grokterm.tui.screens.fork import ForkScreen
from tests.pilots import until
from tests.recorded import KNOBS, NoTraining, record

STEPS = 400
AT_REST = {"phases": {}, "schedule": {}, "paused": False, "diverged": False, "busy": 0.0, "measuring": 0.0}
CADENCES = {"steps": STEPS, "test_every": 1, "measure_every": 20, "checkpoint_every": 100}


@pytest.fixture(autouse=True)
def looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grokterm.tui.live.screen.LOOK_SECONDS", 0.0)


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    """A run with full checkpoints at steps 0, 200 and 400, and an edit of weight decay at step 200."""
    run = record(tmp_path, STEPS, state="training")
    for step, edits in ((0, 0), (STEPS // 2, 0), (STEPS, 1)):
        state = {"knobs": {**KNOBS, **CADENCES}, "edits": edits, "events": 3, "evaluated": step, **AT_REST}
        tensors = {"model/W": np.zeros(3, np.float32)}
        checkpoint.write(run.checkpoints, step, tensors, kind="full", state=state)
    return run


@pytest.fixture
def living(run: RunDirectory) -> Iterator[LiveApp]:
    with Lock(run):
        yield app_for(run)


def app_for(run: RunDirectory, *, read_only: bool = False, markers: Markers = "braille") -> LiveApp:
    return LiveApp(run, NoTraining(here=False), frame_budget=1.0, markers=markers, read_only=read_only)


def header(app: LiveApp) -> str:
    return app.run_screen.query_one("#header", RowsView).text


def hints(app: LiveApp) -> str:
    return app.run_screen.query_one("#hints", RowsView).text


def dialog(app: LiveApp) -> str:
    return " ".join(" ".join(str(part.render()) for part in app.screen.query(Static)).split())


def painted(app: LiveApp) -> str:
    """What the terminal shows, dialog and all."""
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


def asked(run: RunDirectory) -> list[dict[str, object]]:
    left_out = ("id", "time", "from")
    return [{key: item for key, item in line.items() if key not in left_out} for line in LineTail(run.inbox_path).new()]


def diverge(run: RunDirectory, good: int = STEPS // 2) -> None:
    dtype = read_table(run.steps_path).dtype
    with TableWriter(run.steps_path, dtype) as table:
        table.append(STEPS, 2e9, float("nan"), *(0.0,) * (len(dtype.names or ()) - 3))
    events = EventLog(run.events_path)
    events.write("error", STEPS + 1, message="train loss is nan", traceback="", diverged=True, good=good)
    events.write("state", STEPS + 1, state="paused")


# -- undo and fork


async def test_undo_says_what_it_takes_back_and_asks_once(living: LiveApp, run: RunDirectory) -> None:
    async with living.run_test(size=(120, 40)) as pilot:
        await pilot.press("u")
        await until(pilot, lambda: isinstance(living.screen, AskChoice))
        assert "undo wd 1 → 2 at step 200: training goes back to step 200" in dialog(living)
        await pilot.press("c", "u", "escape")
        assert not asked(run)
        await pilot.press("u", "u")
        assert asked(run) == [{"do": "rewind", "undo": True}]
        assert "undo (asked)" in header(living)


async def test_undo_names_every_knob_of_an_intervention_and_the_rest_once(living: LiveApp, run: RunDirectory) -> None:
    events = EventLog(run.events_path)
    for knob, old, new in (("lr", 1e-3, 5e-4), ("weight_decay", 2.0, 1.0)):
        events.write("edit", 300, knob=knob, old=old, new=new, moments="reset", scheduled=0, why="at 300")
    async with living.run_test(size=(120, 40)) as pilot:
        await pilot.press("u")
        await until(pilot, lambda: isinstance(living.screen, AskChoice))
        assert "undo lr 0.001 → 0.0005 and wd 2 → 1 (moments reset) at step 300: training goes back" in dialog(living)


async def test_undo_without_an_intervention_says_so(tmp_path: Path) -> None:
    run = record(tmp_path, STEPS, state="training")
    lines = run.events_path.read_text().splitlines(keepends=True)
    run.events_path.write_text("".join(line for line in lines if '"edit"' not in line))
    with Lock(run):
        app = app_for(run)
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.press("u")
            await until(pilot, lambda: "there is no intervention to undo " in hints(app))
            assert app.screen is app.run_screen
            diverge(run)
            await until(pilot, lambda: "diverged at step 401: F fork at 200  lr 0.001" in header(app))
            await pilot.press("u")
            said = "there is no intervention to undo; F forks at the last good step 200 with other knobs"
            assert hints(app).strip() == f"{said[:78]}…"


@pytest.mark.parametrize("state", ["finished", "stopped", "failed"])
async def test_a_run_that_has_ended_opens_no_dialog(run: RunDirectory, state: str) -> None:
    EventLog(run.events_path).write("state", STEPS, state=state)
    app = app_for(run)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        for keys, said in (
            ("senl", "nothing can be changed any more"),
            ("uF", "`grokterm fork` or F in a replay goes back"),
        ):
            for key in keys:
                app.run_screen.say("")
                await pilot.press(key)
                assert f"training has ended ({state}): {said} " in hints(app), key
                assert app.screen is app.run_screen
        assert not asked(run)


# -- dialogs


@pytest.mark.parametrize("key", ["u", "F", "e", "s", "n"])
async def test_a_dialog_is_left_with_either_key_and_the_screen_under_it_goes_on(
    living: LiveApp, run: RunDirectory, key: str
) -> None:
    async with living.run_test(size=(80, 24)) as pilot:
        await pilot.press(key)
        await until(pilot, lambda: living.screen is not living.run_screen)
        dtype = read_table(run.tests_path).dtype
        with TableWriter(run.tests_path, dtype) as table:
            table.append(STEPS + 7, 0.1, 0.9)
        await until(pilot, lambda: "step 407 / 400" in header(living))
        await until(pilot, lambda: "step 407 / 400" in painted(living))
        assert not any(line.cursor_blink for line in living.screen.query(Input))
        await pilot.press("ctrl+c")
        assert living.screen is living.run_screen
        await pilot.press(key, "escape")
        assert living.screen is living.run_screen
        if key != "u":
            await pilot.press(key, *"lr 1", "ctrl+c")
            assert living.screen is living.run_screen
        assert not asked(run)


@pytest.mark.parametrize("line", ["lr 2e-3 wd 0.5", "lr=2e-3, wd=0.5"])
async def test_a_fork_here_and_now_holds_the_newest_knobs(living: LiveApp, run: RunDirectory, line: str) -> None:
    async with living.run_test(size=(80, 24)) as pilot:
        await pilot.press("F")
        await until(pilot, lambda: isinstance(living.screen, ForkScreen))
        assert living.screen.query_one(".box").border_title == "Fork here and now"
        assert "This run is saved and stops; `grokterm resume` goes on with it." in dialog(living)
        assert "no knob changes" in dialog(living)
        await pilot.press(*line)
        assert "lr 0.001 → 0.002 (× 2)" in dialog(living)
        assert "weight_decay 2 → 0.5 (× 0.25)" in dialog(living)
        await pilot.press("ctrl+r", "enter")
        (request,) = asked(run)
        assert request == {"do": "rewind", "set": {"lr": 0.002, "weight_decay": 0.5}, "moments": "reset"}


async def test_a_fork_at_the_cursor_holds_the_knobs_of_that_step(living: LiveApp, run: RunDirectory) -> None:
    async with living.run_test(size=(80, 24)) as pilot:
        living.run_screen.go_to_step(STEPS // 2)
        await pilot.press("F")
        await until(pilot, lambda: isinstance(living.screen, ForkScreen))
        assert living.screen.query_one(".box").border_title == "Fork at step 200"
        await pilot.press(*"wd 0.5")
        assert "weight_decay 1 → 0.5" in dialog(living)
        await pilot.press(*("backspace",) * 6, "enter")
        assert asked(run) == [{"do": "rewind", "step": 200, "set": {}, "moments": "kept"}]


async def test_a_fork_between_checkpoints_says_what_is_computed_again(living: LiveApp) -> None:
    async with living.run_test(size=(80, 24)) as pilot:
        living.run_screen.go_to_step(250)
        await pilot.press("F")
        await until(pilot, lambda: isinstance(living.screen, ForkScreen))
        assert "from the checkpoint at step 200" in dialog(living)


async def test_a_fork_asks_again_before_a_big_jump_and_not_for_what_cannot_be(
    living: LiveApp, run: RunDirectory
) -> None:
    async with living.run_test(size=(80, 24)) as pilot:
        await pilot.press("F", *"lrr 3", "enter")
        assert "did you mean 'lr'?" in dialog(living)
        await pilot.press(*("backspace",) * 5, *"lr 3", "enter")
        assert "a big jump" in dialog(living)
        assert not asked(run)
        await pilot.press("enter")
        assert [request["set"] for request in asked(run)] == [{"lr": 3}]


async def test_training_is_followed_into_its_fork(living: LiveApp, run: RunDirectory) -> None:
    async with living.run_test(size=(120, 40)) as pilot:
        living.run_screen.go_to_step(STEPS)
        await pilot.press("e")
        child = fork(run, None, undo=True)
        with Lock(child):
            events = EventLog(run.events_path)
            events.write("fork", STEPS, run=child.name, at=200)
            events.write("state", STEPS, state="stopped")
            before = living.run_screen
            await until(pilot, lambda: living.history.run == child and living.screen.query("#hints"))
            after = living.run_screen
            before._go_along()  # its timer may ring once more until it is removed
            assert living.run_screen is after
            resumed = {"state": "resumed", "keeps": 3, "knobs": dict(KNOBS)}
            EventLog(child.events_path).write("state", 200, **resumed)
            EventLog(child.events_path).write("edit", 200, knob="lr", old=1.0, new=2.0, moments="kept", scheduled=0)
            await until(pilot, lambda: "went back to step 200: this is the fork recorded-from-200" in hints(living))
            await until(pilot, lambda: "training" in header(living))
            assert living.run_screen.looks.cursor is None
            await pilot.press("L")
            assert [request["value"] for request in asked(child)] == [4.0]
            assert living.history.parent is not None
            assert living.history.parent.run == run
            living.run_screen.go_to_step(100)
            await pilot.press("F", *"lr 2e-3")
            await until(pilot, lambda: "lr 0.001 → 0.002" in dialog(living))


async def test_a_fork_that_was_left_in_turn_is_passed_through(run: RunDirectory) -> None:
    first = fork(run, None)
    second = fork(run, None)
    for left, child in ((run, first), (first, second)):
        EventLog(left.events_path).write("fork", STEPS, run=child.name, at=STEPS)
        EventLog(left.events_path).write("state", STEPS, state="stopped")
    app = app_for(run)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.history.run == second)


async def test_a_run_that_is_about_to_go_on_is_not_left(living: LiveApp, run: RunDirectory) -> None:
    EventLog(run.events_path).write("fork", STEPS, run=fork(run, None).name, at=STEPS)
    EventLog(run.events_path).write("state", STEPS, state="stopped")
    app = app_for(run)  # somebody holds it and loads torch: it is resumed
    async with app.run_test(size=(80, 24)):
        app.run_screen.tick()
        assert app.history.run == run


async def test_a_run_that_went_on_after_it_was_left_is_not_left_again(run: RunDirectory) -> None:
    events = EventLog(run.events_path)
    child = fork(run, None)
    events.write("fork", STEPS, run=child.name, at=STEPS)
    events.write("state", STEPS, state="stopped")
    events.write("state", STEPS, state="resumed", keeps=99, knobs={})
    with Lock(run):
        app = app_for(run)
        async with app.run_test(size=(80, 24)) as pilot:
            events.write("note", STEPS, text="later")
            await until(pilot, lambda: "later" in hints(app))
            assert app.history.run == run


@pytest.mark.parametrize("name", ["gone", "../elsewhere", ""])
async def test_a_fork_that_is_not_there_is_not_followed(living: LiveApp, run: RunDirectory, name: str) -> None:
    async with living.run_test(size=(120, 40)) as pilot:
        append_line(run.events_path, {"event": "fork", "step": STEPS, "time": 0, "run": name, "at": 0})
        append_line(run.events_path, {"event": "state", "step": STEPS, "time": 0, "state": "stopped"})
        await until(pilot, lambda: "stopped" in header(living))
        assert living.history.run == run


# -- divergence


@pytest.mark.parametrize(("width", "height"), [(80, 24), (200, 50)])
async def test_divergence_offers_undo_and_the_last_good_step(
    living: LiveApp, run: RunDirectory, width: int, height: int
) -> None:
    async with living.run_test(size=(width, height)) as pilot:
        diverge(run)
        await until(pilot, lambda: "diverged at step 401" in hints(living))
        await until(pilot, lambda: "diverged at step 401" in header(living))
        assert "u undo" in header(living)
        assert "lr 0.001" in header(living)
        EventLog(run.events_path).write("state", STEPS + 1, state="training")
        await until(pilot, lambda: "diverged" not in header(living))
        await pilot.press("F")  # going on does not mend it
        await until(pilot, lambda: isinstance(living.screen, ForkScreen))
        assert living.screen.query_one(".box").border_title == "Fork at the last good step 200"
        await pilot.press(*"lr 1e-6", "enter")
        assert [(request["step"], request["set"]) for request in asked(run)] == [(200, {"lr": 1e-6})]
        living.run_screen.go_to_step(STEPS // 2)
        await pilot.press("F")
        assert living.screen.query_one(".box").border_title == "Fork at step 200"


async def test_divergence_offers_nothing_to_who_only_looks(run: RunDirectory) -> None:
    diverge(run)
    with Lock(run):
        app = app_for(run, read_only=True)
        async with app.run_test(size=(120, 40)) as pilot:
            await until(pilot, lambda: "diverged at step 401 and is paused" in header(app))
            assert "undo" not in header(app)


async def test_divergence_without_a_good_step_offers_none(run: RunDirectory) -> None:
    diverge(run, good=-1)
    with Lock(run):
        app = app_for(run)
        async with app.run_test(size=(200, 50)) as pilot:
            await until(pilot, lambda: "is paused: u undoes the last intervention / F forks " in header(app))
            assert "good step" not in header(app)


# -- whether anybody trains


@pytest.mark.parametrize(("width", "markers"), [(80, "braille"), (200, "braille"), (80, "ascii"), (40, "block")])
async def test_a_dead_trainer_is_told_until_another_takes_over(run: RunDirectory, width: int, markers: Markers) -> None:
    lock = Lock(run)
    with lock:
        app = app_for(run, markers=markers)
        async with app.run_test(size=(width, 24)) as pilot:
            await pilot.pause()
            assert "interrupted" not in header(app)
            lock.__exit__(None, None, None)
            await until(pilot, lambda: "interrupted" in header(app))
            assert "nobody trains" in header(app) or f"go on: `grokterm resume {run.name}`" in header(app)
            assert width != 80 or f"grokterm resume {run.name}" in header(app)
            assert width < 200 or f"`grokterm resume {run.path}` goes on with it" in header(app)
            assert " left" not in header(app)  # nor a speed
            assert markers != "ascii" or header(app).isascii()
            await pilot.press("L")
            await until(pilot, lambda: ("go on: " if width == 80 else "nobody trains") in hints(app))
            assert not asked(run)
            with Lock(run):
                await until(pilot, lambda: "interrupted" not in header(app))
                await pilot.press("L")
                assert len(asked(run)) == 1


async def test_a_run_that_ends_is_never_called_interrupted(run: RunDirectory) -> None:
    lock = Lock(run)
    with lock:
        app = app_for(run)
        async with app.run_test(size=(80, 24)):
            EventLog(run.events_path).write("state", STEPS, state="finished")
            lock.__exit__(None, None, None)
            app.run_screen.tick()  # whether it looks at the lock or at the events first: it was told, then let go of
            assert "finished" in header(app)
            assert "interrupted" not in header(app)
            assert "nobody trains" not in hints(app)
            assert "space" not in hints(app)


async def test_what_training_waits_for_is_told_as_long_as_it_waits(run: RunDirectory) -> None:
    with Lock(run) as lock:
        app = app_for(run)
        async with app.run_test(size=(80, 24)) as pilot:
            lock.trouble("steps.npy: No space left on device")
            await until(pilot, lambda: "training waits: steps.npy: No space left on device  lr" in header(app))
            lock.trouble("000000700.safetensors: No space left on device")
            await until(pilot, lambda: "training waits: No space left on device  lr 0.001  wd 2" in header(app))
            await pilot.press("L")
            await until(pilot, lambda: "  waits: No space left on device  lr 0.001 → 0.002 (asked)  wd" in header(app))
            lock.trouble("")
            await until(pilot, lambda: "training waits" not in header(app))


async def test_a_vanished_directory_is_told_until_it_is_back(run: RunDirectory, tmp_path: Path) -> None:
    with Lock(run):
        app = app_for(run)
        async with app.run_test(size=(80, 24)) as pilot:
            run.path.rename(tmp_path / "elsewhere")
            await until(pilot, lambda: "the run's directory has vanished" in header(app))
            (tmp_path / "elsewhere").rename(run.path)
            await until(pilot, lambda: "vanished" not in header(app))


async def test_handing_over_is_told(living: LiveApp, run: RunDirectory) -> None:
    async with living.run_test(size=(80, 24)) as pilot:
        EventLog(run.events_path).write("state", STEPS, state="detached")
        await until(pilot, lambda: "handing over" in header(living))
        EventLog(run.events_path).write("state", STEPS, state="resumed", keeps=99, knobs={})
        await until(pilot, lambda: "handing over" not in header(living))


def test_a_lock_that_cannot_be_read_is_a_problem_and_no_crash(run: RunDirectory) -> None:
    run.lock_path.symlink_to("/dev/null")
    assert "lock cannot be read" in liveness.look(run).problem
    shutil.rmtree(run.path)
    assert liveness.look(run).problem == "the run's directory has vanished"


# -- read-only


async def test_read_only_says_so_and_asks_for_nothing(run: RunDirectory) -> None:
    with Lock(run):
        app = app_for(run, read_only=True)
        async with app.run_test(size=(120, 40)) as pilot:
            await pilot.pause()
            assert "q leave" in hints(app)
            for key in ("space", ".", "l", "L", "w", "W", "e", "u", "F", "s", "n"):
                app.run_screen.say("")
                await pilot.press(key)
                assert "read-only: started with --read-only" in hints(app), key
                assert app.screen is app.run_screen
            assert not asked(run)
            app.run_screen._notice_until = 0.0
            app.run_screen.draw_hints()
            assert not {"pause", "undo", "edit", "detach"} & set(hints(app).split())


# -- what is held back


async def test_what_is_held_back_is_shown_with_its_step_and_changes_no_key(living: LiveApp, run: RunDirectory) -> None:
    line = {"id": "later", "do": "set", "knob": "weight_decay", "value": 7.0, "at": 9000}
    append_line(run.inbox_path, line)
    async with living.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "wd → 7 at 9,000 (asked)" in header(living))
        await pilot.press("W")
        assert asked(run)[-1]["value"] == 4.0
