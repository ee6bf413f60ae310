"""The microscope opened from the run screens: where it begins, what it leaves alone, and the way back."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from textual.pilot import Pilot
from textual.screen import Screen

from grokterm.catalog import Catalog
from grokterm.history import History
from grokterm.run.directory import RunDirectory
from grokterm.run.lock import Lock
from grokterm.tui import status
from grokterm.tui.app import GroktermApp
from grokterm.tui.keys import HINTS, REPLAY_HINTS
from grokterm.tui.live.app import LiveApp
from grokterm.tui.microscope.lenses import LENSES
from grokterm.tui.microscope.picture_view import PictureView
from grokterm.tui.microscope.screen import MicroscopeScreen
from grokterm.tui.replay.app import ReplayApp
from grokterm.tui.rows import RowsView
from tests.pilots import until
from tests.random_circuit import random_network
from tests.recorded import NoTraining
from tests.recorded_networks import record_networks, write_network
from tests.terminal import TINY, Terminal
from tests.waiting import wait_for

UP = "\x1b[A"
RIGHT, LEFT = "\x1b[C", "\x1b[D"


def header(app: GroktermApp) -> str:
    return app.screen.query_one("#header", RowsView).text


def hints(app: GroktermApp) -> str:
    return app.screen.query_one("#hints", RowsView).text


def replaying(run: RunDirectory, **options: Any) -> ReplayApp:
    history = History(run)
    history.poll()
    return ReplayApp(history, Catalog(), markers="braille", **{"playing": False, **options})


async def opened(pilot: Pilot[None], app: GroktermApp) -> MicroscopeScreen:
    await pilot.press("i")
    await until(pilot, lambda: isinstance(app.screen, MicroscopeScreen))
    screen = app.screen
    assert isinstance(screen, MicroscopeScreen)
    await until(pilot, lambda: not screen.bench.workshop.is_busy and screen.bench.about)
    await until(pilot, lambda: all(view.text.strip() for view in screen.query(PictureView)))
    return screen


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return record_networks(tmp_path)


@pytest.fixture
def trained(tmp_path: Path) -> Iterator[RunDirectory]:
    """A run that somebody trains."""
    with Lock(record_networks(tmp_path, state="training")) as lock:
        yield lock.run


def attached(run: RunDirectory, **options: Any) -> LiveApp:
    return LiveApp(run, NoTraining(here=False), frame_budget=0.03, markers="braille", **options)


@pytest.mark.parametrize(("width", "height"), [(80, 24), (124, 40), (200, 50), (20, 8), (9, 3)])
async def test_every_picture_is_drawn_at_every_size(run: RunDirectory, width: int, height: int) -> None:
    app = replaying(run, start=200)
    async with app.run_test(size=(width, height)) as pilot:
        await pilot.pause()
        await pilot.press("i")
        await until(pilot, lambda: isinstance(app.screen, MicroscopeScreen))
        for lens in LENSES:
            await pilot.press(lens.key)
            await until(pilot, lambda: not app.screen.bench.workshop.is_busy)  # type: ignore[attr-defined]
            await pilot.pause()
            for view in app.screen.query(PictureView):
                lines = view.text.split("\n")
                assert {len(line) for line in lines} == {view.content_size.width}
                assert len(lines) == view.content_size.height
                answer = app.screen.bench.answer(app.screen.lenses[view.key])  # type: ignore[attr-defined]
                assert answer.trouble == ""
        for key in ("l", "j", "L", "o", "y", "right", "up", "right_square_bracket"):
            await pilot.press(key)
        assert app.screen.bench.workshop.fault == ""  # type: ignore[attr-defined]


async def test_a_replay_opens_at_the_playhead_and_waits_there(run: RunDirectory) -> None:
    app = replaying(run, start=260, playing=True, speed=0.25)
    async with app.run_test(size=(124, 40)) as pilot:
        await opened(pilot, app)
        assert "step 300   checkpoint 3 of 4" in header(app)
        at = app.replay.position
        await pilot.press("left", "left", "escape")
        await until(pilot, lambda: app.screen is app.replay)
        assert app.replay.position == at
        assert not app.replay.playhead.playing


async def test_the_way_back_may_lead_to_the_checkpoints_step(run: RunDirectory) -> None:
    app = replaying(run, start=260)
    async with app.run_test(size=(124, 40)) as pilot:
        screen = await opened(pilot, app)
        await pilot.press("left", "5", "up", "G")
        await until(pilot, lambda: app.screen is app.replay)
        assert app.replay.position == 200
        again = await opened(pilot, app)
        assert again is not screen
        assert again.looking.chosen == "5"
        assert "step 200" in header(app)


async def test_a_live_screen_follows_or_opens_at_its_cursor(trained: RunDirectory) -> None:
    app = attached(trained, read_only=True)
    async with app.run_test(size=(124, 40)) as pilot:
        screen = await opened(pilot, app)
        assert "step 400   checkpoint 4 of 4   full   following   training at step 400" in header(app)
        for key in ("space", "e", "u", "s", "n", "d"):
            await pilot.press(key)
        assert not trained.inbox_path.exists()
        assert app.screen is screen
        await pilot.press("q")
        await until(pilot, lambda: app.screen is app.run_screen)
        assert app.run_screen.looks.cursor is None
        app.run_screen.go_to_step(140)
        screen = await opened(pilot, app)
        await until(pilot, lambda: "step 100 is the checkpoint nearest to step 140; end follows" in hints(app))
        assert [("o", "order") in screen.hint_keys, screen.looking.chosen] == [True, "1"]
        await pilot.press("3")
        assert ("o", "order") not in screen.hint_keys
        assert "step 100   checkpoint 1 of 4" in header(app)
        assert "following" not in header(app)
        await pilot.press("right", "G")
        await until(pilot, lambda: app.screen is app.run_screen)
        assert app.run_screen.looks.cursor == 200


async def test_what_the_microscope_hides_is_not_drawn(trained: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    app = attached(trained)
    async with app.run_test(size=(124, 40)) as pilot:
        await opened(pilot, app)
        drawn: list[int] = []
        monkeypatch.setattr(app.run_screen, "_draw_panel", lambda view: drawn.append(view.digit))
        app.run_screen._stale |= {1, 2, 3, 4}
        app.run_screen.tick()
        assert drawn == []
        await pilot.press("q")
        await until(pilot, lambda: {1, 2, 3, 4} <= {*drawn})


async def test_the_palette_has_the_microscopes_keys_and_markers(trained: RunDirectory) -> None:
    app = attached(trained)
    async with app.run_test(size=(124, 40)) as pilot:
        screen = await opened(pilot, app)
        commands = {
            command.title: command.callback for command in app.get_system_commands(cast("Screen[object]", screen))
        }
        assert "The next checkpoint" in commands
        assert "The picture 'Neuron'" in commands
        assert not [title for title in commands if "training" in title.lower()]
        commands["Draw with ascii markers"]()
        commands["The picture 'Weights'"]()
        await until(pilot, lambda: screen.looking.chosen == "w")
        await until(pilot, lambda: "W_in" in "".join(view.text for view in screen.query(PictureView)))
        assert screen.markers == "ascii"
        await pilot.press("q")
        await until(pilot, lambda: app.screen is app.run_screen)
        assert app.run_screen.markers == "ascii"


async def test_help_and_hints_of_the_run_screens_name_it(run: RunDirectory) -> None:
    app = replaying(run)
    async with app.run_test(size=(124, 40)) as pilot:
        await until(pilot, lambda: "i microscope" in hints(app))


def test_the_hints_name_it_on_80_columns() -> None:
    for keys in (HINTS, REPLAY_HINTS, (("space", "pause"), *REPLAY_HINTS[1:])):
        told = "".join(span.text for span in status.hints(keys, 80, "braille"))
        assert "i microscope" in told
        assert "? help  q quit" in told


def test_the_real_program_on_a_real_terminal(tmp_path: Path) -> None:
    run = record_networks(tmp_path)
    with Terminal(tmp_path, [run.name, "--paused", "--from", "200"], command="replay") as terminal:
        terminal.see("‖")
        terminal.press("i")
        terminal.see("checkpoint 2 of 4")
        terminal.see("1 Neuron 0")
        terminal.press(f"{UP}{UP}{RIGHT}")
        terminal.see("checkpoint 3 of 4")
        terminal.see("1 Neuron 2")
        assert "libtorch" not in Path(f"/proc/{terminal.process.pid}/maps").read_text()
        terminal.press("l")
        terminal.see("a=0 b=0: ")
        terminal.press("w")
        terminal.see("W_pos")
        terminal.press("G")
        terminal.see("step 300 / 400")
        terminal.press("q")
        assert terminal.end() == 0
        assert "Traceback" not in terminal.raw.decode(errors="replace")


def test_beside_training_it_follows_and_leaves_training_alone(tmp_path: Path) -> None:
    arguments = ["presets/mod113-quick", *TINY, "--steps", "1000000", "--set", "training.checkpoint_every=20"]
    with Terminal(tmp_path / "runs", [*arguments, "--frame-budget", "1"], width=124, height=40) as terminal:
        wait_for(lambda: terminal.text and (tmp_path / "runs").exists() and [*terminal.run.checkpoints.glob("0*")])
        terminal.press("i")
        terminal.see("following")
        terminal.see("training at step")
        first = re.search(r"microscope .*step ([\d,]+)", terminal.text)
        assert first
        terminal.press(" ")  # not here
        terminal.press("w")
        wait_for(lambda: (now := re.search(r"microscope .*step ([\d,]+)", terminal.text)) and now[1] != first[1], 60)
        terminal.press("q")
        terminal.see("space pause")
        assert not terminal.run.inbox_path.exists()
        terminal.press("q")
        terminal.see("Quit?")
        terminal.press("s")
        assert terminal.end() == 0
        assert "Traceback" not in terminal.run.log_path.read_text()


async def test_a_checkpoint_with_another_network_is_told(run: RunDirectory) -> None:
    write_network(run, 500, random_network(p=13))
    app = replaying(run, start=400)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, app)
        await pilot.press("right")
        text = screen.query_one(PictureView)
        await until(pilot, lambda: "what was learned is not" in " ".join(text.text.split()))


async def test_what_the_run_below_has_to_say_is_said_here(tmp_path: Path) -> None:
    app = replaying(record_networks(tmp_path))
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, app)
        app.replay.say("training has diverged", problem=True)
        assert "training has diverged" in hints(app)
        await pilot.press("q")
        await until(pilot, lambda: app.screen is app.replay)
        app.replay.say("as before")
        assert "as before" in hints(app)
