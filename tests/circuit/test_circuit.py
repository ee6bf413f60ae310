"""The facts of a circuit: what each one is, when it does not exist, and that weights that diverged are no error."""

from dataclasses import replace

import numpy as np
import pytest

from grokterm.circuit.ablations import Ablation, ablated_logits
from grokterm.circuit.circuit import Circuit
from grokterm.errors import RunError
from tests import reference
from tests.random_circuit import P, grid_task, random_circuit, random_network
from tests.reference_circuits import circuit


def test_facts_are_computed_once_and_only_when_asked_for() -> None:
    c = random_circuit()
    assert "attention" not in vars(c)
    assert c.logits is c.logits
    assert {"attention", "residual"} <= vars(c).keys()
    assert "neurons" not in vars(c)
    assert "losses" not in vars(c)


def test_what_is_asked_of_all_neurons_is_the_same_whether_or_not_they_are_kept() -> None:
    streamed, kept = random_circuit(), random_circuit()
    np.testing.assert_allclose(streamed.neuron_logits, kept.neurons @ kept.W_L.T, atol=1e-12)
    before = kept.neurons.copy()
    np.testing.assert_array_equal(kept.neuron_fve, streamed.neuron_fve)
    np.testing.assert_array_equal(kept.dead_neurons, streamed.dead_neurons)
    np.testing.assert_array_equal(kept.neurons, before)


def test_shapes() -> None:
    c = random_circuit()
    assert c.attention.shape == (3, P, P, 3)
    assert c.residual.shape == (P * P, 12)
    assert c.neurons.shape == c.pre_activations.shape == (P * P, 20)
    assert c.W_E.shape == (P, 12)
    assert c.W_L.shape == (P, 20)
    assert c.neuron_fve.shape == (20, 5)
    assert c.clusters.shape == c.key_frequencies.shape == (5,)
    assert c.wave_tables.shape == (5, P, P)
    assert c.logit_spectrum.shape == (P, P)
    np.testing.assert_allclose(c.logits, c.neuron_logits + c.skip_logits)


def test_a_neuron_that_is_never_on_is_dead() -> None:
    network = random_network()
    network.b_in[7] = -1000
    c = Circuit(network, grid_task())
    assert c.dead_neurons[7]
    assert np.array_equal(c.dead_neurons, c.neurons.max(axis=0) == 0)
    assert not c.dead_neurons.all()
    assert not c.neuron_fve[7].any()
    assert not c.in_cluster[7]


def test_key_frequencies_are_those_with_a_cluster_or_those_that_are_given() -> None:
    c = Circuit(random_network(), grid_task())
    assert c.keys == [int(k) + 1 for k in np.flatnonzero(c.clusters)]
    assert c.clusters.sum() == c.in_cluster.sum()
    assert random_circuit().keys == [1, 3]


def test_the_spectrum_is_of_the_logits_without_their_means() -> None:
    c = random_circuit()
    assert c.logit_spectrum[0, 0] == pytest.approx(0, abs=1e-10)
    centred = c.logits - c.logits.mean(axis=0)
    assert np.square(c.logit_spectrum).sum() == pytest.approx(np.square(centred).sum())


def test_a_task_on_fewer_pairs_or_another_modulus_is_refused() -> None:
    task = grid_task()
    with pytest.raises(RunError, match="not a function of all pairs"):
        Circuit(random_network(), replace(task, inputs=task.inputs[1:], labels=task.labels[1:]))
    with pytest.raises(RunError, match="not a function of all pairs"):
        Circuit(random_network(7), task)


def test_without_a_sum_only_what_needs_it_is_refused() -> None:
    c = Circuit(random_network(), grid_task(sums=False))
    assert c.losses.all > 0
    assert c.keys is not None
    for fact in ("sums", "sum_table", "wave_tables", "without_each_frequency"):
        with pytest.raises(RunError, match="no sum"):
            getattr(c, fact)


def test_an_even_modulus_has_losses_but_no_frequencies() -> None:
    c = Circuit(random_network(10), grid_task(10))
    assert c.losses.all > 0
    assert c.saliency.shape == (20,)
    for fact in ("neuron_fve", "key_frequencies", "logit_spectrum", "wave_tables"):
        with pytest.raises(RunError, match="p = 10 is even"):
            getattr(c, fact)
    with pytest.raises(RunError, match="p = 10 is even"):
        ablated_logits(c, Ablation(frequencies=frozenset({1})))


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e30, 0.0])
def test_weights_that_diverged_give_numbers_or_none_but_no_warning(bad: float) -> None:
    """Warnings are errors in the tests. The measures of these: tests/measures/test_circuit_measures.py."""
    network = random_network(dtype=np.float32)
    network = replace(network, **{name: np.full_like(weight, bad) for name, weight in network.parameters.items()})
    c = Circuit(network, grid_task())
    for fact in ("losses", "neuron_fve", "saliency", "logit_spectrum", "without_each_frequency", "dead_neurons"):
        getattr(c, fact)
    assert c.keys == []
    assert np.isfinite(c.losses.all) == (bad == 0)


@reference.needed
def test_the_logits_of_the_reference_model_lie_in_the_key_blocks() -> None:
    """Theory: non-zero only where row and column of the 2D spectrum belong to the same key frequency."""
    c = circuit(reference.TRANSFORMER_LENS)
    assert c.keys == [16, 30, 56]
    power = np.square(c.logit_spectrum)
    key = sum(power[2 * k - 1 : 2 * k + 1, 2 * k - 1 : 2 * k + 1].sum() for k in c.keys)
    assert key / power.sum() > 0.98


@reference.needed
def test_the_neurons_of_the_reference_model_have_the_period_of_their_frequency() -> None:
    """A neuron of frequency k is the same function after a shift by p/k, up to what is not of its frequency."""
    c = circuit(reference.TRANSFORMER_LENS)
    neuron = int(c.neuron_fve.max(axis=1).argmax())
    k = int(c.neuron_frequencies[neuron])
    heat = c.neurons[:, neuron].reshape(c.p, c.p)
    shift = pow(k, -1, c.p)  # k · shift = 1: a turn of 1/p
    near, far = np.roll(heat, shift, axis=0), np.roll(heat, (c.p // 2) * shift, axis=0)
    assert np.corrcoef(heat.ravel(), near.ravel())[0, 1] > 0.99
    assert np.corrcoef(heat.ravel(), far.ravel())[0, 1] < 0.5
