"""The header: which run it names, at which width, and what it leaves room for."""

from pathlib import Path

import pytest

from grokterm.drawing.cells import Row
from grokterm.history import History
from grokterm.tui.status import header, notice
from tests.recorded import record


@pytest.fixture
def history(tmp_path: Path) -> History:
    history = History(record(tmp_path, 400, state="training"))
    history.poll()
    return history


def lines(history: History, run: str, width: int, *, transport: str = "", notice: tuple[str, ...] = ()) -> list[str]:
    return [text(row) for row in header(history, run, "recorded", width, 2, "braille", transport, notice=notice)]


def text(row: Row) -> str:
    return "".join(span.text for span in row)


def strong(history: History, run: str, width: int) -> str:
    row = header(history, run, "recorded", width, 1, "braille")[0]
    return "".join(span.text for span in row if span.style == "strong")


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_it_names_the_run_without_its_date(history: History, width: int) -> None:
    assert strong(history, "2027-03-04-113000-wd-low", width) == "wd-low"
    assert strong(history, "2027-03-04-113000-recorded", width) == "recorded"
    assert strong(history, "somebody's copy", width) == "somebody's copy"


def test_the_preset_follows_where_there_is_room_and_it_says_more(history: History) -> None:
    assert "wd-low · recorded " in lines(history, "2027-03-04-113000-wd-low", 120)[0]
    assert "· recorded" not in lines(history, "2027-03-04-113000-wd-low", 70)[0]
    assert "·" not in lines(history, "2027-03-04-113000-recorded", 200)[0]


def test_a_long_name_takes_the_place_of_all_else_before_it_is_cut(history: History) -> None:
    long = "recorded-with-a-very-long-name-of-its-own-from-12345"
    assert "grokterm" not in lines(history, long, 80)[0]
    assert strong(history, long, 80).startswith("recorded-with-a-very-long-name-")
    assert strong(history, long, 120) == long
    assert strong(history, long, 60).endswith("…")
    for width in range(1, 130):
        for transport in ("", "▶ 64× steps"):
            first, second = lines(history, long, width, transport=transport)
            assert (len(first), len(second)) == (width, width)
            assert width < 30 or "step 400 / 400" in first


def test_a_sentence_in_the_place_of_the_hints_ends_in_dots_where_it_is_too_long() -> None:
    assert text(notice("four words of text", "", 30, "braille")) == " four words of text".ljust(30)
    assert text(notice("four words of text", "", 10, "braille")) == " four wor…"


def test_a_notice_leaves_room_for_the_knobs_in_force(history: History) -> None:
    told = ("training waits: 000000700.safetensors: No space left on device", "training waits: No space left on device")
    assert lines(history, "run", 80, notice=told)[1].startswith(f" ● training  {told[1]}  lr 0.001  wd 2  ")
    assert told[0] in lines(history, "run", 200, notice=told)[1]


def test_knobs_are_told_as_they_are_written(history: History) -> None:
    history.knobs["lr"] = 10_000.0
    assert " lr 10,000 " in lines(history, "run", 80)[1]


def test_beside_a_notice_nothing_is_told_by_halves(history: History) -> None:
    whole = {"", "  lr 0.001", "  wd 2", "  lr 0.001  wd 2", "  lr 0.001  wd 2  acc 1"}
    for length in range(30, 64):
        said = "x" * length
        rows = header(history, "run", "recorded", 80, 2, "braille", state="interrupted", notice=(said,))
        assert text(rows[1]).partition(said)[2].rstrip() in whole


@pytest.mark.parametrize("width", [80, 120])
def test_what_goes_on_beside_it_is_told(history: History, width: int) -> None:
    rows = header(history, "recorded", "recorded", width, 2, "braille", state="finished", aside=("hindsight", "45/250"))
    assert "hindsight 45/250" in text(rows[1])
    assert "hindsight" not in lines(history, "recorded", width)[1]
