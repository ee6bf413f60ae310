"""What is asked of all neurons one input a at a time is what is asked of all activations at once."""

import numpy as np
import pytest

from grokterm.circuit.frequency_shares import frequency_shares
from grokterm.circuit.network import Array
from grokterm.circuit.through_neurons import through_neurons

COUNT = 8


def activations(p: int) -> Array:
    """Neurons' activations at every a in turn, (p, p, neurons): the first are on at one a alone, the last are off."""
    neurons = np.abs(np.random.default_rng(0).normal(size=(p, p, COUNT)))
    for neuron, a in enumerate((0, p // 2, p - 1)):
        neurons[np.arange(p) != a, :, neuron] = 0
    neurons[:, 1:, 0] = 0  # at one b alone, too
    neurons[:, :, -2:] = 0
    return neurons


@pytest.mark.parametrize("p", [7, 10])
def test_one_a_at_a_time_is_all_at_once(p: int) -> None:
    neurons, W_L = activations(p), np.random.default_rng(1).normal(size=(p, COUNT))
    found = through_neurons((some.copy() for some in neurons), W_L, p)
    at_once = neurons.reshape(p * p, COUNT)
    np.testing.assert_allclose(found.logits, at_once @ W_L.T, atol=1e-12)
    np.testing.assert_array_equal(found.on, at_once.any(axis=0))
    assert found.on.tolist() == [True] * 6 + [False] * 2
    assert (found.fve is not None) == (p % 2 == 1)
    if found.fve is not None:
        np.testing.assert_allclose(found.fve, frequency_shares(at_once), rtol=1e-12)
