"""The browser on real folders: what it shows, what its keys do to runs, and what others do to them meanwhile."""

import shutil
from pathlib import Path

import pytest
from textual.events import Key
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input

from grokterm.drawing.cells import Markers, Row
from grokterm.errors import RunError
from grokterm.run.curation import read_tags
from grokterm.run.directory import RunDirectory
from grokterm.run.lock import Lock
from grokterm.run.table import TableWriter, read_table
from grokterm.summary import Summaries
from grokterm.tui.browser import app as program
from grokterm.tui.browser.app import BrowserApp
from grokterm.tui.browser.keys import BROWSER
from grokterm.tui.browser.preview import LossReader
from grokterm.tui.browser.preview_pane import PreviewPane
from grokterm.tui.browser.runs_view import RunsView
from grokterm.tui.browser.shelf import Browsing, Choice
from grokterm.tui.rows import RowsView
from tests.pilots import until
from tests.small_runs import STARTED, small_run

SIZES = [(200, 50), (120, 40), (100, 30), (99, 24), (80, 24), (60, 16), (40, 12), (20, 8), (10, 3), (2, 2)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    small_run(tmp_path, "first", started=STARTED, lr=2e-3)
    small_run(tmp_path, "second", started=STARTED + 60, preset="mod97", p=97, test_loss=0.01)
    small_run(tmp_path, "third", started=STARTED + 120, state="stopped", planned=9)
    return tmp_path


def app_for(folder: Path, browsing: Browsing | None = None, markers: Markers = "braille") -> BrowserApp:
    return BrowserApp(Summaries(folder), browsing or Browsing(), markers=markers)


async def ready(pilot: Pilot[Choice | None], app: BrowserApp, runs: int = 3) -> None:
    """Until the folder was read and, where there is a chart, it shows curves."""
    await until(pilot, lambda: len(app.browser.shelf) == runs and app.browser.complete)
    chart = app.browser.query_one("#chart", RowsView)
    await until(pilot, lambda: not chart.display or not chart.size.area or "train" in chart.text or not runs)


async def write(pilot: Pilot[Choice | None], app: BrowserApp, text: str) -> None:
    """Write into the line that was opened, in the place of what is in it, and press enter."""
    line = app.screen.query_one(Input)
    line.value = text
    await pilot.press("enter")


def view(app: BrowserApp, name: str) -> str:
    return app.browser.query_one(name, RowsView).text


def screen_text(app: BrowserApp) -> str:
    return "\n".join(rows.text for rows in app.browser.query(RowsView) if rows.display)


def listed(app: BrowserApp) -> list[str]:
    lines = view(app, "#list").splitlines()
    return [line[2:].split(" ")[0] for line in lines if line[2:].strip() and "state" not in line]


def cursor(app: BrowserApp) -> str:
    lines = view(app, "#list").splitlines()
    return lines[app.browser.query_one(RunsView).line][2:].split(" ")[0]


def hints(app: BrowserApp) -> str:
    return view(app, "#hints")


@pytest.mark.parametrize(("width", "height"), [SIZES[0], SIZES[1], SIZES[4], SIZES[6], SIZES[7], SIZES[9]])
async def test_every_size_shows_the_newest_run(folder: Path, width: int, height: int) -> None:
    app = app_for(folder)
    async with app.run_test(size=(width, height)) as pilot:
        await ready(pilot, app)
        for rows in app.browser.query(RowsView):
            if rows.display and rows.size.area and rows.text:
                lines = rows.text.split("\n")
                assert {len(line) for line in lines} == {rows.size.width}, rows.id
        if width >= 20:
            assert cursor(app) == "third"
        if width >= 100 or height >= 24:
            assert "train 1.33" in view(app, "#facts")
            assert "╾ test 0.5" in view(app, "#chart")


async def test_resizing_to_anything_survives(folder: Path) -> None:
    app = app_for(folder)
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot, app)
        await pilot.press("down")
        for width, height in [*SIZES[::-1], (120, 40)]:
            await pilot.resize_terminal(width, height)
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: "train" in view(app, "#chart") and len(view(app, "#header")) == 80)
        assert cursor(app) == "second"


async def test_keys_move_and_the_preview_follows(folder: Path) -> None:
    app = app_for(folder)
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot, app)
        assert listed(app) == ["third", "second", "first"]
        for key, name in (("down", "second"), ("end", "first"), ("home", "third"), ("pagedown", "first")):
            await pilot.press(key)
            assert cursor(app) == name
            assert view(app, "#facts").startswith(name)
        await pilot.press("k")
        await until(pilot, lambda: "test 0.01" in view(app, "#chart"))
        assert cursor(app) == "second"


async def test_the_list_follows_the_filter_while_it_is_typed(folder: Path) -> None:
    app = app_for(folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app)
        await pilot.press("slash", "p", ":", "9", "7")
        assert listed(app) == ["second"]
        await pilot.press("backspace")
        assert "no run fits the filter" in view(app, "#list")
        app.screen.query_one(Input).value = "p:113 lr>"
        await pilot.press("down")
        assert (listed(app), cursor(app)) == (["third", "first"], "first")
        assert "a value is" in view(app, "#header")
        await write(pilot, app, "p:113 lr>1e-3")
        assert listed(app) == ["first"]
        assert "filter p:113 lr>1e-3" in view(app, "#header")
        await pilot.press("escape")
        assert (listed(app), cursor(app)) == (["third", "second", "first"], "first")


async def test_giving_the_typing_up_brings_the_filter_before_back(folder: Path) -> None:
    app = app_for(folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app)
        await pilot.press("slash")
        await write(pilot, app, "mod97")
        await pilot.press("slash", "space", "z")
        assert "no run fits the filter" in view(app, "#list")
        await pilot.press("escape")
        assert listed(app) == ["second"]
        await pilot.press("slash", "space", "z", "ctrl+c")
        assert listed(app) == ["second"]


async def test_a_wrong_filter_is_explained_when_it_is_kept(folder: Path) -> None:
    app = app_for(folder)
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot, app)
        await pilot.press("slash")
        await write(pilot, app, "statt:done")
        assert "statt:done: there is no key 'statt'; did you mean 'state'?" in hints(app)
        assert listed(app) == ["third", "second", "first"]


async def test_what_is_typed_together_with_the_key_belongs_to_the_filter(folder: Path) -> None:
    app = app_for(folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app)
        for char in "/sD third":  # one packet of a slow line; s and D are keys of the list
            app.post_message(Key("slash" if char == "/" else "space" if char == " " else char, char))
        await until(pilot, lambda: app.browser.query_one(Input).value == "sD third")
        assert "by started" in view(app, "#header")
        assert app.screen is app.browser


async def test_sorting_goes_round_and_shows_by_what(folder: Path) -> None:
    app = app_for(folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app)
        await pilot.press("s", "s", "s", "s")
        assert "by test loss" in view(app, "#header")
        assert listed(app)[0] == cursor(app) == "second"
        await pilot.press("down", "S", "S", "S")
        assert "by name" in view(app, "#header")
        assert listed(app) == ["first", "second", "third"]
        assert cursor(app) == "third"


async def test_a_run_is_opened_and_the_place_is_kept(folder: Path) -> None:
    app = app_for(folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app)
        await pilot.press("slash")
        await write(pilot, app, "p:113")
        await pilot.press("s", "space", "enter")
        await pilot.pause()
    choice = app.return_value
    assert choice is not None
    assert (choice.show, [run.path.name for run in choice.runs]) == ("replay", ["third"])
    again = app_for(folder, choice.browsing)
    async with again.run_test(size=(80, 24)) as pilot:
        await ready(pilot, again)
        assert listed(again) == ["first", "third"]
        assert cursor(again) == "third"
        assert "● first" in view(again, "#list")


async def test_marked_runs_are_compared_in_their_order(folder: Path) -> None:
    app = app_for(folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app)
        await pilot.press("end", "space", "c")
        assert "mark 2 to 16 runs with space to compare them; 1 are marked" in hints(app)
        await pilot.press("home", "space")
        assert "2 marked" in view(app, "#header")
        assert cursor(app) == "second"
        await pilot.press("c")
        await pilot.pause()
    assert app.return_value is not None
    assert app.return_value.show == "compare"
    assert [run.path.name for run in app.return_value.runs] == ["first", "third"]


async def test_escape_takes_the_marks_away(folder: Path) -> None:
    app = app_for(folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app)
        await pilot.press("space", "space", "escape")
        assert "marked" not in view(app, "#header")
        assert "●" not in view(app, "#list")


async def test_a_run_gets_another_name(folder: Path) -> None:
    app = app_for(folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app)
        await pilot.press("space", "home", "r")
        assert app.screen.query_one(Input).value == "third"
        await write(pilot, app, "best")
        await until(pilot, lambda: cursor(app) == "best")
        assert "third is best now" in hints(app)
        assert "● best" in view(app, "#list")
        assert sorted(path.name for path in folder.iterdir()) == ["best", "first", "second"]
        await pilot.press("r", "slash", "enter")
        assert "a / would lead into another directory" in hints(app)
        await pilot.press("r", "escape", "r")
        await write(pilot, app, "first")
        assert "exists already" in hints(app)
        assert sorted(path.name for path in folder.iterdir()) == ["best", "first", "second"]


async def test_tags_are_given_changed_and_taken_away(folder: Path) -> None:
    run = RunDirectory(folder / "third")
    app = app_for(folder)
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot, app)
        await pilot.press("t")
        await write(pilot, app, "good, seeds")
        assert read_tags(run) == ("good", "seeds")
        await until(pilot, lambda: "tags good, seeds" in view(app, "#facts"))
        await pilot.press("slash")
        await write(pilot, app, "tag:seeds")
        assert listed(app) == ["third"]
        await pilot.press("t", "ctrl+u", "enter")
        assert read_tags(run) == ()
        assert "no run fits" in view(app, "#list")


async def test_a_run_goes_into_the_trash_after_a_question_and_comes_back(folder: Path) -> None:
    app = app_for(folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app)
        await pilot.press("D")
        await until(pilot, lambda: app.screen is not app.browser)
        assert str(app.screen.query_one(".box").border_title) == "Discard third?"
        await pilot.press("n", "D", "escape")
        assert (folder / "third").exists()
        await pilot.press("delete", "y")
        assert listed(app) == ["second", "first"]
        assert cursor(app) == "second"
        assert (folder / ".trash" / "third" / "run.toml").exists()
        assert "it lies in .trash/third now; u brings it back" in hints(app)
        await pilot.press("D", "y", "u", "u")
        assert listed(app) == ["third", "second", "first"]
        assert "third is back" in hints(app)
        assert cursor(app) == "third"
        assert not list((folder / ".trash").iterdir())
        await pilot.press("u")
        assert "there is no run in the trash" in hints(app)


async def test_what_an_earlier_session_discarded_comes_back_after_a_question(folder: Path) -> None:
    (folder / ".trash").mkdir()
    (folder / "first").rename(folder / ".trash" / "first")
    app = app_for(folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app, 2)
        await pilot.press("u", "n")
        assert (folder / ".trash" / "first").exists()
        await pilot.press("slash")
        await write(pilot, app, "mod97")
        await pilot.press("u", "y")
        assert (folder / "first").exists()
        assert "first is back; the filter hides it" in hints(app)


async def test_a_run_that_is_trained_is_left_alone(folder: Path) -> None:
    run = small_run(folder, "live", started=STARTED + 999, state="training")
    app = app_for(folder)
    with Lock(run):
        async with app.run_test(size=(80, 24)) as pilot:
            await ready(pilot, app, 4)
            assert "training at step 3" in view(app, "#facts")
            for keys in (("D", "y"), ("r", "x", "enter")):
                await pilot.press(*keys)
                assert "live is being trained, so it stays where it is; stop it first" in hints(app)
                assert listed(app)[0] == "live"
                await pilot.press("up")


async def test_runs_that_come_go_grow_and_move_meanwhile_are_followed(folder: Path) -> None:
    growing = small_run(folder, "growing", started=STARTED + 999, state="training")
    app = app_for(folder)
    with Lock(growing):
        async with app.run_test(size=(120, 40)) as pilot:
            await ready(pilot, app, 4)
            await pilot.press("end", "space", "up", "up")
            assert cursor(app) == "third"
            shutil.rmtree(folder / "first")
            (folder / "second").rename(folder / "moved")
            small_run(folder, "new", started=STARTED + 9999)
            with TableWriter(growing.steps_path, read_table(growing.steps_path).dtype) as table:
                table.append(3, STARTED, 0.125, 1.0)
            await pilot.press("R")
            await until(pilot, lambda: listed(app) == ["new", "growing", "third", "moved"])
            assert cursor(app) == "third"
            assert "marked" not in view(app, "#header")
            await pilot.press("up")
            await until(pilot, lambda: "train 0.125" in view(app, "#chart"))
            assert "training at step 4" in view(app, "#facts")
            shutil.rmtree(folder / "third")
            await pilot.press("end", "up", *"r", *"x", "enter")
            assert "third is not there any more" in hints(app)
            assert "third" not in listed(app)


async def test_what_was_found_before_a_run_was_renamed_is_out_of_date(folder: Path) -> None:
    app = app_for(folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app)
        before = list(app.browser.shelf.shown)
        await pilot.press("r")
        await write(pilot, app, "best")
        late = app.browser.Found(0, before, [summary.path for summary in before], 0.0)
        app.browser.post_message(late)
        await pilot.pause()
        assert listed(app) == ["best", "second", "first"]


async def test_curves_that_come_late_are_not_shown_for_another_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = app_for(folder)
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot, app)
        reader = LossReader(folder / "second")
        losses = reader.read()
        assert losses is not None
        drawn: list[tuple[Row, ...]] = []
        monkeypatch.setattr(app.browser.query_one("#chart", RowsView), "show", drawn.append)
        pane = app.browser.query_one(PreviewPane)
        pane.post_message(pane.CurvesRead(reader, losses))
        await pilot.pause()
        shown = ["".join(span.text for span in rows[0]) for rows in drawn]
        assert all("test 0.5" in legend for legend in shown)


async def test_the_folder_is_looked_at_again_by_itself(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grokterm.tui.browser.screen.REFRESH_SECONDS", 0.02)
    app = app_for(folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app)
        small_run(folder, "new", started=STARTED + 9999)
        await until(pilot, lambda: listed(app)[0] == "new")
        shutil.rmtree(folder)
        await until(pilot, lambda: "no runs" in view(app, "#list"))


async def test_a_folder_that_cannot_be_read_is_one_sentence(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> list[RunDirectory]:
        raise RunError(f"{path} cannot be read: Permission denied")

    app = app_for(folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app)
        monkeypatch.setattr("grokterm.summary.runs_in", refuse)
        await pilot.press("R")
        await until(pilot, lambda: "cannot be read" in hints(app))
        assert listed(app) == ["third", "second", "first"]


async def test_a_damaged_run_says_why_and_is_not_opened(folder: Path) -> None:
    (folder / "third" / "steps.npy").write_bytes(b"what?")
    app = app_for(folder)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: len(app.browser.shelf) == 3)
        await until(pilot, lambda: "steps.npy does not begin" in view(app, "#chart"))
        assert "damaged" in view(app, "#list")
        await pilot.press("enter")
        assert "third is damaged: " in hints(app)
        await pilot.press("space", "space", "c")
        assert "third is damaged: " in hints(app)
        await pilot.press("home", "D", "y")
        assert listed(app) == ["second", "first"]


async def test_texts_of_runs_cannot_reach_the_terminal(folder: Path) -> None:
    small_run(folder, "odd\x1b]0;x\x07", started=STARTED + 999, preset="[red]x\x1b[2J", tags=("\x1b[31m",))
    app = app_for(folder)
    async with app.run_test(size=(200, 50)) as pilot:
        await ready(pilot, app, 4)
        assert "odd?]0;x?" in screen_text(app)
        assert all(char.isprintable() for char in screen_text(app).replace("\n", ""))
        await pilot.press("D")
        await pilot.press("y")
        assert (folder / ".trash" / "odd\x1b]0;x\x07").exists()
        assert "\x1b" not in hints(app)


@pytest.mark.parametrize("setting", [("NO_COLOR", "1"), ("TERM", "xterm")])
async def test_without_colours_mark_and_cursor_are_still_seen(
    folder: Path, monkeypatch: pytest.MonkeyPatch, setting: tuple[str, str]
) -> None:
    monkeypatch.setenv(*setting)
    app = app_for(folder, markers="ascii")
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app)
        await pilot.press("space")
        assert "* third" in view(app, "#list")
        runs = app.browser.query_one(RunsView)
        segments = list(runs.render_line(runs.line))
        assert all(segment.style is not None and segment.style.reverse for segment in segments)
        assert screen_text(app).isascii()


async def test_help_lists_every_key_and_the_palette_every_action(folder: Path) -> None:
    app = app_for(folder)
    async with app.run_test(size=(120, 60)) as pilot:
        await ready(pilot, app)
        await pilot.press("question_mark")
        await until(pilot, lambda: type(app.screen).__name__ == "HelpScreen")
        await pilot.press("escape")
        assert app.screen is app.browser
        offered = {command.title.lower() for command in app.get_system_commands(Screen())}
        for _, keys in BROWSER:
            for key in keys:
                assert key.action == "app.command_palette" or key.does.lower() in offered
                name = key.action.partition("(")[0]
                assert name.startswith("app.") or hasattr(app.browser, f"action_{name}")


@pytest.mark.parametrize("key", ["q", "ctrl+c", "ctrl+q"])
async def test_leaving_chooses_nothing(folder: Path, key: str) -> None:
    app = app_for(folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app)
        await pilot.press(key)
        await pilot.pause()
    assert (app.return_value, app.return_code) == (None, 0)


def test_after_a_run_was_looked_at_the_browser_is_back(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, fork = (RunDirectory(folder / name) for name in ("first", "second", "fork"))
    places = [Browsing(filter="p:113"), Browsing(order=2), Browsing(order=3)]
    choices = iter(
        [
            Choice("replay", (first,), places[0]),
            Choice("compare", (first, second), places[1]),
            Choice("replay", (RunDirectory(folder / "gone"),), places[2]),
            None,
        ]
    )
    told: list[object] = []

    def show(app: BrowserApp) -> None:
        told.append((app.browser.shelf.filter, app.browser.shelf.order, app.browser.told))
        app._return_value = next(choices)

    def replay(run: RunDirectory) -> RunDirectory | None:
        if not run.path.exists():
            raise RunError(f"{run.path.name} is gone")
        told.append(("replay", run))
        return fork

    monkeypatch.setattr(program, "show_alone", show)
    monkeypatch.setattr("grokterm.tui.replay.app.watch", replay)
    monkeypatch.setattr("grokterm.tui.compare.app.watch", lambda runs: told.append(("compare", *runs)))
    program.browse(folder, lambda run: told.append(("trained", run)))
    assert told == [
        ("", 0, ""),
        ("replay", first),
        ("trained", fork),
        ("p:113", 0, ""),
        ("compare", first, second),
        ("", 2, ""),
        ("", 3, "gone is gone"),
    ]
