"""Replay: the same pictures as live at the same step, recorded values read exactly, and every transport key."""

import os
import random
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from textual.pilot import Pilot

from grokterm.catalog import Catalog
from grokterm.drawing.ticks import format_value
from grokterm.history import History
from grokterm.run.directory import RunDirectory, create
from grokterm.run.events import EventLog, append_line
from grokterm.run.lock import Lock
from grokterm.run.table import TableWriter, read_table
from grokterm.tui.app import load_panels
from grokterm.tui.differences import differences, values
from grokterm.tui.live.app import LiveApp
from grokterm.tui.looks import Looks
from grokterm.tui.moments import moments
from grokterm.tui.panel import value_text
from grokterm.tui.replay.app import ReplayApp
from grokterm.tui.rows import RowsView
from grokterm.tui.screens.panels import PanelView
from grokterm.tui.screens.watching import WatchScreen
from tests.large_run import record_large
from tests.pilots import until
from tests.recorded import NoTraining, record
from tests.terminal import Terminal
from tests.waiting import wait_for

STEPS = 400


def polled(run: RunDirectory) -> History:
    history = History(run)
    history.poll()
    return history


def truncated(run: RunDirectory, runs: Path, step: int) -> RunDirectory:
    """The run's directory as a live screen saw it when `step` updates were made and their weights evaluated."""
    then = create(runs, run.name[18:])
    config = run.read_config()
    assert config is not None
    then.write_config(config)
    tables = {path.relative_to(run.path): path for path in run.path.rglob("*.npy")}
    for name, path in tables.items():
        rows = read_table(path)
        seen = rows[rows["step"] < step] if name.name == "steps.npy" else rows[rows["step"] <= step]
        with TableWriter(then.path / name, rows.dtype) as table:
            for row in seen:
                table.append(*row.tolist())
    for event in polled(run).events:
        if event.step <= step:
            line = {"event": event.kind, "step": event.step, "time": event.time, **event.data}
            append_line(then.events_path, line)
    return then


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return record(tmp_path / "runs", STEPS)


def replaying(run: RunDirectory, **options: object) -> ReplayApp:
    chosen: dict[str, object] = {"playing": False, "markers": "braille", **options}
    return ReplayApp(polled(run), Catalog(), **chosen)  # type: ignore[arg-type]


async def ready(pilot: Pilot[None], screen: WatchScreen) -> None:
    await until(pilot, lambda: any(view.text.strip() for view in screen.query(PanelView)))
    screen.draw_everything()
    await pilot.pause()


def header(app: ReplayApp) -> str:
    return app.replay.query_one("#header", RowsView).text


def hints(app: ReplayApp) -> str:
    return app.replay.query_one("#hints", RowsView).text


def picture(screen: WatchScreen) -> tuple[list[str], list[str], str, str]:
    """Titles and rows of the panels, the log, and the header's second line."""
    views = list(screen.query(PanelView))
    titles, rows = [str(view.border_title) for view in views], [view.text for view in views]
    log, head = screen.query_one("#log", RowsView).text, screen.query_one("#header", RowsView).text
    return titles, rows, log, head.split("\n")[1]


# -- the same picture


@pytest.mark.parametrize("step", [0, 1, 19, 20, 150, 200, 201, 399, 400])
@pytest.mark.parametrize("looks", [Looks(), Looks(log_x=True, smooth=True, waterfall=True), Looks(span=(50.0, 150.0))])
def test_every_panel_draws_the_past_as_it_was_drawn_then(
    run: RunDirectory, tmp_path: Path, step: int, looks: Looks
) -> None:
    past, live = polled(run).at(step), polled(truncated(run, tmp_path / "then", step))
    assert (past.step, past.state, past.knobs, past.phases, past.marks) == (
        live.step,
        live.state,
        live.knobs,
        live.phases,
        live.marks,
    )
    for panel in load_panels(Catalog()).values():
        for width, height in ((58, 15), (110, 30)):
            assert panel.draw(past, looks, width, height) == panel.draw(live, looks, width, height)


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40)])
@pytest.mark.parametrize("step", [0, 37, 200, 260])
async def test_the_screens_are_the_same(run: RunDirectory, tmp_path: Path, step: int, width: int, height: int) -> None:
    then_run = truncated(run, tmp_path / "then", step)
    live = LiveApp(then_run, NoTraining(here=False), frame_budget=1.0, markers="braille")
    with Lock(then_run):
        async with live.run_test(size=(width, height)) as pilot:
            await until(pilot, lambda: live.history.events)
            await ready(pilot, live.run_screen)
            seen_live = picture(live.run_screen)
    then = replaying(run, start=step)
    async with then.run_test(size=(width, height)) as pilot:
        await ready(pilot, then.replay)
        assert picture(then.replay) == seen_live


def test_the_past_of_a_run_is_not_its_present(run: RunDirectory) -> None:
    now = polled(run)
    past = now.at(100)
    assert (past.step, now.step, past.state, now.state) == (100, STEPS, "training", "finished")
    assert past.series("train_loss").steps[-1] == 99
    assert past.series("test_loss").steps[-1] == 100
    assert past.array("fourier_embedding").steps[-1] == 100
    assert now.array("fourier_embedding").steps[-1] > 100
    assert past.knobs["weight_decay"] == 1.0
    assert now.knobs["weight_decay"] == 2.0


# -- exact values


def test_the_cursor_reads_what_was_recorded_at_1000_places_and_zooms(tmp_path: Path) -> None:
    run = record_large(tmp_path, 20_000)
    history = polled(run)
    recorded = {
        name: (rows["step"], rows[name])
        for path in (run.steps_path, run.tests_path, run.measures_path)
        for rows in (read_table(path),)
        for name in rows.dtype.names or ()
        if name not in ("step", "time")
    }
    assert set(recorded) == set(history.names())
    dice = random.Random(0)
    looks = Looks()
    for _ in range(1000):
        looks = replace(looks, span=None, log_x=dice.random() < 0.3).at(dice.randrange(20_000))
        for _ in range(dice.randrange(12)):
            looks = looks.zoomed(dice.choice((0.5, 0.5, 2.0)), history.step)
        looks = looks.moved(dice.choice((-10, -1, 1, 10)), dice.randrange(20, 200), history.step)
        assert looks.cursor is not None
        low, high = looks.shown(history.step)
        assert low <= looks.cursor <= high
        page = dict(line.split()[::2] for line in values(history, looks.cursor).splitlines())
        for name, (steps, column) in recorded.items():
            row = int(np.flatnonzero(steps <= looks.cursor)[-1])
            assert history.value_at(name, looks.cursor) == (steps[row], column[row])
            assert float(page[name]) == column[row]
            series = history.series(name)
            assert value_text(series.steps, series.values, looks.cursor) == format_value(float(column[row]))


def test_differences_between_marks_are_those_of_the_recorded_values(run: RunDirectory) -> None:
    text = differences(polled(run), 100, 300, 120)
    line = next(line.split() for line in text.splitlines() if line.startswith("weight_norm_sq "))
    rows = read_table(run.measures_path)
    a, b = (float(rows["weight_norm_sq"][rows["step"] == step][0]) for step in (100, 300))
    assert [float(line[1]), float(line[2])] == [a, b]
    assert (line[3], line[4]) == (format_value(b - a), format_value(b / a))


def test_moments_are_what_happened_in_order(run: RunDirectory) -> None:
    found = [(moment.step, moment.text) for moment in moments(polled(run))]
    assert [step for step, _ in found] == [0, 80, 200]
    assert found[1][1] == "circuit formation begins, recognised at 100"
    assert "edit wd 1 → 2" in found[2][1]
    assert "note" in found[2][1]


# -- keys


async def test_scrubbing_stepping_and_going_to_a_place(run: RunDirectory) -> None:
    app = replaying(run)
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot, app.replay)
        await pilot.press("end")
        assert app.replay.position == STEPS
        assert "step 400 / 400" in header(app)
        await pilot.press("home", ".", ".", ".", ",")
        assert app.replay.position == 2
        await pilot.press("right")
        one = app.replay.position - 2
        assert one == round(STEPS / app.replay.columns)
        await pilot.press("shift+right")
        assert app.replay.position == 2 + one + round(10 * STEPS / app.replay.columns)
        await pilot.press("g", *"25%", "enter")
        await until(pilot, lambda: app.replay.position == 100)
        await until(pilot, lambda: "step 100 / 400" in header(app))
        await pilot.press("g", *"half", "enter")
        await until(pilot, lambda: "is no step" in hints(app))
        await pilot.press("g", *"200", "enter")
        await until(pilot, lambda: app.replay.position == 200)
        assert "is no step" not in hints(app)
        await pilot.press("g", *"9k", "enter")
        await until(pilot, lambda: "the run ends at step 400" in hints(app))


async def test_header_bars_log_and_knobs_follow_the_playhead(run: RunDirectory) -> None:
    app = replaying(run)
    async with app.run_test(size=(200, 50)) as pilot:
        await ready(pilot, app.replay)
        await pilot.press("g", *"150", "enter")
        await until(pilot, lambda: app.replay.position == 150)
        early = picture(app.replay)
        assert "CIRCUIT FORMATION" in early[3]
        assert "wd 1 " in early[3]
        await pilot.press("g", *"380", "enter")
        await until(pilot, lambda: app.replay.position == 380)
        await pilot.pause()
        late = picture(app.replay)
        assert "wd 2 " in late[3]
        assert "edit" in late[2]
        assert "edit" not in early[2]
        assert early[1] != late[1]
        assert any("key 3 7" in title for title in late[0])
        assert not any("key 3 7" in title for title in early[0])


async def test_jumps_go_to_what_happened_and_say_it(run: RunDirectory) -> None:
    app = replaying(run)
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot, app.replay)
        await pilot.press("]")
        assert app.replay.position == 80
        assert "circuit formation begins" in hints(app)
        await pilot.press("]")
        assert app.replay.position == 200
        await pilot.press("]")
        assert app.replay.position == 200
        assert "nothing happened after" in hints(app)
        await pilot.press("[", "[")
        assert app.replay.position == 0


async def test_playing_moves_to_the_end_and_starts_again(run: RunDirectory) -> None:
    app = replaying(run, speed=20.0)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app.replay)
        assert "‖ 20× time" in header(app)
        await pilot.press("space")
        await until(pilot, lambda: 0 < app.replay.position < STEPS)
        assert "▶ 20× time" in header(app)
        assert "space pause" in hints(app)
        await until(pilot, lambda: app.replay.position == STEPS and not app.replay.playhead.playing)
        await until(pilot, lambda: "‖" in header(app))
        await pilot.press("space")
        await until(pilot, lambda: app.replay.playhead.playing and app.replay.position < STEPS)


async def test_speed_and_clock_show_in_the_header(run: RunDirectory) -> None:
    app = replaying(run, speed=1.0)
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot, app.replay)
        await pilot.press(">", ">")
        assert "5× time" in header(app)
        await pilot.press("<", "T")
        assert "2× steps" in header(app)


async def test_pause_on_markers_stops_at_each(run: RunDirectory) -> None:
    app = replaying(run, speed=1000.0, pause_on_markers=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app.replay)
        for step in (80, 200, STEPS):
            await pilot.press("space")
            await until(pilot, lambda: not app.replay.playhead.playing)
            assert app.replay.position == step


async def test_the_whole_run_has_the_playhead_as_its_cursor(run: RunDirectory) -> None:
    app = replaying(run, start=100)
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot, app.replay)
        assert "400" not in picture(app.replay)[1][0]
        await pilot.press("v")
        titles, rows, log, _ = picture(app.replay)
        assert "at step 100" in titles[0]
        assert "300" in rows[0]
        assert "edit" not in log
        recorded = float(read_table(run.tests_path)["test_loss"][100])
        assert f"test {format_value(recorded)}" in rows[0]


async def test_zoom_slides_with_the_playhead(run: RunDirectory) -> None:
    app = replaying(run, start=300)
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot, app.replay)
        await pilot.press("+", "+")
        span = app.replay.looks.span
        assert span is not None
        assert span[1] - span[0] == 75
        for place in ("100", "390", "0"):
            await pilot.press("g", *place, "enter")
            await until(pilot, lambda place=place: app.replay.position == int(place))  # type: ignore[misc]
            span = app.replay.looks.span
            assert span is not None
            assert span[0] <= app.replay.position <= span[1]
        await pilot.press("0")
        assert app.replay.looks.span is None


async def test_marks_and_their_page(run: RunDirectory) -> None:
    app = replaying(run, start=100)
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot, app.replay)
        await pilot.press("a", "g", *"300", "enter")
        await until(pilot, lambda: app.replay.position == 300)
        await pilot.press("b")
        assert (app.replay.looks.a, app.replay.looks.b) == (100, 300)
        assert "mark B at step 300; D shows" in hints(app)
        await pilot.press("D")
        await until(pilot, lambda: app.screen is not app.replay)
        assert "A 100 · B 300" in str(app.screen.query_one(".page").border_title)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.replay)


async def test_a_growing_run_is_followed_from_its_end(tmp_path: Path) -> None:
    run = record(tmp_path, STEPS, state="training")
    app = replaying(run, start=100)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app.replay)
        await pilot.press("end")
        rows = read_table(run.steps_path)
        with TableWriter(run.steps_path, rows.dtype) as table:
            for step in range(STEPS, STEPS + 50):
                table.append(step, *rows[-1].tolist()[1:])
        await until(pilot, lambda: app.replay.position == STEPS + 50)
        await pilot.press("home")
        EventLog(run.events_path).write("note", STEPS + 50, text="later")
        await until(pilot, lambda: len(app.replay.history.events) > 5)
        assert app.replay.position == 0


async def test_a_run_deleted_meanwhile_stays_on_the_screen(run: RunDirectory, tmp_path: Path) -> None:
    app = replaying(run, start=200)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app.replay)
        before = picture(app.replay)
        run.path.rename(tmp_path / "elsewhere")
        app.replay._look_for_news()
        await pilot.press("right", "left")
        await pilot.pause()
        assert picture(app.replay)[1] == before[1]


@pytest.mark.parametrize(("width", "height"), [(20, 8), (40, 12), (99, 60), (200, 50), (10, 3), (2, 2)])
async def test_every_size(run: RunDirectory, width: int, height: int) -> None:
    app = replaying(run, start=200)
    async with app.run_test(size=(width, height)) as pilot:
        await until(pilot, lambda: app.replay.query(PanelView))
        await pilot.press("right", "v", "]", "z", "t", "space")
        await pilot.pause()


@pytest.mark.parametrize("steps", [0, 1])
async def test_a_run_that_has_hardly_begun(tmp_path: Path, steps: int) -> None:
    run = create(tmp_path, "young")
    run.write_config({"format": 1, "preset": "young", "training": {"steps": 10}})
    if steps:
        with TableWriter(run.steps_path, [("step", "<i8"), ("train_loss", "<f8")]) as table:
            table.append(0, 4.7)
    app = replaying(run, playing=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.replay.query(PanelView))
        await pilot.press("space", ".", ",", "]", "[", "right", "left", "end", "v", "T", "D")
        await pilot.pause()


async def test_the_page_of_values_says_what_the_legends_say(run: RunDirectory) -> None:
    losses = read_table(run.steps_path)["train_loss"]
    app = replaying(run, start=100)
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot, app.replay)
        for row in (99, 100):  # as it was then, the newest row is that of step 99; in the whole run 100 has its own
            line = app.replay.values_page()[1].splitlines()[0].split()
            assert (int(line[1]), float(line[2])) == (row, losses[row])
            assert f"train {format_value(float(losses[row]))}" in picture(app.replay)[1][0]
            await pilot.press("v")


# -- the real program


def test_the_program_replays_in_a_terminal_without_torch(run: RunDirectory) -> None:
    with Terminal(run.path.parent, ["--speed", "2"], command="replay", width=120, height=40) as terminal:
        terminal.see("▶ 2× time")
        terminal.press(" ")
        terminal.see("‖ 2× time")
        terminal.press("g")
        terminal.see("Go to")
        terminal.press("50%\r")
        terminal.see("step 200 / 400")
        maps = Path(f"/proc/{terminal.process.pid}/maps").read_text()
        assert "numpy" in maps
        assert "libtorch" not in maps
        terminal.press("q")
        assert terminal.end() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_kill_or_a_hang_up_restores_the_terminal_and_leaves_nothing(
    run: RunDirectory, number: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    with Terminal(run.path.parent, ["--paused"], command="replay") as terminal:
        terminal.see("‖")
        os.kill(terminal.process.pid, number)
        assert terminal.end() == 128 + number
        assert not list(temporary.iterdir())
        assert terminal.raw.rfind(b"\x1b[?1049l") > terminal.raw.rfind(b"\x1b[?1049h") >= 0


def test_it_ends_soon_when_its_terminal_is_gone(run: RunDirectory) -> None:
    with Terminal(run.path.parent, ["--speed", "0.25"], command="replay", width=200, height=50) as terminal:
        terminal.see("0.25×")
        for _ in range(40):  # pictures that nobody takes fill the pipe to the terminal, and its writer waits
            terminal.press("v")
        os.kill(terminal.process.pid, signal.SIGHUP)  # nobody reads any more: what it writes may never be taken
        wait_for(lambda: terminal.process.poll() is not None, 10, "its end")
        assert terminal.process.returncode == 128 + signal.SIGHUP


def test_a_viewer_writes_nothing_into_the_run(run: RunDirectory) -> None:
    before = {path: path.stat().st_mtime_ns for path in run.path.rglob("*")}
    with Terminal(run.path.parent, ["--speed", "100"], command="replay") as terminal:
        wait_for(lambda: "400 / 400" in terminal.text, 30, "the end")
        terminal.press("q")
        terminal.end()
    assert {path: path.stat().st_mtime_ns for path in run.path.rglob("*")} == before
