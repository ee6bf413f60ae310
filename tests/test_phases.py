"""The phase rule on curves of the paper's shape, and on runs that go another way. T = 1,000 unless said otherwise."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from grokterm.phases import CIRCUIT_FORMATION, CLEANUP, GROKKED, MEMORIZATION, Change, PhaseRule

Curve = Callable[[int], float]


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x > -700 else 0.0


@dataclass(frozen=True)
class Curves:
    """mod113 as in the paper: gone from 4.7 within 500 steps, level from 1,600; test accuracy passes a half at 9,400;
    the norm has stopped to fall at 14,400."""

    train_loss: Curve = lambda step: 4.7 * math.exp(-step / 60) + 1e-7 * (1 + 263 * math.exp(-step / 200))
    train_accuracy: Curve = lambda step: sigmoid((step - 150) / 10)
    test_accuracy: Curve = lambda step: sigmoid((step - 9_400) / 300)
    norm_sq: Curve = lambda step: 800 * (1 + math.exp((10_400 - step) / 1_000))
    excluded: Curve | None = None
    decay: float = 1e-3


def watch(curves: Curves, steps: int = 25_000, n_classes: int = 113) -> list[tuple[int, Change]]:
    """Show a run to the rule as the trainer does; every change with the step at which it was told."""
    rule, told = PhaseRule(steps, n_classes), []
    for step in range(steps):
        if step % 20 == 0:
            rule.see_norm(step, curves.norm_sq(step))
            if curves.excluded is not None:
                rule.see_excluded(step, curves.excluded(step))
        told += [(step, change) for change in rule.see_test(step, curves.test_accuracy(step))]
        loss, accuracy = curves.train_loss(step), curves.train_accuracy(step)
        told += [(step, change) for change in rule.see_training(step, loss, accuracy, curves.decay)]
    return told


def phases(told: list[tuple[int, Change]]) -> dict[str, int]:
    return {change.name: change.at for _, change in told if not change.is_mark}


def marks(told: list[tuple[int, Change]]) -> dict[str, int]:
    return {change.name: change.at for _, change in told if change.is_mark}


def test_of_two_answers_half_of_the_way_is_three_quarters() -> None:
    """A test accuracy of 0.5 is chance there, from the first step on."""
    curves = Curves(test_accuracy=lambda step: 0.5 + 0.5 * sigmoid((step - 9_400) / 300))
    told = watch(curves, n_classes=2)
    assert phases(told)[CLEANUP] == 9_400
    assert CIRCUIT_FORMATION in phases(told)
    assert phases(watch(curves))[CLEANUP] < 100


def test_paper_curves() -> None:
    told = watch(Curves())
    assert phases(told) == {
        CIRCUIT_FORMATION: pytest.approx(1_600, abs=20),
        CLEANUP: 9_400,
        GROKKED: pytest.approx(14_400, abs=40),
    }
    assert marks(told) == {"memorized_at": 196, "grokked_at": 9_400 + math.ceil(300 * math.log(99))}
    assert [change.name for _, change in told] == [
        "memorized_at",
        CIRCUIT_FORMATION,
        CLEANUP,
        "grokked_at",
        GROKKED,
    ]
    assert all(change.at <= step for step, change in told)
    assert all(change.why for _, change in told)


def test_first_phase_is_memorization() -> None:
    assert PhaseRule(10).phase == MEMORIZATION


def test_clock_follows_the_decay() -> None:
    """Ten times the decay: the same curves, ten times as fast, have the same boundaries ten times as early."""
    slow = Curves()
    fast = Curves(
        train_loss=lambda step: slow.train_loss(10 * step),
        train_accuracy=lambda step: slow.train_accuracy(10 * step),
        test_accuracy=lambda step: slow.test_accuracy(10 * step),
        norm_sq=lambda step: slow.norm_sq(10 * step),
        decay=1e-2,
    )
    found = phases(watch(fast, steps=2_500))
    assert found == {CIRCUIT_FORMATION: pytest.approx(160, abs=3), CLEANUP: 940, GROKKED: pytest.approx(1_440, abs=25)}


@pytest.mark.parametrize("decay", [0.0, 3e-5], ids=["no weight decay", "T longer than the run"])
def test_without_a_usable_clock_the_last_phases_are_not_named(decay: float) -> None:
    told = watch(replace(Curves(), decay=decay))
    assert list(phases(told)) == [CIRCUIT_FORMATION]
    assert list(marks(told)) == ["memorized_at", "grokked_at"]


def test_run_that_never_memorises() -> None:
    told = watch(
        replace(Curves(), train_loss=lambda step: 4.7, train_accuracy=lambda step: 0.1, test_accuracy=lambda step: 0.0),
        steps=3_000,
    )
    assert told == []


def test_plateau_above_a_hundredth_is_no_memory() -> None:
    curves = replace(Curves(), train_loss=lambda step: 0.06 + 4.7 * math.exp(-step / 60))
    assert phases(watch(curves, steps=3_000)) == {}


def test_run_that_never_groks() -> None:
    told = watch(replace(Curves(), test_accuracy=lambda step: 0.3))
    assert list(phases(told)) == [CIRCUIT_FORMATION]
    assert list(marks(told)) == ["memorized_at"]


def test_norm_that_never_settles_keeps_it_in_cleanup() -> None:
    told = watch(replace(Curves(), norm_sq=lambda step: 8e5 * math.exp(-step / 20_000)))
    assert list(phases(told)) == [CIRCUIT_FORMATION, CLEANUP]
    assert "grokked_at" in marks(told)


def test_train_and_test_that_fall_together_skip_circuit_formation() -> None:
    told = watch(replace(Curves(), test_accuracy=lambda step: sigmoid((step - 500) / 20)))
    assert list(phases(told)) == [CLEANUP, GROKKED]
    assert phases(told)[CLEANUP] == 500


@pytest.mark.parametrize("height", [3.0, 1e3, 1e7, math.inf, math.nan])
@pytest.mark.parametrize("begin", [400, 900, 1_560])
def test_spikes_of_the_training_loss_hardly_move_the_boundary(begin: int, height: float) -> None:
    calm = Curves()

    def spiky(step: int) -> float:
        since = step - begin
        if since < 0:
            return calm.train_loss(step)
        return calm.train_loss(step) * (height if since < 10 else 1 + 2 * math.exp(-since / 5))

    found = phases(watch(replace(calm, train_loss=spiky), steps=3_000))
    assert found == {CIRCUIT_FORMATION: pytest.approx(1_600, abs=100)}


def test_marks_need_a_hundred_evaluations() -> None:
    dips = {300, 420}
    told = watch(replace(Curves(), train_accuracy=lambda step: float(step >= 201 and step not in dips)), steps=1_000)
    assert [(step, change.name, change.at) for step, change in told] == [(400, "memorized_at", 301)]
    assert [change.at for _, change in watch(Curves(), steps=12_000) if change.name == "grokked_at"] == [10_779]


def excluded(step: int) -> float:
    """At its lowest, 0.05, at step 800; half as much more at about 1,000."""
    return 0.05 * (1 + ((step - 800) / 280) ** 2)


def test_excluded_loss_that_rises_ends_memorization_at_its_minimum() -> None:
    told = watch(replace(Curves(), excluded=excluded), steps=3_000)
    assert [(change.name, change.at) for _, change in told] == [("memorized_at", 196), (CIRCUIT_FORMATION, 800)]
    assert 1_000 - 20 <= told[1][0] <= 1_020
    assert "excluded_loss_max" in told[1][1].why


def test_excluded_loss_speaks_where_the_training_loss_never_levels_off() -> None:
    falling = replace(Curves(), train_loss=lambda step: 4.7 * math.exp(-step / 100))
    assert phases(watch(falling, steps=3_000)) == {}
    assert phases(watch(replace(falling, excluded=excluded), steps=3_000)) == {CIRCUIT_FORMATION: 800}


def test_excluded_loss_before_memory_or_in_a_spike_says_nothing() -> None:
    unlearnt = replace(Curves(), excluded=excluded, train_accuracy=lambda step: 0.98)
    assert phases(watch(unlearnt, steps=1_500)) == {}
    calm = Curves()

    def spiky(step: int) -> float:
        return calm.train_loss(step) + 0.05 * (600 <= step < 640)

    def with_it(step: int) -> float:
        return 0.05 + 1e-4 * max(500 - step, 0) + (600 <= step < 640)

    assert phases(watch(replace(calm, train_loss=spiky, excluded=with_it), steps=1_500)) == {}


def test_late_excluded_loss_does_not_reopen_a_phase() -> None:
    curves = replace(Curves(), excluded=lambda step: 0.1 if step < 5_000 else 9.0)
    assert phases(watch(curves)) == {**phases(watch(Curves()))}
