"""The compare screen: every size, its keys, one cursor through all panels, runs that change meanwhile."""

import shutil
from pathlib import Path

import pytest
from textual.pilot import Pilot

from grokterm.drawing.cells import Markers
from grokterm.drawing.ticks import format_value
from grokterm.errors import UsageError
from grokterm.run.directory import RunDirectory
from grokterm.run.table import TableWriter, read_table
from grokterm.tui.compare.app import CompareApp
from grokterm.tui.compare.overlay import Terms
from grokterm.tui.compare.screen import NEWS_SECONDS
from grokterm.tui.rows import RowsView
from grokterm.tui.screens.page import PageScreen
from grokterm.tui.screens.panels import PanelView
from tests.pilots import until
from tests.recorded import record
from tests.several_runs import configuration, recorded_runs
from tests.terminal import Terminal

SIZES = [(80, 24), (120, 40), (200, 50), (100, 30), (60, 15), (40, 12), (20, 8), (10, 3), (2, 2)]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> list[RunDirectory]:
    settings = (configuration(0), configuration(1, steps=300), configuration(2, lr=2e-3))
    return recorded_runs(tmp_path_factory.mktemp("runs"), *settings)


@pytest.fixture
def app(written: list[RunDirectory]) -> CompareApp:
    return CompareApp(written)


async def ready(pilot: Pilot[None], app: CompareApp) -> None:
    await until(pilot, lambda: any(view.text.strip() for view in app.compare.query(PanelView)))


def text(app: CompareApp, name: str = "") -> str:
    if name:
        return app.compare.query_one(name, RowsView).text
    return "\n".join(view.text for view in app.compare.query(RowsView) if view.display)


def titles(app: CompareApp) -> list[str]:
    return [str(view.border_title) for view in app.compare.query(PanelView)]


def page(app: CompareApp) -> str:
    assert isinstance(app.screen, PageScreen)
    return str(app.screen._text)


@pytest.mark.parametrize(("width", "height"), SIZES)
async def test_every_size_shows_the_runs(app: CompareApp, width: int, height: int) -> None:
    async with app.run_test(size=(width, height)) as pilot:
        await ready(pilot, app)
        for view in app.compare.query(PanelView):
            lines = view.text.split("\n")
            assert len(lines) == view.content_size.height
            assert {len(line) for line in lines} == {view.content_size.width}
        if height >= 24:
            assert "lr 0.001 seed 0" in text(app, "#header")
        if height >= 24:
            assert "memorised" in text(app, "#log")
            assert text(app, "#log").count("\n") == 3


async def test_resizing_to_anything_survives(app: CompareApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot, app)
        for width, height in [*SIZES, *reversed(SIZES)]:
            await pilot.resize_terminal(width, height)
            await pilot.pause()
        await pilot.resize_terminal(120, 40)
        await until(pilot, lambda: len(app.compare.query(PanelView)) == 4)


@pytest.mark.parametrize("markers", ["block", "ascii"])
async def test_coarser_markers_show_the_same(written: list[RunDirectory], markers: Markers) -> None:
    app = CompareApp(written, markers=markers)
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot, app)
        assert "seed 2" in text(app)
        if markers == "ascii":
            assert text(app).isascii()


async def test_one_cursor_goes_through_all_panels_and_the_table(app: CompareApp, written: list[RunDirectory]) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot, app)
        await pilot.press("left", "shift+left", "left")
        cursor = app.compare.looks.cursor
        assert cursor is not None
        await until(pilot, lambda: f"step {cursor:,}" in text(app, "#header"))
        assert all(f"at {cursor}" in title for title in titles(app))
        for run in written:
            tests = read_table(run.tests_path)
            value = format_value(float(tests["test_loss"][tests["step"] <= cursor][-1]))
            panel = next(view for view in app.compare.query(PanelView) if view.digit == 1)
            assert value in panel.text
            assert value in text(app, "#log")


async def test_v_cycles_what_the_picked_panel_shows(app: CompareApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot, app)
        assert titles(app)[0].startswith("1 Loss · test, faint train")
        await pilot.press("v")
        assert titles(app)[0].startswith("1 Loss · test · log y")
        await pilot.press("v", "v")
        assert titles(app)[0].startswith("1 Loss · test, faint train")
        await pilot.press("8", "V")
        await until(pilot, lambda: any("8 Others" in title for title in titles(app)))
        assert "of" in text(app, "#hints")


async def test_pointing_out_goes_round_and_escape_ends_it(app: CompareApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot, app)
        seen = []
        for _ in range(4):
            await pilot.press("down")
            seen.append(app.compare.terms.selected)
        assert seen == [0, 1, 2, None]
        await pilot.press("up")
        assert app.compare.terms.selected == 2
        assert "▸╍ 3" in text(app, "#log")
        await pilot.press("escape")
        assert app.compare.terms.selected is None
        assert "▸" not in text(app, "#log")


async def test_since_memorised_keeps_a_cursor_of_its_own(app: CompareApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot, app)
        await pilot.press("left", "a")
        before = app.compare.looks
        await pilot.press("t")
        assert app.compare.looks.cursor is app.compare.looks.a is None
        assert "380 since memorised" in text(app, "#header")
        await pilot.press("home")
        assert app.compare.looks.cursor == 0
        await until(pilot, lambda: "0 since memorised" in text(app, "#header"))
        await pilot.press("t")
        assert app.compare.looks == before


async def test_bundles_and_back(app: CompareApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot, app)
        await pilot.press("B")
        assert "2 runs in 1 bundle: median and min–max band" in text(app, "#hints")
        assert "1+2 lr 0.001" in text(app, "#header")
        assert "of 2" in next(view.text for view in app.compare.query(PanelView) if view.digit == 1)
        await pilot.press("B")
        assert "1+2" not in text(app, "#header")


async def test_without_runs_to_bundle_b_says_so_and_changes_nothing(tmp_path: Path) -> None:
    app = CompareApp(recorded_runs(tmp_path, configuration(0), configuration(1, lr=2e-3)))
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app)
        before = text(app, "#header")
        for _ in range(2):
            await pilot.press("B")
            assert "no two of the runs differ in the seed alone" in text(app, "#hints")
            assert text(app, "#header") == before


async def test_the_picked_panel_is_there_beside_the_table(app: CompareApp) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(pilot, app)
        for digit in app.compare.digits():
            await pilot.press(str(digit))
            shown = [view.digit for view in app.compare.query(PanelView)]
            assert digit in shown
            assert text(app, "#log").strip() or digit == 7


async def test_settings_values_and_differences_are_pages(app: CompareApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot, app)
        await pilot.press("c")
        assert "optimizer.lr " in page(app)
        assert "wd 1 → 2" in page(app)
        await pilot.press("escape", "D")
        assert "train_loss" in page(app)
        await pilot.press("escape", "home", "a", "end", "b", "D")
        assert "B − A" in page(app)
        await pilot.press("escape", "question_mark")
        assert "point out the next run" in page(app)


async def test_jumps_go_to_what_happened_in_any_run(app: CompareApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot, app)
        await pilot.press("home", "right_square_bracket")
        assert app.compare.looks.cursor == 20
        assert "memorised for good, recognised at" in text(app, "#hints")
        await pilot.press("down", "down", "down", "right_square_bracket")
        assert app.compare.looks.cursor == 40  # the third run's own
        await pilot.press("end", "right_square_bracket")
        assert "nothing happened after" in text(app, "#hints")
        await pilot.press("left_square_bracket")
        assert app.compare.looks.cursor == 220


async def test_keys_that_come_fast_move_further_not_later(app: CompareApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot, app)
        drawn = 0
        draw = app.compare.draw_everything

        def counted() -> None:
            nonlocal drawn
            drawn += 1
            draw()

        app.compare.draw_everything = counted  # type: ignore[method-assign]
        app.compare.action_edge(newest=True)
        for _ in range(30):
            app.compare.action_move(-1)
        expected = app.compare.looks.cursor
        await until(pilot, lambda: f"step {expected:,}" in text(app, "#header"))
        assert drawn <= 5


async def test_digits_zoom_and_what_there_is_not(app: CompareApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot, app)
        await pilot.press("7", "z")
        assert [view.digit for view in app.compare.query(PanelView)] == [7]
        await until(pilot, lambda: "grokked" in text(app))
        await pilot.press("9")
        assert "there is no panel 9" in text(app, "#hints")
        await pilot.press("escape", "tab")
        assert app.compare.chosen == 8
        await pilot.press("q")
        await pilot.pause()
    assert app.return_code == 0


async def test_runs_that_grow_or_go_do_no_harm(tmp_path: Path) -> None:
    runs = recorded_runs(tmp_path, configuration(0), configuration(1), configuration(2))
    app = CompareApp(runs)
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot, app)
        shutil.rmtree(runs[0].path)
        with TableWriter(runs[1].tests_path, read_table(runs[1].tests_path).dtype) as table:
            table.append(1000, 0.0625, 1.0)
        app.compare._looked -= NEWS_SECONDS
        app.compare.tick()
        await until(pilot, lambda: "1 gone" in text(app, "#header"))
        assert "1 seed 0 is gone; what was read before stays" in text(app, "#hints")
        assert "step 1,000" in text(app, "#header")
        assert "0.0625" in text(app)
        assert "gone" in text(app, "#log")
        assert text(app, "#log").splitlines()[1].split()[4:7] == ["20", "200", "180"]


async def test_nothing_memorised_and_nothing_recorded_are_shown_as_such(tmp_path: Path) -> None:
    runs = [record(tmp_path, 50), record(tmp_path, 50)]
    for path in (*runs[1].path.glob("*.npy"), *runs[1].arrays.glob("*.npy")):
        path.unlink()
    app = CompareApp(runs, terms=Terms(since_memorised=True))
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot, app)
        assert "never memorised, left out: 1 2" in text(app, "#header")
        assert "no data yet" in text(app)
        await pilot.press("left", "B", "c", "escape", "down", "z", "7", "right_square_bracket", "t")
        assert "step 50" in text(app, "#header")


def test_only_what_can_be_compared_is(written: list[RunDirectory]) -> None:
    with pytest.raises(UsageError, match="was named 2 times"):
        CompareApp([written[0], written[0]])


def test_in_a_real_terminal_it_opens_moves_and_leaves(written: list[RunDirectory]) -> None:
    folder = written[0].path.parent
    with Terminal(
        folder, ["2027-03-04-113000", "2027-03-04-113001"], command="compare", width=120, height=40
    ) as terminal:
        terminal.see("2 runs")
        terminal.see("memorised")
        terminal.press("\x1b[D")
        terminal.see("at 39")
        terminal.press("q")
        assert terminal.end() == 0
