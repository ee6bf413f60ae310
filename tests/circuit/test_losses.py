"""Cross-entropies: exact where float32 would not be, and without each wave what the definition gives."""

import math

import numpy as np
import pytest

from grokterm.circuit.losses import cross_entropies, in_parts, losses, without_each_wave
from tests.random_circuit import grid_task, random_circuit


def test_losses_by_hand() -> None:
    task = grid_task(3)
    logits = np.zeros((9, 3))
    logits[task.train, task.labels[task.train]] = 2.0
    found = losses(logits, task)
    assert found.test == pytest.approx(math.log(3))
    assert found.train == pytest.approx(math.log(1 + 2 * math.exp(-2)))
    assert found.all == pytest.approx((3 * found.train + 6 * found.test) / 9)
    assert found.train_accuracy == 1


def test_a_row_of_nan_answers_nothing_and_costs_nan() -> None:
    task = grid_task(3)
    logits = np.eye(3)[task.labels]
    logits[[0, 5]] = np.nan  # the first one's label is 0, the class that argmax names
    found = losses(logits, task)
    assert found.accuracy == pytest.approx(7 / 9)
    assert np.isnan(found.all)


def test_a_sure_network_in_float32_loses_nothing() -> None:
    logits = np.array([[20, 0, 0]], np.float32)
    assert cross_entropies(logits, np.array([0]))[0] == pytest.approx(2 * math.exp(-20), rel=1e-7)
    assert cross_entropies(logits * 1000, np.array([1]))[0] == 20000


def test_of_many_inputs_each_has_its_own_loss() -> None:
    """More than are computed at once."""
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(2100, 5)), rng.integers(0, 5, 2100)
    expected = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(2100), labels]
    np.testing.assert_allclose(cross_entropies(logits, labels), expected, rtol=1e-12)


def test_the_parts_are_means_over_their_rows() -> None:
    task = grid_task()
    each = np.random.default_rng(0).normal(size=(121, 4))
    found = in_parts(each, task)
    np.testing.assert_allclose(found.all, each.mean(axis=0))
    np.testing.assert_allclose(found.train, each[task.train].mean(axis=0))
    np.testing.assert_allclose(found.test, each[task.test].mean(axis=0))


@pytest.mark.parametrize("subtract", [False, True])
@pytest.mark.parametrize("scale", [1.0, 300.0])  # 300: logits thousands apart, where a product underflows
def test_without_each_wave_is_the_definition_for_every_frequency(subtract: bool, scale: float) -> None:
    c = random_circuit(subtract=subtract)
    logits, tables = c.logits * scale, c.wave_tables * scale
    found = without_each_wave(logits, tables, c.sums, c.task)
    for k, table in enumerate(tables):
        expected = losses(logits - table[c.sums], c.task)
        assert (found.all[k], found.train[k], found.test[k]) == pytest.approx(
            (expected.all, expected.train, expected.test), rel=1e-12
        )


def test_labels_that_are_no_function_of_the_sum() -> None:
    c = random_circuit()
    task = grid_task()
    task.labels[...] = np.random.default_rng(0).integers(0, 11, 121)
    found = without_each_wave(c.logits, c.wave_tables, c.sums, task)
    expected = losses(c.logits - c.wave_tables[1][c.sums], task)
    assert found.train[1] == pytest.approx(expected.train, rel=1e-12)
