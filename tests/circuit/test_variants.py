"""Other people's restricted and excluded losses, by the definitions in their code."""

import numpy as np
import pytest

from grokterm.circuit.circuit import Circuit
from grokterm.circuit.losses import losses
from grokterm.circuit.variants import Block, in_blocks, mean_kept, neuron_level_losses, read_losses
from grokterm.circuit.waves import basis, sum_directions, transformed
from tests.random_circuit import P, grid_task, random_circuit, random_network


@pytest.mark.parametrize("subtract", [False, True])
def test_neuron_level_losses(subtract: bool) -> None:
    """The demo: the neurons' part along the sum directions, then the output weights; b_out is zero there."""
    c = random_circuit(subtract=subtract)
    directions = sum_directions(c.sums, P)[c.key_frequencies].reshape(-1, P * P)
    along = directions.T @ directions @ c.neurons
    found, out = neuron_level_losses(c), c.network.W_out @ c.network.W_U
    restricted = (along + c.neurons.mean(axis=0)) @ out
    restricted += c.logits.mean(axis=0) - restricted.mean(axis=0)
    excluded = (c.neurons - along) @ out
    with_skip = excluded + c.residual @ c.network.W_U
    for ours, logits in (
        (found.restricted, restricted),
        (found.excluded, with_skip),
        (found.excluded_without_skip, excluded),
    ):
        expected = losses(logits, c.task)
        assert (ours.all, ours.train, ours.test) == pytest.approx((expected.all, expected.train, expected.test))


def test_what_is_read_and_what_is_not() -> None:
    c = random_circuit()
    directions = (basis(P)[[1, 2, 5, 6]] @ c.W_L).T  # (d_mlp, 4)
    fit = np.linalg.lstsq(directions, c.neurons.T, rcond=None)[0]
    inside = (directions @ fit).T
    found = read_losses(c)
    for ours, kept, neurons in (
        (found.onto, found.onto_mean_kept, inside),
        (found.off, found.off_mean_kept, c.neurons - inside),
    ):
        logits = neurons @ c.W_L.T
        assert ours.all == pytest.approx(losses(logits, c.task).all)
        assert kept.test == pytest.approx(losses(logits + (c.logits - logits).mean(axis=0), c.task).test)


def test_without_a_key_frequency_nothing_is_kept_and_nothing_lost() -> None:
    c = Circuit(random_network(), grid_task(), key_frequencies=np.zeros(5, np.bool_))
    mean = losses(np.broadcast_to(c.logits.mean(axis=0), c.logits.shape), c.task)
    assert neuron_level_losses(c).restricted.all == pytest.approx(mean.all)
    assert read_losses(c).onto_mean_kept.all == pytest.approx(mean.all)
    assert read_losses(c).off_mean_kept.all == pytest.approx(losses(mean_kept(c.neuron_logits, c.logits), c.task).all)


def test_blocks_are_entries_of_the_2d_transform() -> None:
    logits = np.random.default_rng(0).normal(size=(P * P, 3)) + 4
    before = transformed(logits)
    sizes: dict[Block, list[int]] = {2: [3, 4], 3: [0, 3, 4]}
    for size, rows in sizes.items():
        inside = np.zeros((P, P), np.bool_)
        inside[np.ix_(rows, rows)] = True
        inside[0, 0] = False
        after = transformed(in_blocks(logits, [2], size))
        np.testing.assert_allclose(after[inside], before[inside], atol=1e-12)
        np.testing.assert_allclose(after[~inside], 0, atol=1e-12)
    both = in_blocks(logits, [2, 4], 2)
    np.testing.assert_allclose(both, in_blocks(logits, [2], 2) + in_blocks(logits, [4], 2))
    assert not in_blocks(logits, [], 3).any()


def test_every_class_keeps_its_mean() -> None:
    rng = np.random.default_rng(0)
    before, after = rng.normal(size=(6, 3)), rng.normal(size=(6, 3))
    kept = mean_kept(after, before)
    np.testing.assert_allclose(kept.mean(axis=0), before.mean(axis=0))
    np.testing.assert_allclose(kept - kept.mean(axis=0), after - after.mean(axis=0))
