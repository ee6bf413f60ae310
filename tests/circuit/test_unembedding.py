"""What the neuron-to-logit map has outside the key frequencies, and what it reads within them."""

from dataclasses import replace

import numpy as np
import pytest

from grokterm.circuit.circuit import Circuit
from grokterm.circuit.unembedding import key_shares, read_by_keys, residual
from grokterm.circuit.waves import basis, sum_directions
from tests.random_circuit import P, grid_task, random_circuit, random_network

KEYS = np.array([True, False, True, False, False])


def test_a_map_of_key_frequencies_alone_has_nothing_outside() -> None:
    rows = basis(P)[[1, 2, 5, 6]]
    W_L = rows.T @ np.random.default_rng(0).normal(size=(4, 20))
    assert residual(W_L, KEYS).ratio == pytest.approx(0, abs=1e-14)
    half = W_L / np.linalg.norm(W_L) + np.outer(basis(P)[3], np.eye(20)[0])  # as much in frequency 2
    found = residual(half, KEYS)
    assert (found.ratio, found.squared) == pytest.approx((0.5**0.5, 0.5))
    assert residual(half, ~KEYS).squared == pytest.approx(0.5)
    assert residual(np.ones((P, 3)), KEYS).squared == pytest.approx(1)  # the constant is none
    assert residual(np.zeros((P, 3)), KEYS).ratio == 0


@pytest.mark.parametrize("subtract", [False, True])
def test_shares_by_their_definition(subtract: bool) -> None:
    c = random_circuit(subtract=subtract)
    found, directions = key_shares(c), sum_directions(c.sums, P)
    for k in c.keys:
        for i, (own, both) in enumerate(((found.cos, found.cos_both), (found.sin, found.sin_both))):
            read = c.neurons @ (basis(P)[2 * k - 1 + i] @ c.W_L)
            along = (directions[k - 1] @ (read - read.mean())) ** 2 / (len(read) * read.var())
            assert own[k - 1] == pytest.approx(along[i], rel=1e-10)
            assert both[k - 1] == pytest.approx(along.sum(), rel=1e-10)
    assert found.cos.shape == (5,)
    assert not found.cos[~c.key_frequencies].any()
    assert read_by_keys(c).shape == (P * P, 2, 2)


def test_no_key_frequency_and_no_neuron_that_says_anything() -> None:
    c = Circuit(random_network(), grid_task(), key_frequencies=np.zeros(5, np.bool_))
    assert not key_shares(c).cos.any()
    network = random_network()
    silent = Circuit(replace(network, W_out=0 * network.W_out), grid_task(), key_frequencies=KEYS)
    assert not key_shares(silent).sin_both.any()
