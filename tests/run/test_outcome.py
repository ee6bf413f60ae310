"""What events come to, and what a state means."""

import json
from pathlib import Path

import pytest

from grokterm.history import History
from grokterm.run.directory import RunDirectory, create
from grokterm.run.outcome import ENDED, INTERRUPTED, read_outcome, standing, step_count


@pytest.mark.parametrize(
    ("told", "alive", "state"),
    [
        ("training", True, "training"),
        ("training", False, INTERRUPTED),
        ("stopping", False, INTERRUPTED),
        ("", True, "loading"),
        ("", False, INTERRUPTED),
        ("loading", False, INTERRUPTED),
        *((end, alive, end) for end in sorted(ENDED) for alive in (True, False)),
    ],
)
def test_a_run_without_an_end_and_without_a_trainer_was_interrupted(told: str, alive: bool, state: str) -> None:
    assert standing(told, alive=alive) == state


@pytest.mark.parametrize(
    ("said", "steps"),
    [
        *((1, 1), (16_000, 16_000), (500.0, 500)),
        *((wrong, None) for wrong in (0, -3, float("nan"), float("inf"), 1e300, 10**400)),
        *((wrong, None) for wrong in ("many", None, [5], {"steps": 5})),
    ],
)
def test_only_a_number_of_steps_is_one(said: object, steps: int | None) -> None:
    assert step_count(said) == steps


LINES: list[dict[str, object]] = [
    {"event": "state", "step": 0, "time": "nan", "state": "training", "knobs": {"steps": "nan"}},
    {"event": "state", "step": 1, "time": "inf", "state": "training", "knobs": {"steps": 70}},
    {"event": "phase", "step": 2, "time": "nan", "phase": "cleanup", "at": 2},
    {"event": "phase", "step": 3, "time": 1, "mark": "grokked_at", "at": 2},
    {"event": "phase", "step": 4, "time": "noon", "phase": "never", "at": 4},
    {"event": 3, "step": 5, "time": 1, "state": "failed", "phase": "never"},
    {"event": "edit", "step": 6, "time": 1, "knob": "steps", "new": 80},
    {"event": "edit", "step": 7, "time": 1, "knob": "steps", "new": "inf"},
    {"event": "state", "step": 8, "time": "nan", "state": "finished", "knobs": {"steps": 90}},
]


@pytest.mark.parametrize("count", range(len(LINES) + 1))
def test_what_counts_as_an_event_is_the_same_for_lists_and_for_screens(tmp_path: Path, count: int) -> None:
    run = _with_events(tmp_path, LINES[:count])
    told, history = read_outcome(run.events_path), History(run)
    history.poll()
    assert (told.state or "loading", told.step) == (history.state, history.step)
    assert (told.phase, told.marks) == (history.phase, history.marks)


def test_a_plan_that_is_no_number_does_not_replace_one_that_is(tmp_path: Path) -> None:
    assert read_outcome(_with_events(tmp_path, LINES).events_path).steps == 80


def _with_events(runs: Path, lines: list[dict[str, object]]) -> RunDirectory:
    run = create(runs, "told")
    run.events_path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return run
