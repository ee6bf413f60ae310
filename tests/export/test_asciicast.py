"""An asciicast as asciinema reads it and as a terminal shows it."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pyte
import pytest
from asciinema import asciicast

from grokterm.catalog import Catalog
from grokterm.errors import RunError, UsageError
from grokterm.export.asciicast import Pace, pace_of, write
from grokterm.export.choices import Choices
from grokterm.export.whole_screen import whole_screen
from grokterm.history import History
from grokterm.run.directory import RunDirectory, create
from grokterm.run.table import TableWriter
from grokterm.tui.app import load_panels
from grokterm.tui.looks import Looks
from tests.forked import FORKED_AT, parent_and_fork
from tests.odd_run import Counted, record_odd
from tests.recorded import record

GOLDEN = Path(__file__).parents[1] / "golden" / "odd.cast"
OURS = re.compile(r"(\x1b\[[0-9;]*[mHCJ]|\x1b\[\?25[lh]|[^\x00-\x1f\x7f-\x9f])*")
Events = list[tuple[float, str, str]]


def exported(run: RunDirectory, **choices: object) -> tuple[dict[str, Any], Events]:
    progress = Counted()
    path = run.path.parent / "out.part"
    write(run, path, progress, Choices(**choices))  # type: ignore[arg-type]
    assert progress.is_complete
    with asciicast.open_from_url(str(path)) as cast:
        return cast.v2_header, [tuple(event) for event in cast.events()]


def history_of(run: RunDirectory) -> History:
    history = History(run)
    history.poll()
    return history


def pace(run: RunDirectory, **choices: object) -> Pace:
    return pace_of(history_of(run), Choices(**choices))  # type: ignore[arg-type]


def screen_of(run: RunDirectory, pace: Pace, picture: int, size: tuple[int, int]) -> list[str]:
    history, transport = history_of(run).at(pace.steps[picture]), pace.transport(picture)
    rows = whole_screen(history, load_panels(Catalog()), Looks(), *size, transport=transport)
    return ["".join(span.text for span in row) for row in rows]


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (20, 8)])
def test_played_every_picture_is_the_screen_at_its_step(tmp_path: Path, size: tuple[int, int]) -> None:
    run = record(tmp_path)
    _, events = exported(run, size=f"{size[0]}x{size[1]}", seconds=2.0)
    moves = pace(run, seconds=2.0)
    assert len(moves.steps) == 11  # a second, and a second in which the last one stands
    shown = pyte.Screen(*size)
    stream = pyte.Stream(shown)
    waiting = list(events)
    for picture in range(11):
        while waiting and waiting[0][0] <= picture / 10:
            stream.feed(waiting.pop(0)[2])
        assert shown.display == screen_of(run, moves, picture, size)
        assert shown.cursor.hidden
    (last,) = waiting
    stream.feed(last[2])
    assert shown.display == screen_of(run, moves, 10, size)
    assert (shown.cursor.hidden, shown.cursor.y, shown.cursor.x) == (False, size[1] - 1, 0)


def test_the_header_says_what_a_player_needs(tmp_path: Path) -> None:
    header, _ = exported(record_odd(tmp_path), size="80x24")
    assert header == {
        "version": 2,
        "width": 80,
        "height": 24,
        "timestamp": 1_800_000_000,
        "title": "2027-03-04-113000-odd",
        "env": {"TERM": "xterm-256color"},
    }


def test_events_come_in_order_no_more_than_ten_a_second_and_the_last_picture_stands(tmp_path: Path) -> None:
    _, events = exported(record(tmp_path), seconds=3.0)
    times = [time for time, _, _ in events]
    assert {kind for _, kind, _ in events} == {"o"}
    assert times[0] == 0
    assert min(np.diff(times)) > 0.099
    assert times[-2:] == [1.5, 3.0]


def test_a_picture_like_the_one_before_is_not_written(tmp_path: Path) -> None:
    _, events = exported(record(tmp_path, 20), seconds=10.0)
    assert len(events) == 22  # one a step, and the end
    assert all(text for _, _, text in events)


def test_nothing_of_a_run_is_an_escape_code(tmp_path: Path) -> None:
    run = record(tmp_path)
    renamed = RunDirectory(run.path.rename(tmp_path / "odd\x1b]0;title\x07\x9b"))
    header, events = exported(renamed, size="200x50", seconds=1.0)
    assert header["title"] == "odd]0;title"
    assert all(OURS.fullmatch(text) for _, _, text in events)
    assert "[bold]odd[/bold] ?[31m" in "".join(text for _, _, text in events)


def test_a_few_steps_take_a_picture_each_and_many_take_half_a_minute(tmp_path: Path) -> None:
    few = pace(record(tmp_path / "few", 20))
    assert few.steps == tuple(range(21))
    many = pace(record(tmp_path / "many", 400))
    assert (len(many.steps), many.steps[0], many.steps[-1], many.seconds) == (281, 0, 400, 30.0)
    assert set(np.diff(many.steps)) == {1, 2}


def test_speed_is_that_of_a_replay(tmp_path: Path) -> None:
    run = record(tmp_path)  # 20 steps a second
    twice = pace(run, speed=2.0)
    assert len(twice.steps) == 101
    assert (twice.steps[10], twice.clock) == (40, "time")
    assert (twice.transport(0), twice.transport(100)) == ("▶ 2× time", "‖ 2× time")
    assert pace(run, seconds=7.0).transport(0) == "▶ 4× time"


def test_a_range_of_steps(tmp_path: Path) -> None:
    some = pace(record(tmp_path), first="100", last="50%", seconds=2.0)
    assert some.steps == tuple(range(100, 201, 10))


def test_a_run_without_times_moves_by_steps(tmp_path: Path) -> None:
    run = create(tmp_path, "imported")
    run.write_config({"format": 1})
    with TableWriter(run.steps_path, np.dtype([("step", "<i8"), ("train_loss", "<f8")])) as table:
        for step in range(0, 50_000, 10):
            table.append(step, 1.0)
    moves = pace(run)
    assert (len(moves.steps), moves.steps[-1], moves.transport(1)) == (281, 49_991, "▶ 179× steps")
    assert np.ptp(np.diff(moves.steps)) <= 1
    assert pace(run, speed=1000.0).transport(1) == "▶ 1,000× steps"


def test_a_pause_of_the_training_is_cut_short(tmp_path: Path) -> None:
    run = create(tmp_path, "paused")
    run.write_config({"format": 1})
    with TableWriter(run.steps_path, np.dtype([("step", "<i8"), ("time", "<f8"), ("train_loss", "<f8")])) as table:
        for step in range(200):
            table.append(step, 1.8e9 + step / 10 + (40_000 if step >= 100 else 0), 1.0)
    steps = pace(run, seconds=10.0).steps
    assert 40 <= sum(step < 100 for step in steps) <= 60


def test_a_run_of_one_row_is_one_picture(tmp_path: Path) -> None:
    run = create(tmp_path, "young")
    run.write_config({"format": 1})
    with TableWriter(run.tests_path, np.dtype([("step", "<i8"), ("test_loss", "<f8")])) as table:
        table.append(0, 4.7)
    _, events = exported(run)
    assert [time for time, _, _ in events] == [0, 2]


def test_what_cannot_be_is_said(tmp_path: Path) -> None:
    run = record(tmp_path)
    with pytest.raises(UsageError, match="--speed and --seconds both say how long it takes"):
        pace(run, speed=2.0, seconds=3.0)
    with pytest.raises(UsageError, match=r"that would take 20,\d\d\d s, and a recording takes at most 3,600 s"):
        pace(run, speed=0.001)
    with pytest.raises(UsageError, match="--colors '8' is none of none, 16, 256, all"):
        exported(run, colours="8")
    empty = create(tmp_path, "empty")
    empty.write_config({"format": 1})
    with pytest.raises(RunError, match="has recorded nothing yet, so there is nothing to export"):
        exported(empty)


def test_the_text_is_as_ever(tmp_path: Path) -> None:
    path = tmp_path / "odd.cast"
    said = write(record_odd(tmp_path), path, Counted(), Choices(size="70x14"))
    assert said == "2.4 s of 70×14 cells; `asciinema play` shows it"
    assert path.read_text(encoding="utf-8") == GOLDEN.read_text(encoding="utf-8")


def test_a_recording_of_a_fork_begins_with_it_or_with_its_parent(tmp_path: Path) -> None:
    _, fork = parent_and_fork(tmp_path)
    assert pace(fork, seconds=1.0).steps[0] == FORKED_AT
    assert pace(fork, seconds=1.0, first="100").steps[0] == 100
    screen = pyte.Screen(120, 40)
    _, events = exported(fork, size="120x40", seconds=1.0, first="100")
    pyte.Stream(screen).feed(events[0][2])
    assert "step 100 / 400" in "\n".join(screen.display)
    assert "fork of" not in "\n".join(screen.display)  # it is later
