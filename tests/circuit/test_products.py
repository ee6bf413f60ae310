"""Shares of the sum, symmetry and positions on functions that are known."""

import numpy as np
import pytest

from grokterm.circuit.products import asymmetry, position_similarity, sum_share
from tests import reference
from tests.random_circuit import P, random_circuit
from tests.reference_circuits import circuit

A, B = np.divmod(np.arange(P * P), P)


def test_products_of_waves_are_half_sum_half_difference() -> None:
    c = random_circuit()  # keys 1 and 3
    angle = 2 * np.pi / P
    values = np.stack(
        [
            5 + np.cos(angle * (A + B)),
            np.cos(angle * A) + np.cos(angle * B),
            np.cos(3 * angle * A) * np.cos(3 * angle * B),
            np.sin(2 * angle * (A + B)),
            np.ones(P * P),
        ],
        axis=1,
    )
    for neuron, share in enumerate((1, 0, 0.5, 0, 0)):
        found = sum_share(c, values[:, [neuron]])
        assert (found.mean, found.pooled) == pytest.approx((share, share), abs=1e-12)
    assert sum_share(c, values[:, :2]).mean == pytest.approx(0.5)
    assert sum_share(c, values[:, :2]).pooled == pytest.approx(0.5 / 1.5)


def test_the_difference_is_the_sum_of_a_task_that_subtracts() -> None:
    values = np.cos(2 * np.pi * (A - B) / P)[:, None]
    assert sum_share(random_circuit(subtract=True), values).pooled == pytest.approx(1)
    assert sum_share(random_circuit(), values).pooled == pytest.approx(0, abs=1e-12)


def test_asymmetry() -> None:
    assert asymmetry(np.cos(A + B)[:, None]) == 0
    assert asymmetry((A - B)[:, None].astype(float)) == pytest.approx(4)
    assert asymmetry(np.zeros((9, 2))) == 0


def test_positions() -> None:
    W_pos = np.array([[3.0, 4.0], [4.0, 3.0], [0.0, 0.0]])
    assert position_similarity(W_pos) == pytest.approx(24 / 25)
    assert position_similarity(0 * W_pos) == 0


@reference.needed
def test_the_relu_makes_the_products() -> None:
    """Theory: next to nothing of a sum before the ReLU, some after it, hardly anything else in the logits."""
    c = circuit(reference.TRANSFORMER_LENS)
    before, after, answers = (sum_share(c, values).pooled for values in (c.pre_activations, c.neurons, c.logits))
    assert before < 0.05 < 0.1 < after < 0.3 < 0.95 < answers
