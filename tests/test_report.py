"""A run in words: progress lines, events and the closing report of recorded runs."""

import math
from pathlib import Path

import numpy as np
import pytest

from grokterm.history import History
from grokterm.report import closing, event_line, progress_line, short_line, time_left
from grokterm.run.directory import RunDirectory, create
from grokterm.run.events import Event, EventLog
from grokterm.run.table import TableWriter
from grokterm.text import plain
from tests import measured_run
from tests.recorded import record


def run_with(
    runs: Path, train_accuracy: list[float], test_accuracy: list[float], planned: int = 1000, rate: float = 10.0
) -> RunDirectory:
    """A run of losses 0.5 at `rate` steps a second."""
    run = create(runs, "told")
    run.write_config({"format": 1, "training": {"steps": planned}})
    names = ("time", "train_loss", "train_accuracy"), ("test_loss", "test_accuracy")
    steps, tests = (np.dtype([("step", "<i8"), *((name, "<f8") for name in part)]) for part in names)
    with TableWriter(run.steps_path, steps) as table:
        for step, accuracy in enumerate(train_accuracy):
            table.append(step, 1e9 + step / rate, 0.5, accuracy)
    with TableWriter(run.tests_path, tests) as table:
        for step, accuracy in enumerate(test_accuracy):
            table.append(step, 0.5, accuracy)
    EventLog(run.events_path).write("state", 0, state="training", device="cpu", threads=1, knobs={"steps": planned})
    return run


def polled(run: RunDirectory) -> History:
    history = History(run)
    history.poll()
    history._training_since = 0.0  # the rows are older than the event
    return history


def test_progress_line_is_aligned(tmp_path: Path) -> None:
    run = run_with(tmp_path, [0.5] * 201, [0.21] * 201)
    EventLog(run.events_path).write("phase", 0, phase="memorization", at=0, why="training begins")
    line = progress_line(polled(run))
    assert line == (
        "step    201 /  1,000     10.0/s  train 5.00e-01  test 5.00e-01  test acc 0.210  memorization  1:19 left"
    )


def test_what_matters_less_is_left_out_of_a_short_line(tmp_path: Path) -> None:
    history = polled(run_with(tmp_path, [0.5] * 201, [0.21] * 201))
    assert short_line(history, 30) == "step 201 / 1,000  1:19 left"
    assert short_line(history, 45) == "step 201 / 1,000  10.0/s  1:19 left"
    assert short_line(history, 0) == ""
    assert all(len(short_line(history, room)) <= room for room in range(100))


@pytest.mark.parametrize("rows", [0, 1, 2, 1000])
def test_no_time_left_is_told_that_nobody_can_know(tmp_path: Path, rows: int) -> None:
    assert time_left(polled(run_with(tmp_path, [0.5] * rows, []))) == ""


def test_a_paused_run_has_no_time_left(tmp_path: Path) -> None:
    run = run_with(tmp_path, [0.5] * 100, [])
    EventLog(run.events_path).write("state", 100, state="paused")
    assert time_left(polled(run)) == "paused"


def test_numbers_that_are_none_are_told(tmp_path: Path) -> None:
    line = progress_line(polled(run_with(tmp_path, [math.nan], [math.nan])))
    assert "test acc   nan" in line


def test_report_of_a_grokked_run(tmp_path: Path) -> None:
    run = run_with(tmp_path, [1.0] * 500, [0.0] * 300 + [1.0] * 201)
    events = EventLog(run.events_path)
    events.write("phase", 0, phase="memorization", at=0, why="training begins")
    events.write("phase", 160, mark="memorized_at", at=60, why="held")
    events.write("phase", 310, phase="cleanup", at=305, why="test accuracy reached 0.5")
    events.write("phase", 400, mark="grokked_at", at=300, why="held")
    events.write("state", 500, state="finished")
    text = closing(polled(run))
    assert text.startswith("finished at step 500 of 1,000, 0:49 after it began\n")
    assert "memorised at      60\n" in text
    assert "grokked at       300\n" in text
    assert "delay            240 steps between them; 300 to grok, 5.0 times as many as to memorise\n" in text
    assert "               305  cleanup       test accuracy reached 0.5" in text
    assert text.endswith(f"run           {run.path}")


@pytest.mark.parametrize(
    ("accuracy", "said"),
    [
        ([0.2, 0.5, 0.4], "never: test accuracy was 0.500 at best, at 1"),
        ([0.2] * 5 + [1.0] * 3, "not certain yet: test accuracy ≥ 0.99 since 5, for 3 of the 100 evaluations"),
        ([1.0] * 3, "not certain yet: test accuracy ≥ 0.99 since 0"),
        ([0.2, 1.0, 0.4], "never: test accuracy was ≥ 0.99 at 1, and did not stay there for 100 evaluations"),
        ([math.nan], "never: test accuracy was not a number"),
        ([], "never: it was not measured"),
    ],
)
def test_report_says_why_a_run_is_not_called_grokked(tmp_path: Path, accuracy: list[float], said: str) -> None:
    assert f"grokked at    {said}" in closing(polled(run_with(tmp_path, [0.5], accuracy)))


@pytest.mark.parametrize("state", ["finished", "stopped", "failed"])
def test_what_has_ended_is_not_about_to_become_certain(tmp_path: Path, state: str) -> None:
    run = run_with(tmp_path, [0.5], [0.2] * 5 + [1.0] * 3)
    EventLog(run.events_path).write("state", 8, state=state)
    assert "grokked at    not certain: test accuracy ≥ 0.99 since 5, for 3 of the 100" in closing(polled(run))


def test_report_of_a_run_of_nothing(tmp_path: Path) -> None:
    text = closing(History(RunDirectory(tmp_path / "gone")))
    assert text.startswith("loading at step 0\n")
    assert "none was told apart" in text


def test_text_of_a_run_is_literal_and_without_control_characters() -> None:
    event = Event(7, 0.0, "note", {"text": "[red]\x1b[31mred\x9b0m\x07\nnew\u202eline"})
    assert event_line(event) == "step      7  note: [red][31mred0m newline"
    assert plain("tab\there") == "tab here"


def test_the_end_is_told_by_the_report_alone() -> None:
    assert event_line(Event(7, 0.0, "state", {"state": "finished"})) is None
    assert event_line(Event(7, 0.0, "state", {"state": "paused"})) == "step      7  state: paused"


def test_the_closing_report_tells_of_hindsight(tmp_path: Path) -> None:
    run = record(tmp_path)
    assert "hindsight" not in closing(polled(run))
    said = closing(polled(measured_run.measure(run, measured_run.STEPS[:2], keys=(), finish=False)))
    assert "\nhindsight     2 of 5 checkpoints measured with the key frequencies of step 400: none\n" in said
    said = closing(polled(measured_run.measure(run)))
    assert "\nhindsight     5 of 5 checkpoints measured with the key frequencies of step 400: 3 7 9\n" in said
