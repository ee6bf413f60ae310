"""The logits as cosines: exact where they are nothing else, and projections by definition on random ones."""

import numpy as np
import pytest

from grokterm.circuit.circuit import Circuit
from grokterm.circuit.cosines import cosines, cube_losses, cube_tables
from grokterm.circuit.losses import losses
from grokterm.circuit.network import Array
from tests.random_circuit import P, random_circuit

SUBTRACT = pytest.mark.parametrize("subtract", [False, True])


def cube(c: Circuit, k: int) -> Array:
    """cos(w_k(a ± b − c)) over all inputs and classes, (p², p), of norm 1."""
    values = np.cos(2 * np.pi * k * (c.sums[:, None] - np.arange(P)) / P)
    unit: Array = values / np.linalg.norm(values)
    return unit


@SUBTRACT
def test_projections_on_the_unit_cubes(subtract: bool) -> None:
    c = random_circuit(subtract=subtract)
    found, L = cosines(c), c.logits
    v = np.array([(cube(c, k) * L).sum() for k in range(1, 6)])
    np.testing.assert_allclose(found.coefficients, v, rtol=1e-10)
    np.testing.assert_allclose(found.similarities, v / np.linalg.norm(L), rtol=1e-10)
    for k, amplitude in enumerate(found.amplitudes, 1):  # of the cosine itself, by least squares
        cosine = np.cos(2 * np.pi * k * (c.sums[:, None] - np.arange(P)) / P)
        assert amplitude == pytest.approx((cosine * L).sum() / np.square(cosine).sum())
    np.testing.assert_allclose(cube_tables(c.sum_table)[2][c.sums], v[2] * cube(c, 3), atol=1e-12)


def test_shares_by_what_the_mean_is_taken_of() -> None:
    c = random_circuit()
    found, L = cosines(c), c.logits
    approximation = sum(found.coefficients[k - 1] * cube(c, k) for k in c.keys)
    for fve, centred in {
        found.fve: L - L.mean(axis=1, keepdims=True),
        found.fve_class_centred: L - L.mean(axis=0),
        found.fve_centred: L - L.mean(),
        found.fve_uncentred: L,
    }.items():
        assert fve == pytest.approx(1 - np.square(centred - approximation).sum() / np.square(centred).sum())
    assert found.losses.all == pytest.approx(losses(approximation, c.task).all)


@SUBTRACT
def test_excluded_losses_take_the_cubes_away(subtract: bool) -> None:
    c = random_circuit(subtract=subtract)
    found, v = cube_losses(c), cosines(c).coefficients
    for k in range(1, 6):
        expected = losses(c.logits - v[k - 1] * cube(c, k), c.task)
        assert found.without_each.train[k - 1] == pytest.approx(expected.train, rel=1e-10)
    both = losses(c.logits - v[0] * cube(c, 1) - v[2] * cube(c, 3), c.task)
    assert found.excluded.train == pytest.approx(both.train, rel=1e-10)
    assert found.excluded.test == pytest.approx(both.test, rel=1e-10)


def test_logits_that_are_the_cosines_of_the_key_frequencies_are_explained_wholly() -> None:
    c = random_circuit()
    c.__dict__["logits"] = 30 * cube(c, 1) + 20 * cube(c, 3)  # a fact that was not computed yet
    found = cosines(c)
    np.testing.assert_allclose(found.coefficients, [30, 0, 20, 0, 0], atol=1e-12)
    assert found.fve == pytest.approx(1)
    assert found.losses.all == pytest.approx(c.losses.all)
    assert cube_losses(c).excluded.all == pytest.approx(np.log(P))  # nothing is left
