"""The table of runs: what the columns say, and which are left out where there is no room."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from grokterm.listing import (
    COLUMNS,
    count_text,
    fitting,
    loss_text,
    share_text,
    size_text,
    table,
    tags_text,
    time_text,
)
from grokterm.run.directory import RunDirectory
from grokterm.summary import Summary

RUN = Summary(
    RunDirectory(Path("nowhere/2027-01-15-080000-mod113")),
    "2027-01-15-080000-mod113",
    "finished",
    preset="mod113",
    seed=0,
    step=16_000,
    train_loss=1.0123e-7,
    test_loss=6.41e-7,
    test_accuracy=1.0,
    phase="grokked",
    memorized_at=136,
    grokked_at=5532,
    started=1_800_000_000.0,
    tags=("good", "seed-sweep"),
)
OTHER = replace(
    RUN, name="begun", state="interrupted", step=0, train_loss=None, phase="circuit formation", grokked_at=None, tags=()
)


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_without_a_limit_every_column_is_there() -> None:
    assert "\n".join(table([RUN, OTHER], None, str)) == (
        "name                      preset  seed  state          step  train loss  test loss  test acc  phase"
        "              memorised at  grokked at  started           size  tags\n"
        "2027-01-15-080000-mod113  mod113     0  finished     16,000   1.012e-07   6.41e-07     1.000  grokked"
        "                     136       5,532  2027-01-15 08:00   0 B  good, seed-sweep\n"
        "begun                     mod113     0  interrupted       0           -   6.41e-07     1.000  circuit "
        "formation           136           -  2027-01-15 08:00   0 B  -"
    )


def test_one_can_tell_where_a_tag_ends() -> None:
    assert tags_text(["good", "two words", "a:b", "c, d"]) == 'good, two words, a:b, "c, d"'
    assert tags_text([]) == ""


def test_in_80_columns_what_matters_less_is_left_out() -> None:
    assert "\n".join(table([RUN, OTHER], 80, str)) == (
        "name                      state          step  test loss  phase\n"
        "2027-01-15-080000-mod113  finished     16,000   6.41e-07  grokked\n"
        "begun                     interrupted       0   6.41e-07  circuit formation"
    )


@pytest.mark.parametrize("room", range(1, 230, 7))
def test_the_table_fits_any_width_and_begins_with_the_name(room: int) -> None:
    lines = table([RUN, OTHER], room, str)
    assert max(map(len, lines)) <= room
    assert [line.split(" ")[0] for line in lines] == [
        text[:room] for text in ("name", "2027-01-15-080000-mod113", "begun")
    ]


def test_reasons_are_a_column_of_the_complete_table_only() -> None:
    broken = replace(RUN, state="damaged", problem="run.toml is not valid TOML")
    assert table([broken], None, str)[0].endswith("tags              problem")
    assert table([broken], None, str)[1].endswith("run.toml is not valid TOML")
    assert "TOML" not in "".join(table([broken], 300, str))


def test_texts_of_a_run_pass_through_what_makes_them_harmless() -> None:
    odd = replace(RUN, name="a\x1b[31mb", phase="\x1b", tags=("\n",))
    assert "\x1b" not in "".join(table([odd], None, lambda text: text.replace("\x1b", "").replace("\n", "")))


def test_the_bytes_of_runs_are_counted_only_where_they_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grokterm.summary._size", lambda _: pytest.fail("counted"))
    table([replace(RUN)], 80, str)


def test_a_wanted_column_is_the_first_to_get_a_place() -> None:
    titles = [column.title for column in COLUMNS]
    widths = [column.width for column in COLUMNS]
    assert [titles[index] for index in fitting(COLUMNS, widths, 54)] == ["name", "state", "step"]
    assert [titles[index] for index in fitting(COLUMNS, widths, 54, "size")] == ["name", "state", "size"]


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (16_430, "16.4 kB"), (184e6, "184 MB"), (5e15, "5,000 TB")],
)
def test_sizes_have_three_digits(size: float, text: str) -> None:
    assert size_text(size) == text


def test_what_is_not_recorded_is_nothing() -> None:
    assert (count_text(None), loss_text(None), share_text(None)) == ("", "", "")
    assert (count_text(12_500), loss_text(float("nan")), share_text(0.9955)) == ("12,500", "nan", "0.996")
    assert (time_text(1e30), time_text(float("nan"))) == ("", "")
