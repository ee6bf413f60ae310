"""Panels of a fork: its parent's curves faint before its own, read by the legends, none where it is gone."""

from pathlib import Path

import pytest

from grokterm.ancestry import find_parents
from grokterm.catalog import Catalog
from grokterm.drawing.cells import Span
from grokterm.drawing.ticks import format_value
from grokterm.history import History
from grokterm.run.directory import RunDirectory
from grokterm.tui.app import load_panels
from grokterm.tui.differences import values
from grokterm.tui.live.app import LiveApp
from grokterm.tui.looks import Looks
from grokterm.tui.panel import Panel, Picture, marks_of
from grokterm.tui.replay.app import ReplayApp
from grokterm.tui.rows import RowsView
from tests.forked import FORKED_AT, parent_and_fork, remove
from tests.recorded import NoTraining

PANELS = load_panels(Catalog())
LOSS, NORM, FOURIER, EXCLUDED, SPARSITY, VECTORS = (PANELS[digit] for digit in (1, 3, 4, 5, 6, 9))
WIDTH, HEIGHT, GUTTER = 107, 20, 7  # 100 columns of plot
FORK_COLUMN = FORKED_AT * 100 // 400


def opened(run: RunDirectory) -> History:
    history = History(run)
    history.poll()
    find_parents(history)
    return history


@pytest.fixture
def runs(tmp_path: Path) -> tuple[RunDirectory, RunDirectory]:
    return parent_and_fork(tmp_path)


@pytest.fixture
def fork(runs: tuple[RunDirectory, RunDirectory]) -> History:
    return opened(runs[1])


def picture(panel: Panel, history: History, looks: Looks | None = None) -> Picture:
    return panel.draw(history, looks or Looks(), WIDTH, HEIGHT)


def columns_of(drawn: Picture, style: str) -> list[int]:
    """The columns of the plot in which a curve of this style is drawn, legends left out."""
    found = set[int]()
    for row in drawn.rows:
        column = -GUTTER
        for span in row:
            if span.style == style and column >= 0 and not is_label(span):
                found |= set(range(column, column + len(span.text)))
            column += len(span.text)
    return sorted(found)


def is_label(span: Span) -> bool:
    return any(char.isalpha() for char in span.text)


def text(drawn: Picture) -> str:
    return "\n".join("".join(span.text for span in row) for row in drawn.rows)


@pytest.mark.parametrize("smooth", [False, True])
def test_curves_before_the_fork_are_the_parents_and_faint(fork: History, smooth: bool) -> None:
    drawn = picture(NORM, fork, Looks(smooth=smooth))
    own, faint = columns_of(drawn, "norm"), columns_of(drawn, "norm.faint")
    first = 260 * 100 // 400  # the fork's first measure, with which the parent's last one is joined
    assert own == list(range(first, 96))
    assert faint[:first] == list(range(first))
    assert smooth or faint[-1] < first  # smoothed, the fork's own points are faint below their mean
    assert "└0─" in text(drawn)


def test_a_run_that_is_no_fork_has_nothing_faint(runs: tuple[RunDirectory, RunDirectory]) -> None:
    for panel in PANELS.values():
        for row in picture(panel, opened(runs[0]), Looks(waterfall=True)).rows:
            assert not [span for span in row if span.style.endswith(".faint")]


def test_a_fork_that_has_recorded_nothing_shows_its_parent(runs: tuple[RunDirectory, RunDirectory]) -> None:
    for table in (runs[1].steps_path, runs[1].tests_path, runs[1].measures_path, *runs[1].arrays.iterdir()):
        table.unlink()
    history, parent = opened(runs[1]), opened(runs[0]).at(FORKED_AT)
    drawn = picture(LOSS, history)
    assert columns_of(drawn, "test") == []
    assert columns_of(drawn, "test.faint")
    assert f"test {format_value(float(parent.series('test_loss').values[-1]))}" in text(drawn)
    assert {digit for digit, panel in PANELS.items() if panel.has_something(history)} == {
        digit for digit, panel in PANELS.items() if panel.has_something(parent)
    }
    assert "step 240" in picture(FOURIER, history).title
    for panel in PANELS.values():
        assert len(picture(panel, history, Looks(waterfall=True)).rows) == HEIGHT


@pytest.mark.parametrize("cursor", [0, 100, FORKED_AT - 1, FORKED_AT, 300])
def test_legends_read_the_run_that_was_trained_then(
    runs: tuple[RunDirectory, RunDirectory], fork: History, cursor: int
) -> None:
    trained = opened(runs[0]) if cursor < FORKED_AT else fork
    shown = text(picture(LOSS, fork, Looks(cursor=cursor)))
    page = values(fork, cursor)
    for name, label in (("train_loss", "train"), ("test_loss", "test")):
        found = trained.value_at(name, cursor)
        assert found is not None
        assert f"{label} {format_value(found[1])}" in shown
        assert f"{found[0]:,}" in page
        assert repr(found[1]) in page
    margin = opened(runs[0]).value_at("logit_margin_mean", cursor) if cursor < 260 else fork.value_at("mine", cursor)
    assert margin is not None
    assert f"mean margin {format_value(margin[1])}" in text(picture(SPARSITY, fork, Looks(cursor=cursor)))


def test_marks_of_a_fork(runs: tuple[RunDirectory, RunDirectory], fork: History) -> None:
    assert [(mark.x, mark.label, mark.style) for mark in marks_of(fork)] == [
        (FORKED_AT, "fork of mother", "mark"),
        (200, "wd 2", "mark.faint"),
    ]  # what the parent did at the fork's first step is not the fork's
    assert "fork of mother" in text(picture(LOSS, fork))
    remove(runs[0])
    assert [mark.label for mark in marks_of(opened(runs[1]))] == ["fork of mother"]


def test_without_its_parent_a_fork_begins_where_it_begins(runs: tuple[RunDirectory, RunDirectory]) -> None:
    remove(runs[0])
    history = opened(runs[1])
    drawn = picture(LOSS, history)
    assert columns_of(drawn, "test.faint") == []
    assert min(columns_of(drawn, "test")) >= FORK_COLUMN
    assert "test  " in text(picture(LOSS, history, Looks(cursor=100)))
    for panel in PANELS.values():
        assert len(picture(panel, history, Looks(cursor=100, waterfall=True, smooth=True)).rows) == HEIGHT


def test_bars_before_the_fork_are_the_parents(runs: tuple[RunDirectory, RunDirectory], fork: History) -> None:
    parent = opened(runs[0])
    for cursor in (100, 240, 255):
        looks = Looks(cursor=cursor)
        before = parent.at(FORKED_AT)
        assert picture(FOURIER, fork, looks) == picture(FOURIER, before, looks)
        assert text(picture(VECTORS, fork, looks)) == text(picture(VECTORS, before, looks))
    looks = Looks(cursor=300)
    assert picture(FOURIER, fork, looks) != picture(FOURIER, parent, looks)


def test_a_waterfall_is_faint_before_the_fork(fork: History) -> None:
    drawn = picture(FOURIER, fork, Looks(waterfall=True))
    faint = {
        style for row in drawn.rows for span in row if (style := span.style).startswith("heat") and "faint" in style
    }
    assert faint
    assert max(max(columns_of(drawn, style)) for style in faint) == FORK_COLUMN - 1
    assert min(columns_of(drawn, "heat4")) >= FORK_COLUMN or "heat4.faint" in faint
    assert "no data" not in text(drawn)


def test_frequencies_are_those_of_both(runs: tuple[RunDirectory, RunDirectory], fork: History) -> None:
    assert "k=3" in text(EXCLUDED.draw(fork, Looks(), 140, HEIGHT))
    assert columns_of(picture(EXCLUDED, fork), "norm.faint") or columns_of(picture(EXCLUDED, fork), "fifth.faint")
    (runs[0].arrays / "excluded_loss_k.npy").unlink()
    assert "k=3" in text(EXCLUDED.draw(opened(runs[1]), Looks(cursor=300), 140, HEIGHT))


async def test_a_replay_before_the_fork_is_the_parents(runs: tuple[RunDirectory, RunDirectory]) -> None:
    history = History(runs[1])
    history.poll()
    app = ReplayApp(history, Catalog(), markers="braille", start=100, playing=False)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        header = app.replay.query_one("#header", RowsView)
        assert "step 100 / 400" in header.text
        assert "● training" in header.text
        assert "lr 0.001" in header.text
        assert "wd 1 " in header.text
        assert app.replay.position == 100
        assert columns_of(picture(NORM, app.replay.shown), "norm.faint")[-1] > 90  # the parent's, as far as it was


async def test_a_live_screen_finds_the_parent_once_there_is_a_configuration(
    runs: tuple[RunDirectory, RunDirectory],
) -> None:
    said = runs[1].config_path.read_bytes()
    runs[1].config_path.unlink()
    app = LiveApp(runs[1], NoTraining(), frame_budget=1.0, markers="braille")
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert app.history.parent is None
        runs[1].config_path.write_bytes(said)
        app.run_screen.poll()
        assert app.history.parent is not None
        assert app.history.parent.run == runs[0]
