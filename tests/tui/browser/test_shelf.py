"""The browser without its screen: filter, order, marks, and a cursor that stays with its run."""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from grokterm.run.directory import RunDirectory
from grokterm.summary import Summary
from grokterm.tui.browser.shelf import ORDERS, Browsing, Shelf
from grokterm.tui.browser.shelf_rows import arrange_browser, header_row, list_rows, runs_shown, scrolled


def run(name: str, started: float, **facts: object) -> Summary:
    summary = Summary(RunDirectory(Path("runs") / name), name, "finished", started=started, config={"task": {"p": 113}})
    return replace(summary, **facts)  # type: ignore[arg-type]


A = run("a", 1.0, test_loss=0.5, step=10, grokked_at=7, test_accuracy=0.5)
B = run("b", 2.0, test_loss=math.nan, step=30, preset="mod97", test_accuracy=0.75)
C = run("c", 3.0, test_loss=0.25, step=20, grokked_at=9)


@pytest.fixture
def shelf() -> Shelf:
    shelf = Shelf(Browsing())
    shelf.take([A, B, C])
    return shelf


def names(shelf: Shelf) -> str:
    return "".join(summary.name for summary in shelf.shown)


def at(shelf: Shelf) -> str:
    return shelf.current.name if shelf.current is not None else ""


def text(shelf: Shelf, width: int = 80, height: int = 10) -> list[str]:
    rows, _ = list_rows(shelf, 0, width, height, "braille", complete=True)
    return ["".join(span.text for span in row) for row in rows]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("started", "cba"),
        ("name", "abc"),
        ("state", "cba"),
        ("step", "bca"),
        ("test loss", "cab"),
        ("test acc", "bac"),
        ("grokked at", "acb"),
    ],
)
def test_orders_put_first_what_one_looks_for(shelf: Shelf, order: str, expected: str) -> None:
    while ORDERS[shelf.order].title != order:
        shelf.sort(1)
    assert names(shelf) == expected


def test_orders_go_round(shelf: Shelf) -> None:
    shelf.sort(-1)
    assert ORDERS[shelf.order].title == "size"
    shelf.sort(1)
    assert ORDERS[shelf.order].title == "started"


def test_the_cursor_stays_with_its_run(shelf: Shelf) -> None:
    shelf.move(1)
    assert at(shelf) == "b"
    shelf.take([run("d", 4.0), run("e", 0.0)])
    assert (at(shelf), shelf.index) == ("b", 2)
    shelf.sort(1)
    assert at(shelf) == "b"
    shelf.narrow("c")
    assert at(shelf) == "c"
    shelf.narrow("")
    assert at(shelf) == "b"
    shelf.take([replace(B, step=31)])
    assert (at(shelf), shelf.current.step if shelf.current else 0) == ("b", 31)


def test_a_cursor_that_was_never_moved_stays_at_the_first_line(shelf: Shelf) -> None:
    shelf.take([run("d", 4.0)])
    assert at(shelf) == "d"


def test_when_its_run_goes_the_cursor_is_at_the_next(shelf: Shelf) -> None:
    shelf.move(1)
    shelf.drop(B.path)
    assert at(shelf) == "a"
    shelf.keep([C.path])
    assert at(shelf) == "c"
    shelf.keep([])
    assert (at(shelf), shelf.index, len(shelf)) == ("", 0, 0)
    shelf.move(1)
    shelf.mark()
    shelf.take([A])
    assert at(shelf) == "a"


def test_a_renamed_run_keeps_cursor_and_mark(shelf: Shelf) -> None:
    shelf.move(1)
    shelf.mark()
    shelf.replace(B.path, replace(B, run=RunDirectory(Path("runs/z")), name="z"))
    assert (names(shelf), at(shelf)) == ("cza", "z")
    assert [summary.name for summary in shelf.marked_runs] == ["z"]


def test_marks_keep_their_order_and_go_with_their_runs(shelf: Shelf) -> None:
    for by in (2, -2, 1):
        shelf.move(by)
        shelf.mark()
    assert [summary.name for summary in shelf.marked_runs] == ["a", "c", "b"]
    shelf.mark()
    assert [summary.name for summary in shelf.marked_runs] == ["a", "c"]
    shelf.narrow("b")
    assert len(shelf.marked_runs) == 2
    shelf.drop(A.path)
    assert [summary.name for summary in shelf.marked_runs] == ["c"]


def test_a_person_comes_back_to_where_they_were(shelf: Shelf) -> None:
    shelf.move(1)
    shelf.mark()
    shelf.sort(1)
    shelf.narrow("p:113")
    again = Shelf(shelf.browsing())
    for summary in (A, C, B):  # as they are read anew
        again.take([summary])
    assert (names(again), at(again), list(again.marked)) == ("abc", "b", [B.path])


def test_a_place_that_is_gone_meanwhile_is_given_up(shelf: Shelf) -> None:
    again = Shelf(Browsing(cursor=Path("runs/gone"), marked=(Path("runs/gone"), A.path)))
    again.take([A, B, C])
    again.keep([A.path, B.path, C.path])
    again.take([run("gone", 9.0)])
    assert at(again) == "c"
    assert [summary.name for summary in again.marked_runs] == ["a"]


def test_taking_the_same_again_changes_nothing(shelf: Shelf) -> None:
    assert not shelf.take([A, B, C])
    assert not shelf.keep([A.path, B.path, C.path])


def test_half_a_key_hides_nothing_while_it_is_typed(shelf: Shelf) -> None:
    for typed in ("s", "sta", "state", "state:", "state:done", "state:done tes"):
        shelf.narrow(typed, typing=True)
        assert names(shelf) == "cba"
    shelf.narrow("state")
    assert names(shelf) == ""
    shelf.narrow("zzz", typing=True)
    assert names(shelf) == ""


def test_the_list_shows_mark_cursor_and_what_fits(shelf: Shelf) -> None:
    shelf.move(1)
    shelf.mark()
    rows, line = list_rows(shelf, 0, 52, 6, "braille", complete=True)
    assert ["".join(span.text for span in row).rstrip() for row in rows] == [
        "  name          state             step  test loss",
        "  c             finished            20       0.25",
        "● b             finished            30        nan",
        "  a             finished            10        0.5",
        "",
        "",
    ]
    assert line == 2
    assert [span.style for span in rows[2]] == [""]


def test_texts_of_a_run_cannot_reach_the_terminal(shelf: Shelf) -> None:
    shelf.take([run("d\x1b[31m\u202e日", 4.0, phase="\x1b]0;x\x07", tags=("\x9b",))])
    shelf.narrow("d \x1b[2J")
    header = "".join(span.text for span in header_row(shelf, "\x1b[2J", 200, "braille"))
    shelf.narrow("d")
    for shown in [header, *text(shelf, 300)]:
        assert all(char.isprintable() for char in shown)
    assert "d?[31m??" in text(shelf, 300)[1]


def test_on_a_terminal_without_unicode_there_is_only_ascii(shelf: Shelf) -> None:
    shelf.mark()
    shelf.take([run("é" * 90, 4.0)])
    rows, _ = list_rows(shelf, 0, 50, 10, "ascii", complete=False)
    assert "".join(span.text for row in rows for span in row).isascii()
    assert "".join(span.text for span in header_row(shelf, "é…", 80, "ascii", complete=False)).isascii()


@pytest.mark.parametrize(
    ("words", "complete", "said"),
    [("zzz", True, "no run fits the filter; esc clears it"), ("", False, "reading …"), ("", True, "no runs")],
)
def test_an_empty_list_says_why(words: str, complete: bool, said: str) -> None:
    shelf = Shelf(Browsing(filter=words))
    rows, line = list_rows(shelf, 0, 60, 6, "braille", complete=complete)
    assert "".join(span.text for span in rows[1]).strip() == said
    assert line == -1


@pytest.mark.parametrize("width", range(1, 260, 9))
@pytest.mark.parametrize("height", range(1, 80, 5))
def test_the_layout_fits_any_terminal(shelf: Shelf, width: int, height: int) -> None:
    layout = arrange_browser(width, height)
    preview = layout.chart_height + layout.facts_height
    if layout.beside:
        assert layout.list_width + layout.gap + layout.preview_width == width
        assert max(layout.list_height, preview) <= height - 2
        assert layout.preview_width >= 30
    else:
        assert layout.list_height + preview <= max(height - 2, 1)
    rows, line = list_rows(shelf, 0, layout.list_width, layout.list_height, "braille", complete=True)
    assert len(rows) == layout.list_height
    assert {sum(len(span.text) for span in row) for row in rows} == {layout.list_width}
    assert 0 <= line < layout.list_height


@pytest.mark.parametrize("height", [24, 30, 50])
def test_a_wider_terminal_has_every_column_of_a_narrow_one(shelf: Shelf, height: int) -> None:
    def titles(width: int) -> set[str]:
        layout = arrange_browser(width, height)
        rows, _ = list_rows(shelf, 0, layout.list_width, layout.list_height, "braille", complete=True)
        return {*"".join(span.text for span in rows[0]).replace("test loss", "test-loss").split()}

    assert {"name", "state", "step", "test-loss"} <= titles(80)
    for width in range(80, 240):
        assert titles(80) <= titles(width)


@pytest.mark.parametrize("height", [1, 3, 4, 9])
def test_scrolling_keeps_the_cursor_in_sight_and_moves_no_more_than_that(height: int) -> None:
    lines, top = runs_shown(height), 0
    for index in [*range(20), *range(19, -1, -1), 7, 0, 19]:
        before, top = top, scrolled(top, index, lines, 20)
        assert top <= index < top + lines
        assert before == top or index in (top, top + lines - 1)
    assert scrolled(15, 15, lines, 16) + lines <= max(16, lines)
    assert scrolled(5, 0, lines, 1) == 0
