"""The microscope's screen: pictures follow the checkpoints, keys do what help says, and training is left alone."""

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from textual.app import App
from textual.content import Content
from textual.pilot import Pilot
from textual.widgets import Input

from grokterm.drawing.colours import Palette
from grokterm.history import History
from grokterm.run.directory import RunDirectory
from grokterm.tui.app import STYLES
from grokterm.tui.keys import REPLAY
from grokterm.tui.microscope import page_screen
from grokterm.tui.microscope.lens import Lens
from grokterm.tui.microscope.lenses import LENSES
from grokterm.tui.microscope.looking import Looking
from grokterm.tui.microscope.pace import Pace
from grokterm.tui.microscope.page_screen import Left
from grokterm.tui.microscope.picture_view import PictureView
from grokterm.tui.microscope.screen import MicroscopeScreen
from grokterm.tui.rows import RowsView
from grokterm.tui.screens.page import PageScreen
from tests.pilots import until
from tests.random_circuit import random_network
from tests.recorded_networks import record_networks, write_network
from tests.small_lenses import SmallLens, small_lenses

SIZES = [(80, 24), (124, 40), (200, 50), (60, 15), (40, 12), (30, 8), (20, 8), (10, 3), (2, 2), (80, 50)]


class Bare(App[None]):
    """The screen by itself; `left` is what it handed back."""

    CSS_PATH = STYLES

    def __init__(
        self,
        run: RunDirectory,
        lenses: Sequence[Lens] = (),
        *,
        step: int | None = 200,
        standing: str = "",
        share: float = 0.03,
        chosen: str = "1",
    ) -> None:
        super().__init__()
        history = History(run)
        history.poll()
        self.left: list[Left | None] = []
        self.standing = standing
        self.pace = Pace(share)
        self.microscope = MicroscopeScreen(
            history,
            lenses or small_lenses(),
            Palette(colours=1 << 24),
            Looking(chosen),
            self.pace,
            step=step,
            standing=lambda: self.standing,
        )

    def on_mount(self) -> None:
        self.push_screen(self.microscope, self.left.append)


def shown(app: Bare, key: str = "1") -> str:
    return next((view.text for view in app.microscope.query(PictureView) if view.key == key), "")


def said(app: Bare) -> str:
    """A sentence in the place of a picture, in one line."""
    return " ".join(shown(app).split())


def title(app: Bare, key: str = "1") -> str:
    return next(
        (
            Content.from_markup(str(view.border_title)).plain
            for view in app.microscope.query(PictureView)
            if view.key == key
        ),
        "",
    )


def subtitle(app: Bare) -> str:
    view = next(view for view in app.microscope.query(PictureView) if view.key == app.microscope.looking.chosen)
    return str(view.border_subtitle)


def text_of(app: Bare, name: str) -> str:
    return app.microscope.query_one(name, RowsView).text


def weight(step: int) -> str:
    return f"weight {random_network(seed=step).W_E[0, 0]:.6f}"


async def sees(pilot: Pilot[None], app: Bare, step: int, key: str = "1") -> None:
    await until(pilot, lambda: weight(step) in shown(app, key))
    await until(pilot, lambda: not app.microscope.bench.workshop.is_busy)


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return record_networks(tmp_path)


@pytest.mark.parametrize(("width", "height"), SIZES)
async def test_every_size_shows_the_checkpoint(run: RunDirectory, width: int, height: int) -> None:
    app = Bare(run)
    async with app.run_test(size=(width, height)) as pilot:
        await until(pilot, lambda: "weight"[: min(width, 6)] in shown(app))
        for view in app.microscope.query(PictureView):
            lines = view.text.split("\n")
            assert len(lines) == view.content_size.height
            assert {len(line) for line in lines} == {view.content_size.width}
        if width >= 80:
            await sees(pilot, app, 200)
            assert "step 200   checkpoint 2 of 4" in text_of(app, "#header")
            await until(pilot, lambda: "key none   train" in text_of(app, "#header"))
        assert len(app.microscope.query(PictureView)) == {(124, 40): 4, (200, 50): 4, (80, 50): 2}.get(
            (width, height), 1
        )


async def test_resizing_to_anything_survives(run: RunDirectory) -> None:
    app = Bare(run)
    async with app.run_test(size=(124, 40)) as pilot:
        for width, height in [*SIZES, *reversed(SIZES), (124, 40)]:
            await pilot.resize_terminal(width, height)
            await pilot.pause()
        for key in "123w":
            await sees(pilot, app, 200, key)


async def test_keys_while_the_size_changes_survive(run: RunDirectory) -> None:
    app = Bare(run)
    async with app.run_test(size=(124, 40)) as pilot:
        for width, height in (*SIZES, (124, 40)):
            await asyncio.gather(pilot.resize_terminal(width, height), pilot.press("tab", "z", "right", "z", "l"))
        await until(pilot, lambda: len(app.microscope.query(PictureView)) == 4)
        await sees(pilot, app, 400)


async def test_the_arrows_go_from_checkpoint_to_checkpoint_and_the_pictures_follow(run: RunDirectory) -> None:
    app = Bare(run)
    async with app.run_test(size=(124, 40)) as pilot:
        for key, step in (
            ("right", 300),
            ("right", 400),
            ("right", 400),
            ("shift+left", 100),
            ("left", 100),
            ("shift+right", 400),
            ("home", 100),
            ("end", 400),
        ):
            await pilot.press(key)
            for picture in "123w":
                await sees(pilot, app, step, picture)
            assert f"step {step}" in text_of(app, "#header")
        assert "following" in text_of(app, "#header")


async def test_the_picture_before_stays_until_the_new_one_is_there(run: RunDirectory) -> None:
    gate = threading.Event()
    gate.set()
    lenses = (SmallLens("1", "One", gate=gate), *small_lenses()[1:])
    app = Bare(run, lenses)
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, app, 200)
        gate.clear()
        await pilot.press("right")
        await until(pilot, lambda: "step 300" in text_of(app, "#header"))
        assert weight(200) in shown(app)
        await until(pilot, lambda: title(app) == "1 One · of step 200, computing …")
        assert weight(200) in shown(app)
        gate.set()
        await sees(pilot, app, 300)
        await until(pilot, lambda: title(app) == "1 One")


async def test_keys_are_answered_while_something_is_computed(run: RunDirectory) -> None:
    gate = threading.Event()
    app = Bare(run, (SmallLens("1", "One", gate=gate), *small_lenses()[1:]))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: title(app) == "1 One · computing …")
        await pilot.press("right", "question_mark")
        await until(pilot, lambda: isinstance(app.screen, PageScreen))
        gate.set()
        await pilot.press("escape")
        await sees(pilot, app, 300)


async def test_pictures_are_picked_enlarged_and_left(run: RunDirectory) -> None:
    app = Bare(run)
    async with app.run_test(size=(124, 40)) as pilot:
        await sees(pilot, app, 200)
        await pilot.press("w", "z")
        await until(pilot, lambda: len(app.microscope.query(PictureView)) == 1)
        await sees(pilot, app, 200, "w")
        await pilot.press("tab")
        await sees(pilot, app, 200, "1")
        await pilot.press("shift+tab")
        await sees(pilot, app, 200, "w")
        await pilot.press("escape")
        await until(pilot, lambda: len(app.microscope.query(PictureView)) == 4)
        await pilot.press("5", "8")  # no such pictures
        assert app.microscope.looking.chosen == "w"
        await pilot.press("escape")
        await until(pilot, lambda: app.left)
        assert app.left[0] == Left(None, app.microscope.looking)


@pytest.mark.parametrize(("key", "step"), [("q", None), ("i", None), ("ctrl+c", None), ("G", 200)])
async def test_leaving_goes_to_the_step_only_when_it_is_asked_for(
    run: RunDirectory, key: str, step: int | None
) -> None:
    app = Bare(run)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("z", key)
        await until(pilot, lambda: app.left)
        assert app.left[0] is not None
        assert app.left[0].step == step


async def test_the_arrows_up_and_down_choose_neuron_head_and_frequency(run: RunDirectory) -> None:
    app = Bare(run)
    async with app.run_test(size=(124, 40)) as pilot:
        await sees(pilot, app, 200)
        for keys, expected in (
            (["up", "up", "down"], "1 Neuron 1"),
            (["shift+up"], "1 Neuron 11"),
            (["shift+up"], "1 Neuron 19"),
            (["shift+down"] * 3, "1 Neuron 0"),
        ):
            await pilot.press(*keys)
            await until(pilot, lambda expected=expected: title(app) == expected)  # type: ignore[misc]
        await pilot.press("2", "up")
        await until(pilot, lambda: title(app, "2") == "2 Attention of head 1")
        await pilot.press("3", "up")
        await until(pilot, lambda: title(app, "3") == "3 Circle of frequency 3")
        await pilot.press("w", "up")
        await until(pilot, lambda: "Weights shows all there is" in text_of(app, "#hints"))


async def test_g_goes_to_what_is_typed(run: RunDirectory) -> None:
    app = Bare(run)
    async with app.run_test(size=(124, 40)) as pilot:
        await sees(pilot, app, 200)

        async def go(text: str) -> None:
            await pilot.press("g")
            await until(pilot, lambda: app.screen is not app.microscope)
            app.screen.query_one(Input).value = text
            await pilot.press("enter")

        await go("17")
        await until(pilot, lambda: title(app) == "1 Neuron 17")
        await go("frequency 4")
        await until(pilot, lambda: title(app, "3") == "3 Circle of frequency 4")
        assert app.microscope.looking.chosen == "3"
        await go("step 280")
        await sees(pilot, app, 300)
        assert "step 300 is the checkpoint nearest to step 280" in text_of(app, "#hints")
        await go("head 3")
        await until(pilot, lambda: "there is no head 3: they go from 0 to 2" in text_of(app, "#hints"))
        await until(pilot, lambda: app.screen is not app.microscope)
        assert app.screen.query_one(Input).value == "head 3"
        await pilot.press("backspace", "2", "enter")
        await until(pilot, lambda: title(app, "2") == "2 Attention of head 2")
        await pilot.press("w")
        await go("14")
        await until(pilot, lambda: "14 of what? Write step 14" in text_of(app, "#hints"))
        await pilot.press("escape", "tab")
        await until(pilot, lambda: "14 of what" not in text_of(app, "#hints"))


async def test_in_a_picture_along_frequencies_the_cursor_goes_to_one(run: RunDirectory) -> None:
    app = Bare(run, LENSES, chosen="5")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "5 FVE by frequency" in title(app, "5"))
        await pilot.press("g")
        await until(pilot, lambda: app.screen is not app.microscope)
        app.screen.query_one(Input).value = "3"
        await pilot.press("enter")
        await until(pilot, lambda: subtitle(app).startswith("frequency 3: "))


async def test_what_has_no_room_on_the_frame_stands_in_the_last_line(run: RunDirectory) -> None:
    app = Bare(run, LENSES, chosen="w")
    async with app.run_test(size=(50, 24)) as pilot:
        await until(pilot, lambda: "W_E" in shown(app, "w"))
        await pilot.press("j")
        await until(pilot, lambda: text_of(app, "#hints").startswith(" W_E: norm² "))
        assert subtitle(app) == ""
        await pilot.press("c")
        await until(pilot, lambda: "checkpoint" in text_of(app, "#hints"))


async def test_a_picture_that_fills_the_screen_is_not_enlarged(run: RunDirectory) -> None:
    app = Bare(run)
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, app, 200)
        await pilot.press("z")
        await until(pilot, lambda: "it fills the screen already" in text_of(app, "#hints"))
        await pilot.press("escape")
        await until(pilot, lambda: app.left)


async def test_a_cursor_reads_exact_values(run: RunDirectory) -> None:
    app = Bare(run)
    async with app.run_test(size=(124, 40)) as pilot:
        await sees(pilot, app, 200)
        assert subtitle(app) == ""
        await pilot.press("l")
        await until(pilot, lambda: subtitle(app) == "a=0 b=0: 0")
        await pilot.press("l", "j", "j", "k")
        await until(pilot, lambda: subtitle(app) == "a=1 b=1: 5")
        await pilot.press("L", "J")
        await until(pilot, lambda: subtitle(app) == "a=3 b=2: 11")
        await pilot.press("H", "K", "h")
        await until(pilot, lambda: subtitle(app) == "a=0 b=0: 0")
        await pilot.press("c")
        await until(pilot, lambda: subtitle(app) == "")
        await pilot.press("w", "l")
        await until(pilot, lambda: "Weights: there is no cursor here" in text_of(app, "#hints"))


async def test_without_a_frame_the_last_line_reads_the_value(run: RunDirectory) -> None:
    app = Bare(run)
    async with app.run_test(size=(40, 9)) as pilot:
        await until(pilot, lambda: weight(200) in shown(app))
        await pilot.press("l", "l")
        await until(pilot, lambda: "a=1 b=0: 1" in text_of(app, "#hints"))


async def test_scale_and_order_change_the_picture(run: RunDirectory) -> None:
    app = Bare(run)
    async with app.run_test(size=(124, 40)) as pilot:
        await sees(pilot, app, 200)
        await pilot.press("y", "o")
        await until(pilot, lambda: "log braille" in shown(app))
        assert "ordered" not in shown(app, "2")
        await pilot.press("o")
        await until(pilot, lambda: "log ordered braille" in shown(app))
        assert "log" not in shown(app, "2")
        app.microscope.draw_with("ascii")
        await until(pilot, lambda: "log ordered ascii" in shown(app))


async def test_without_key_frequencies_there_are_no_leaders_to_go_to(run: RunDirectory) -> None:
    app = Bare(run)
    async with app.run_test(size=(124, 40)) as pilot:
        await sees(pilot, app, 200)
        for key, said in (("1", "no neuron belongs to a frequency here"), ("2", "no neuron and no frequency")):
            await pilot.press(key, "right_square_bracket")
            await until(pilot, lambda said=said: said in text_of(app, "#hints"))  # type: ignore[misc]


async def test_help_names_every_key_and_every_picture(run: RunDirectory) -> None:
    app = Bare(run)
    async with app.run_test(size=(124, 60)) as pilot:
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, PageScreen))
        told = str(app.screen.query_one("Static").render())
        for _, keys in app.microscope.groups:
            for key in keys:
                assert key.does in told
        assert "the picture 'Attention of head'" in told


async def test_no_key_of_the_screen_below_works_here(run: RunDirectory) -> None:
    app = Bare(run, standing="training")
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, app, 200)
        for key in ("space", ".", "W", "e", "u", "s", "n", "F", "d", "v", "T", "<", ">", "m", "t"):
            await pilot.press(key)
        assert app.screen is app.microscope
        assert not run.inbox_path.exists()
    bound = {key.key for key in MicroscopeScreen.BINDINGS}  # type: ignore[union-attr]
    assert {"space", ".", "d"} & bound == set()
    assert {single for _, keys in REPLAY for key in keys for single in key.keys.split(",")} & {"i", "f1"} <= bound


# -- checkpoints that come and go


async def test_the_newest_is_followed_until_an_arrow_chooses(run: RunDirectory) -> None:
    app = Bare(run, step=None, standing="training")
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, app, 400)
        write_network(run, 500, random_network(seed=500))
        app.microscope.look_for_news()
        await pilot.pause()
        assert weight(400) in shown(app)  # the page before is not paid for
        assert "checkpoint 4 of 5" in text_of(app, "#header")
        app.standing = "paused"
        app.microscope.look_for_news()
        await sees(pilot, app, 500)
        await pilot.press("left")
        await sees(pilot, app, 400)
        write_network(run, 600, random_network(seed=600))
        app.microscope.look_for_news()
        await until(pilot, lambda: "checkpoint 4 of 6" in text_of(app, "#header"))
        assert weight(400) in shown(app)
        app.standing = "training"
        await pilot.press("f")  # what a key asks for is computed at once
        await sees(pilot, app, 600)


async def test_a_page_is_paid_for_as_soon_as_it_is_drawn(run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the screen's thread does until the next look for news has nothing to do with it."""
    monkeypatch.setattr(page_screen, "NEWS_SECONDS", 3600.0)
    app = Bare(run, step=None, standing="training")
    async with app.run_test(size=(80, 24)) as pilot:
        for step, key in ((400, "left"), (300, "q")):
            await sees(pilot, app, step)
            await until(pilot, lambda: app.pace.free > float("-inf"))
            app.pace.free = float("-inf")
            await pilot.press(key)


async def test_at_rest_nothing_is_computed(run: RunDirectory) -> None:
    lenses = small_lenses()
    app = Bare(run, lenses, step=None, standing="training")
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, app, 400)
        before = [len(lens.looked) for lens in lenses]
        for _ in range(3):
            app.microscope.look_for_news()
            await pilot.pause()
        assert [len(lens.looked) for lens in lenses] == before
        assert not app.microscope.bench.workshop.is_busy


async def test_a_run_without_checkpoints_says_so_and_the_first_one_is_shown(tmp_path: Path) -> None:
    run = record_networks(tmp_path, (), state="training")
    app = Bare(run, step=None, standing="training")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "no checkpoint yet" in said(app))
        assert "writes one every 100 steps" in said(app)
        await pilot.press("end", "up", "g", "escape", "l", "]", "right", "home")
        write_network(run, 100, random_network(seed=100))
        app.microscope.look_for_news()
        await sees(pilot, app, 100)
        assert "following" in text_of(app, "#header")


async def test_a_finished_run_without_checkpoints_says_so(tmp_path: Path) -> None:
    app = Bare(record_networks(tmp_path, ()))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "this run has no checkpoints" in said(app))
        await pilot.press("q")
        await until(pilot, lambda: app.left)


async def test_a_checkpoint_that_goes_away_is_left_for_the_nearest(run: RunDirectory) -> None:
    app = Bare(run, step=300)
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, app, 300)
        (run.checkpoints / "000000300.safetensors").unlink()
        await pilot.press("up")  # what is there of it stays
        app.microscope.look_for_news()
        await sees(pilot, app, 200)
        assert "the checkpoint of step 300 is gone" in text_of(app, "#hints")
        (run.checkpoints / "000000100.safetensors").unlink()
        await pilot.press("left")
        await until(pilot, lambda: "the checkpoint of step 100 is gone" in text_of(app, "#hints"))
        assert weight(200) in shown(app)


async def test_a_checkpoint_that_is_replaced_is_shown_anew(run: RunDirectory) -> None:
    app = Bare(run)
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, app, 200)
        write_network(run, 200, random_network(seed=77))
        app.microscope.look_for_news()
        await sees(pilot, app, 77)


async def test_what_cannot_be_read_is_told_in_the_pictures_place(run: RunDirectory) -> None:
    (run.checkpoints / "000000300.safetensors").write_bytes(b"\x1b[31mtorn")
    app = Bare(run)
    async with app.run_test(size=(124, 40)) as pilot:
        await sees(pilot, app, 200)
        await pilot.press("right")
        await until(pilot, lambda: "cannot be read as a checkpoint" in said(app))
        assert "checkpoints/000000300.safetensors" in said(app)
        assert str(run.path) not in said(app)
        assert shown(app, "2").strip() == ""
        assert "this checkpoint cannot be looked at" in text_of(app, "#header")
        await pilot.press("right")
        await sees(pilot, app, 400)


async def test_another_network_or_no_task_is_told(run: RunDirectory) -> None:
    task = run.task_path.read_bytes()
    run.task_path.unlink()
    app = Bare(run, step=400)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "has no task.npz" in said(app))
        assert "grokterm measure" in said(app)
        run.task_path.write_bytes(task)
        await pilot.press("right")  # the last one already: it is read again
        await sees(pilot, app, 400)


async def test_weights_that_are_no_numbers_are_no_crash(tmp_path: Path) -> None:
    run = record_networks(tmp_path, (100,))
    network = random_network()
    network.W_E[:] = np.nan
    write_network(run, 200, network)
    app = Bare(run, step=200)
    async with app.run_test(size=(124, 40)) as pilot:
        await until(pilot, lambda: "weight nan" in shown(app))
        await until(pilot, lambda: "train nan" in text_of(app, "#header"))


async def test_leaving_lets_go_of_the_network(run: RunDirectory) -> None:
    app = Bare(run)
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, app, 200)
        await pilot.press("q")
        await until(pilot, lambda: app.left)
        await until(pilot, lambda: not any(thread.name == "microscope" for thread in threading.enumerate()))
        assert app.microscope.bench.workshop.newest("1") is None
