"""Epochs of a file become steps by what its losses show."""

import math

import numpy as np
import pytest

from grokterm.importers.timeline import Recorded, Shift, evaluated_after, saved_after

FALLING = np.exp(-np.arange(100) / 10)


@pytest.mark.parametrize("updates", [0, 1])
def test_a_checkpoint_is_as_many_updates_beyond_its_epoch_as_its_loss_says(updates: int) -> None:
    computed = [(epoch, float(FALLING[epoch + updates]) * 1.001) for epoch in (10, 20, 30)]
    assert saved_after(Recorded(FALLING), computed, 30) == Shift(updates, measured=True)


@pytest.mark.parametrize("updates", [0, 1])
def test_a_test_loss_is_as_many_updates_beyond_its_epoch_as_it_says(updates: int) -> None:
    recorded = Recorded(FALLING[::5], every=5)  # values[i] was taken in epoch 5 i
    computed = [(5 * i + updates, float(FALLING[5 * i])) for i in range(1, 9)]
    assert evaluated_after(recorded, computed, usual=1 - updates) == Shift(updates, measured=True)


def test_without_a_clear_answer_it_is_the_usual_one_and_says_so() -> None:
    flat = Recorded(np.ones(100))
    assert saved_after(flat, [(10, 1.0)], 10) == Shift(1, measured=False)
    assert saved_after(Recorded(FALLING), [(10, 77.0)], 10) == Shift(1, measured=False)
    assert saved_after(Recorded(FALLING), [], 10) == Shift(1, measured=False)
    assert evaluated_after(flat, [(10, 1.0)], usual=0) == Shift(0, measured=False)
    assert evaluated_after(flat, [(10, math.nan)], usual=1) == Shift(1, measured=False)


def test_one_shift_alone_must_be_closer_than_a_step_could_be() -> None:
    recorded = Recorded(FALLING[::5], every=5)
    near = [(step, float(FALLING[step]) * 1.002) for step in (5, 10)]  # epoch 4 and 9 have no test loss
    assert evaluated_after(recorded, near, usual=1) == Shift(1, measured=False)


def test_epochs_that_are_counted_in_updates_stay() -> None:
    assert saved_after(Recorded(FALLING), [], 100) == Shift(0, measured=True)


def test_losses_of_epochs() -> None:
    recorded = Recorded(np.array([1.0, 2.0, 3.0]), every=10)
    assert [recorded.of_epoch(epoch) for epoch in (0, 10, 20)] == [1.0, 2.0, 3.0]
    assert all(math.isnan(recorded.of_epoch(epoch)) for epoch in (-10, 5, 30))
