"""When planned interventions happen: at a step, or once a condition holds; once only, also over a checkpoint."""

import json
import math
from types import MappingProxyType

import pytest

from grokterm.engine.schedule import Schedule
from grokterm.errors import RunError, UsageError
from grokterm.interventions import Intervention, condition_from
from grokterm.run.events import decode, encode

LR = MappingProxyType({"lr": 1e-4})


def at(step: int) -> Intervention:
    return Intervention(step, None, LR)


def when(text: str) -> Intervention:
    return Intervention(None, condition_from(text), LR)


def due(schedule: Schedule, step: int) -> list[int]:
    """Indices of what happens; the entries are those that were planned."""
    asked = schedule.is_due(step)
    found = schedule.due(step)
    assert asked == bool(found)
    return [index for index, _ in found]


def through_a_checkpoint(schedule: Schedule, *interventions: Intervention) -> Schedule:
    state = decode(json.loads(json.dumps(encode(schedule.state()), allow_nan=False)))
    assert isinstance(state, dict)
    return Schedule(interventions, state)


def test_steps_come_in_their_order_and_those_of_one_step_in_that_of_the_file() -> None:
    entries = [at(7), at(3), at(7), at(0)]
    schedule = Schedule(entries)
    assert [(step, due(schedule, step)) for step in range(9) if schedule.is_due(step)] == [
        (0, [3]),
        (3, [1]),
        (7, [0, 2]),
    ]
    assert schedule.state() == {"fired": [0, 1, 2, 3], "seen": {}}
    assert Schedule(entries).due(0) == [(3, entries[3])]


def test_a_step_that_was_passed_without_a_look_is_not_missed() -> None:
    schedule = Schedule([at(3), at(5), at(9)])
    assert due(schedule, 6) == [0, 1]


def test_a_condition_fires_once_and_waits_for_its_scalar() -> None:
    schedule = Schedule([when("test_accuracy >= 0.5"), at(2)])
    assert schedule.wanted == {"test_accuracy"}
    assert due(schedule, 0) == []
    schedule.see("test_accuracy", 0.25)
    schedule.see("train_accuracy", 1.0)
    assert due(schedule, 1) == []
    schedule.see("test_accuracy", 0.5)
    assert due(schedule, 2) == [0, 1]
    assert schedule.wanted == frozenset()
    schedule.see("test_accuracy", 0.75)
    assert due(schedule, 3) == []


def test_asking_changes_nothing() -> None:
    schedule = Schedule([at(1), when("test_loss < 1")])
    schedule.see("test_loss", 0.5)
    before = schedule.state()
    assert schedule.is_due(0)
    assert schedule.state() == before


@pytest.mark.parametrize("comparison", ["<", "<=", ">", ">=", "==", "!="])
def test_nothing_is_true_of_nan(comparison: str) -> None:
    schedule = Schedule([when(f"train_loss {comparison} 1")])
    schedule.see("train_loss", math.nan)
    assert due(schedule, 5) == []
    fitting = {"<": 0.0, "<=": 1.0, ">": math.inf, ">=": 1.0, "==": 1.0, "!=": -math.inf}
    schedule.see("train_loss", fitting[comparison])
    assert due(schedule, 6) == [0]


def test_it_goes_on_from_a_checkpoint() -> None:
    entries = (at(2), when("test_loss < 1"), when("grad_norm > 3"), when("weight_norm_sq/W_E > 1"), at(8))
    schedule = Schedule(entries)
    schedule.see("test_loss", 0.5)
    schedule.see("grad_norm", math.nan)
    schedule.see("weight_norm_sq/W_E", -math.inf)
    assert due(schedule, 2) == [0, 1]

    again = through_a_checkpoint(schedule, *entries)
    assert again.wanted == schedule.wanted == {"grad_norm", "weight_norm_sq/W_E"}
    assert math.isnan(again.state()["seen"]["grad_norm"])  # type: ignore[index]
    assert due(again, 3) == []
    again.see("grad_norm", 4.0)
    assert due(again, 8) == [2, 4]


def test_a_value_that_was_seen_before_the_checkpoint_counts_after_it() -> None:
    entry = when("test_loss < 1")
    schedule = Schedule([entry])
    schedule.see("test_loss", 0.5)
    assert due(through_a_checkpoint(schedule, entry), 3) == [0]


def test_a_scalar_that_nobody_records_is_named() -> None:
    schedule = Schedule([at(3), when("test_acuracy >= 0.5")])
    with pytest.raises(UsageError) as caught:
        schedule.check_names(["test_loss", "test_accuracy"])
    said = "interventions[1].when = 'test_acuracy >= 0.5': there is no scalar 'test_acuracy'"
    assert str(caught.value) == f"{said}; did you mean 'test_accuracy'?"
    Schedule([at(3), when("test_loss < 1")]).check_names(["test_loss"])


@pytest.mark.parametrize(
    "state", [{"fired": 3}, {"fired": ["a"]}, {"fired": [None]}, {"seen": [1]}, {"seen": {"lr": "fast"}}]
)
def test_what_is_no_state_is_refused(state: dict[str, object]) -> None:
    with pytest.raises(RunError, match="has no list of indices or no values"):
        Schedule([at(3)], state)
