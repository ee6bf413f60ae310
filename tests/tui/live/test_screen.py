"""The run screen on a recorded run: what it shows at which size, and what its keys ask for."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from textual.pilot import Pilot

from grokterm.catalog import Catalog
from grokterm.drawing.cells import Markers
from grokterm.errors import UsageError
from grokterm.run.directory import RunDirectory
from grokterm.run.events import EventLog
from grokterm.run.hindsight import held, read_about
from grokterm.run.hindsight_writer import HindsightWriter
from grokterm.run.lock import Lock
from grokterm.run.table import TableWriter, read_table
from grokterm.tui.live.app import LiveApp
from grokterm.tui.live.budget import FrameBudget
from grokterm.tui.rows import RowsView
from grokterm.tui.screens.panels import PanelView
from tests.measured_run import STEPS as CHECKPOINTS
from tests.measured_run import measure, row
from tests.pilots import until
from tests.recorded import NoTraining, record

SIZES = [(80, 24), (120, 40), (200, 50), (100, 30), (99, 60), (60, 15), (40, 12), (30, 8), (20, 8), (10, 3), (2, 2)]


def app_for(
    run: RunDirectory, *, alive: bool = True, here: bool = True, read_only: bool = False, markers: Markers = "braille"
) -> LiveApp:
    training = NoTraining(alive=alive, here=here)
    return LiveApp(run, training, frame_budget=1.0, markers=markers, read_only=read_only)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[RunDirectory]:
    """A run that somebody trains."""
    with Lock(record(tmp_path, state="training")) as lock:
        yield lock.run


@pytest.fixture
def running(run: RunDirectory) -> LiveApp:
    """The screen of an attached run."""
    return app_for(run, here=False)


@pytest.fixture
def owned(run: RunDirectory) -> LiveApp:
    """The screen of a run that is trained beside it."""
    app = app_for(run)
    EventLog(run.events_path).write("state", 400, state="training")
    return app


async def ready(pilot: Pilot[None], app: LiveApp) -> None:
    await until(pilot, lambda: app.history.step and any(view.text.strip() for view in app.screen.query(PanelView)))
    app.run_screen.draw_everything()
    await pilot.pause()


def screen_text(app: LiveApp) -> str:
    return "\n".join(view.text for view in app.run_screen.query(RowsView) if view.display)


def header(app: LiveApp) -> str:
    return app.run_screen.query_one("#header", RowsView).text


def hints(app: LiveApp) -> str:
    return app.run_screen.query_one("#hints", RowsView).text


def shown(app: LiveApp) -> list[int]:
    return [view.digit for view in app.run_screen.query(PanelView)]


def titles(app: LiveApp) -> list[str]:
    return [str(view.border_title) for view in app.run_screen.query(PanelView)]


def requests(app: LiveApp) -> list[dict[str, object]]:
    path = app.history.run.inbox_path
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.mark.parametrize(("width", "height"), SIZES)
async def test_every_size_shows_the_run(running: LiveApp, width: int, height: int) -> None:
    async with running.run_test(size=(width, height)) as pilot:
        await ready(pilot, running)
        views = list(running.run_screen.query(PanelView))
        assert len(views) == {(100, 30): 4, (120, 40): 4, (200, 50): 6}.get((width, height), 1)
        for view in views:
            lines = view.text.split("\n")
            assert len(lines) == view.content_size.height
            assert {len(line) for line in lines} == {view.content_size.width}
        if height >= 8 and width >= 40:
            assert "400" in screen_text(running)


async def test_resizing_to_anything_survives(running: LiveApp) -> None:
    async with running.run_test(size=(120, 40)) as pilot:
        await ready(pilot, running)
        for width, height in [*SIZES, *reversed(SIZES)]:
            await pilot.resize_terminal(width, height)
            await pilot.pause()
        await until(pilot, lambda: len(running.run_screen.query(PanelView)) == 1)
        await pilot.resize_terminal(120, 40)
        await until(pilot, lambda: len(running.run_screen.query(PanelView)) == 4)
        await ready(pilot, running)
        assert "train" in screen_text(running)


async def test_header_tells_step_phase_and_knobs(running: LiveApp) -> None:
    async with running.run_test(size=(120, 40)) as pilot:
        await ready(pilot, running)
        header = running.run_screen.query_one("#header", RowsView).text
        for expected in ("recorded", "step 400 / 400", "CIRCUIT FORMATION since 80", "lr 0.001", "wd 2", "measures 5%"):
            assert expected in header


async def test_text_of_a_run_is_shown_literally(running: LiveApp) -> None:
    async with running.run_test(size=(120, 40)) as pilot:
        await ready(pilot, running)
        await pilot.press("7", "z")
        await pilot.pause()
        assert "[bold]odd[/bold] ?[31m" in screen_text(running)
        assert "\x1b" not in screen_text(running)


@pytest.mark.parametrize(
    ("key", "asked"),
    [
        ("space", {"do": "pause"}),
        ("full_stop", {"do": "step"}),
        ("l", {"do": "set", "knob": "lr", "value": 0.0005, "moments": "kept"}),
        ("L", {"do": "set", "knob": "lr", "value": 0.002, "moments": "kept"}),
        ("w", {"do": "set", "knob": "weight_decay", "value": 1.0, "moments": "kept"}),
        ("W", {"do": "set", "knob": "weight_decay", "value": 4.0, "moments": "kept"}),
    ],
)
async def test_a_steering_key_asks_and_shows_what_is_pending(
    running: LiveApp, key: str, asked: dict[str, object]
) -> None:
    async with running.run_test(size=(120, 40)) as pilot:
        await ready(pilot, running)
        await pilot.press(key)
        (request,) = requests(running)
        assert asked.items() <= request.items()
        header = running.run_screen.query_one("#header", RowsView).text
        assert "(asked)" in header


async def test_pressing_twice_builds_on_what_was_asked(running: LiveApp) -> None:
    async with running.run_test(size=(120, 40)) as pilot:
        await ready(pilot, running)
        await pilot.press("W", "W")
        assert [request["value"] for request in requests(running)] == [4.0, 8.0]


async def test_snapshot_and_note_take_a_text(running: LiveApp) -> None:
    async with running.run_test(size=(80, 24)) as pilot:
        await ready(pilot, running)
        await pilot.press("s", *"mine", "enter")
        await pilot.press("s", "enter")
        await pilot.press("n", *"why", "enter")
        await pilot.press("n", "enter", "escape")
        await pilot.press("s", *"no", "escape")
        got = [(request["do"], request.get("note", request.get("text"))) for request in requests(running)]
        assert got == [("snapshot", "mine"), ("snapshot", ""), ("note", "why")]


async def test_edit_asks_again_before_a_big_jump(running: LiveApp) -> None:
    async with running.run_test(size=(80, 24)) as pilot:
        await ready(pilot, running)
        await pilot.press("e", *"lr=2", "enter")
        assert not requests(running)
        await pilot.press("enter")
        await pilot.press("e", *"beta1", "tab", *"0.95", "ctrl+r", "enter")
        await pilot.press("e", *"lr x", "enter", "escape")
        got = [(request["knob"], request["value"], request["moments"]) for request in requests(running)]
        assert got == [("lr", 2.0, "kept"), ("beta1", 0.95, "reset")]


async def test_keys_after_the_end_of_training_say_so(tmp_path: Path) -> None:
    app = app_for(record(tmp_path), alive=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app)
        await pilot.press("L")
        assert not requests(app)
        assert "training has ended" in screen_text(app)
        await pilot.press("q")
        await pilot.pause()
    assert app.return_code == 0


@pytest.mark.parametrize(
    ("keys", "leaving"),
    [("qs", "stop"), ("qk", "detach"), (["q", "enter"], "detach"), ("d", "detach"), (["ctrl+z"], "detach")],
)
async def test_leaving_a_run_trained_here_says_what_becomes_of_it(
    owned: LiveApp, keys: Sequence[str], leaving: str
) -> None:
    async with owned.run_test(size=(80, 24)) as pilot:
        await ready(pilot, owned)
        await pilot.press("q", "c", "q", "escape")
        assert owned.screen is owned.run_screen
        await pilot.press(*keys)
        await pilot.pause()
    assert (owned.return_code, owned.leaving) == (0, leaving)
    assert not requests(owned)  # what leads to it is done when the screen has gone


@pytest.mark.parametrize("key", ["q", "d", "ctrl+z", "ctrl+c", "ctrl+q"])
async def test_an_attached_screen_leaves_at_once(running: LiveApp, key: str) -> None:
    async with running.run_test(size=(80, 24)) as pilot:
        await ready(pilot, running)
        assert "q leave" in hints(running)
        assert "detach" not in hints(running)
        await pilot.press(key)
        await pilot.pause()
    assert running.return_code == 0
    assert not requests(running)


async def test_a_run_that_goes_on_here_is_loading_until_its_trainer_says_something(tmp_path: Path) -> None:
    run = record(tmp_path, state="stopped")
    app = app_for(run)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app)
        assert "loading torch" in header(app)
        assert "space pause" in hints(app)
        EventLog(run.events_path).write("state", 400, state="resumed", keeps=99, knobs={})
        await until(pilot, lambda: "● " in header(app))


async def test_before_its_thread_is_started_a_run_is_not_one_that_nobody_trains(tmp_path: Path) -> None:
    training = NoTraining(alive=False)
    training.is_started = False
    app = LiveApp(record(tmp_path, state="training"), training, frame_budget=1.0, markers="braille")
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot, app)
        app.run_screen._look_at_the_lock()
        assert "loading torch" in header(app)
        assert "interrupted" not in header(app)
        training.is_started = True
        app.run_screen.draw_status()
        assert "interrupted" in header(app)


async def test_q_asks_nothing_when_training_has_ended_since_the_last_look(owned: LiveApp, run: RunDirectory) -> None:
    async with owned.run_test(size=(120, 40)) as pilot:
        await ready(pilot, owned)
        await until(pilot, lambda: owned.run_screen.state == "training")
        EventLog(run.events_path).write("state", 400, state="finished")
        owned.run_screen.action_leave()  # before the next tick
        assert owned.screen is owned.run_screen
        await pilot.pause()
    assert owned.return_code == 0


async def test_panels_for_which_nothing_is_recorded_make_room(run: RunDirectory) -> None:
    for path in run.arrays.iterdir():
        path.unlink()
    app = app_for(run, here=False)
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot, app)
        await until(pilot, lambda: 4 not in shown(app))
        assert shown(app)[0] == 1


async def test_digits_zoom_and_tab_choose_panels(running: LiveApp) -> None:
    async with running.run_test(size=(120, 40)) as pilot:
        await ready(pilot, running)
        assert shown(running) == [1, 4, 3, 2]
        await pilot.press("5")
        assert 5 in shown(running)
        await pilot.press("z")
        assert shown(running) == [5]
        await pilot.press("tab")
        assert shown(running) == [6]
        await pilot.press("shift+tab", "shift+tab")
        assert shown(running) == [4]
        await pilot.press("escape")
        assert len(shown(running)) == 4
        await pilot.press("9")
        assert 9 in shown(running)
        await pilot.press("8", "z")
        await pilot.pause()
        assert "mine" in screen_text(running)


async def test_cursor_reads_recorded_values(running: LiveApp) -> None:
    async with running.run_test(size=(80, 24)) as pilot:
        await ready(pilot, running)
        await pilot.press("home")
        assert "train 4.7 " in screen_text(running)
        await pilot.press("end", "left", "left", "right", "shift+left")
        assert running.run_screen.looks.cursor is not None
        assert 300 < running.run_screen.looks.cursor < 400
        await pilot.press("plus", "plus")
        span = running.run_screen.looks.span
        assert span is not None
        assert span[1] - span[0] == pytest.approx(100)
        assert span[0] <= running.run_screen.looks.cursor <= span[1]
        await pilot.press("minus", "0", "f")
        assert running.run_screen.looks.span is None
        assert running.run_screen.looks.cursor is None


async def test_axes_smoothing_and_waterfall_show_in_titles(running: LiveApp) -> None:
    async with running.run_test(size=(120, 40)) as pilot:
        await ready(pilot, running)
        assert "log y" in titles(running)[0]
        await pilot.press("y", "x", "m", "t")
        assert "log y" not in titles(running)[0]
        assert "log x" in titles(running)[0]
        assert "smooth" in titles(running)[0]
        assert "× step" in titles(running)[1]


async def test_help_and_palette_open_and_close(running: LiveApp) -> None:
    async with running.run_test(size=(80, 24)) as pilot:
        await ready(pilot, running)
        await pilot.press("question_mark")
        assert type(running.screen).__name__ == "HelpScreen"
        await pilot.press("escape", "f1", "q")
        assert running.screen is running.run_screen
        await pilot.press("ctrl+p")
        await until(pilot, lambda: type(running.screen).__name__ == "CommandPalette")
        await pilot.press("escape", "escape")
        await until(pilot, lambda: running.screen is running.run_screen)


async def test_a_held_key_does_not_freeze_the_screen(running: LiveApp) -> None:
    budget = FrameBudget(0.03)
    budget.pay(0.0, 0.0, training=True)
    budget.pay(3.0, 2.5, training=True)  # three seconds of keys, 2.5 of them drawing
    assert not budget.may_draw(3.1, training=True)
    budget.pay(6.0, 2.5, training=True)
    assert budget.may_draw(6.0, training=True)


async def test_hostile_requests_and_events_cannot_reach_the_terminal(tmp_path: Path) -> None:
    run = record(tmp_path, state="training")
    with run.inbox_path.open("a") as inbox:
        inbox.write(json.dumps({"id": "x", "do": "\x1b]0;gotcha\x07"}) + "\n")
    with run.events_path.open("a") as events:
        for event in (
            {"event": "\x1b[31m", "step": 5, "time": 1e300},
            {"event": "edit", "step": 6, "time": 0, "old": None, "new": "\x1b[2J"},
            {"event": "phase", "step": 7, "time": 0, "phase": "\x1b[2J", "at": 7},
            {"event": "phase", "step": 7, "time": 0, "mark": "x", "at": "soon"},
            {"event": "state", "step": 8, "time": 0, "state": "\x1b[?1049l"},
        ):
            events.write(json.dumps(event) + "\n")
    app = app_for(run)
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot, app)
        await pilot.press("7", "z")
        await pilot.pause()
        assert "\x1b" not in screen_text(app)
        assert "\x07" not in screen_text(app)


async def test_a_request_that_cannot_be_written_is_told(running: LiveApp) -> None:
    async with running.run_test(size=(120, 40)) as pilot:
        await ready(pilot, running)
        running.history.run.inbox_path.mkdir()
        await pilot.press("L")
        assert "cannot be" in screen_text(running)
        await pilot.press("3")
        assert running.run_screen.chosen == 3


async def test_two_presses_of_space_are_pause_and_resume(running: LiveApp) -> None:
    async with running.run_test(size=(120, 40)) as pilot:
        await ready(pilot, running)
        await pilot.press("space", "space")
        assert [request["do"] for request in requests(running)] == ["pause", "resume"]


async def test_a_zoomed_view_follows_new_steps(running: LiveApp) -> None:
    async with running.run_test(size=(120, 40)) as pilot:
        await ready(pilot, running)
        await pilot.press("plus", "plus")
        before = running.run_screen.looks.span
        dtype = np.dtype([("step", "<i8"), ("test_loss", "<f8"), ("test_accuracy", "<f8")])
        with TableWriter(running.history.run.tests_path, dtype) as table:
            table.append(500, 0.1, 0.9)
        await until(pilot, lambda: running.run_screen.looks.span != before)
        assert running.run_screen.looks.span == (400.0, 500.0)


async def test_every_recorded_vector_has_a_panel(running: LiveApp) -> None:
    async with running.run_test(size=(200, 50)) as pilot:
        await ready(pilot, running)
        await pilot.press("9", "z")
        await pilot.pause()
        for name in ("neurons in each frequency's cluster", "excluded loss of each frequency alone"):
            assert name in screen_text(running)


@pytest.mark.parametrize("key", ["ctrl+q", "ctrl+c"])
async def test_other_ways_to_quit_ask_too(owned: LiveApp, key: str) -> None:
    async with owned.run_test(size=(80, 24)) as pilot:
        await ready(pilot, owned)
        await pilot.press(key)
        assert type(owned.screen).__name__ == "AskChoice"
        await pilot.press("ctrl+c")
        assert owned.screen is owned.run_screen
        await pilot.press("n", *"abc", "ctrl+c")
        assert owned.screen is owned.run_screen
        assert not requests(owned)


async def test_a_loss_that_is_no_number_stays_in_the_header(running: LiveApp) -> None:
    async with running.run_test(size=(80, 24)) as pilot:
        await ready(pilot, running)
        steps = running.history.run.steps_path
        dtype = read_table(steps).dtype
        with TableWriter(steps, dtype) as table:
            table.append(400, 2e9, float("nan"), *(0.0,) * (len(dtype.names or ()) - 3))
        await until(pilot, lambda: "TRAIN LOSS nan" in screen_text(running))


def test_two_panels_of_one_digit_are_refused(tmp_path: Path) -> None:
    own = tmp_path / "parts" / "panels"
    own.mkdir(parents=True)
    (own / "mine.py").write_text(
        "from grokterm.catalog import part\nfrom grokterm.tui.panels.loss import Loss\n\n\n"
        "@part\nclass Mine(Loss):\n    name = 'Mine'\n"
    )
    training = NoTraining()
    training.catalog = Catalog(tmp_path / "parts")
    with pytest.raises(UsageError, match="two panels have the digit 1"):
        LiveApp(record(tmp_path), training, frame_budget=1.0, markers="braille")


@pytest.mark.parametrize("setting", ["NO_COLOR", "TERM"])
async def test_without_colour_the_series_still_differ(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    monkeypatch.setenv(setting, "xterm")
    app = app_for(record(tmp_path, state="training"))
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app)
        glyphs = {word for word in screen_text(app).split() if word in "━╾╍┄"}
        assert len(glyphs) == 4


@pytest.mark.parametrize("width", [80, 120])
async def test_the_header_says_how_far_hindsight_is_while_it_grows(tmp_path: Path, width: int) -> None:
    run = measure(record(tmp_path), CHECKPOINTS[:3], finish=False)
    app = app_for(run, alive=False)
    async with app.run_test(size=(width, 24)) as pilot:
        await ready(pilot, app)
        assert "hindsight" not in header(app)  # nobody measures it
        with held(run):
            await until(pilot, lambda: "hindsight 3/5" in header(app))
            about = read_about(run)
            assert about is not None
            with HindsightWriter(run, about, row(0)) as writer:
                writer.append(row(300))
                await until(pilot, lambda: "hindsight 4/5" in header(app))
                writer.append(row(400))
                writer.finish()
            await until(pilot, lambda: "hindsight" not in header(app))
        assert "(h) 0.1" in screen_text(app) or "(hindsight) 0.1" in screen_text(app)
