"""What is taken out is what is said: each edit against the forward pass done by hand."""

import numpy as np
import pytest

from grokterm.circuit.ablations import (
    Ablation,
    How,
    ablated_activations,
    ablated_logits,
    without_each_head,
    without_top_neurons,
)
from grokterm.circuit.circuit import Circuit
from grokterm.circuit.losses import losses
from grokterm.circuit.network import Array
from grokterm.errors import RunError
from tests import reference
from tests.random_circuit import grid_task, random_circuit, random_network
from tests.reference_circuits import circuit

BOTH: tuple[How, ...] = ("zero", "mean")
ALL_KEY = frozenset({1, 3})
"""The key frequencies of a random circuit."""


def by_hand(c: Circuit, residual: Array, neurons: Array) -> Array:
    network = c.network
    logits: Array = (residual + neurons @ network.W_out + network.b_out) @ network.W_U
    return logits


def relu(c: Circuit, residual: Array) -> Array:
    neurons: Array = np.maximum(residual @ c.network.W_in + c.network.b_in, 0)
    return neurons


def test_nothing_taken_out_is_the_network_itself() -> None:
    c = random_circuit()
    assert ablated_logits(c, Ablation()) is c.logits
    assert losses(ablated_logits(c, Ablation()), c.task) == c.losses
    np.testing.assert_allclose(c.logits, by_hand(c, c.residual, c.neurons), rtol=1e-10, atol=1e-12)
    everything = frozenset(range(1, 6))
    with_all = ablated_logits(c, Ablation(keep_only=everything))
    np.testing.assert_allclose(with_all, c.sum_table[c.sums], rtol=1e-10)  # all that is a function of the sum


@pytest.mark.parametrize("how", BOTH)
@pytest.mark.parametrize("heads", [{0}, {0, 2}, {0, 1, 2}])
def test_heads(how: How, heads: set[int]) -> None:
    c = random_circuit()
    outputs = [c.network.attended(c.attention, [head]) for head in range(3)]
    residual = c.residual.copy()
    for head in heads:
        residual -= outputs[head] - (outputs[head].mean(axis=0) if how == "mean" else 0)
    left = ablated_logits(c, Ablation(heads=frozenset(heads), how=how))
    np.testing.assert_allclose(left, by_hand(c, residual, relu(c, residual)), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("how", BOTH)
def test_each_head_is_what_taking_one_out_gives(how: How) -> None:
    c = random_circuit()
    found = without_each_head(c, how)
    assert len(found.all) == 3
    for head in range(3):
        expected = losses(ablated_logits(c, Ablation(heads=frozenset({head}), how=how)), c.task)
        assert (found.all[head], found.train[head], found.test[head]) == pytest.approx(
            (expected.all, expected.train, expected.test), rel=1e-10
        )


@pytest.mark.parametrize("how", BOTH)
def test_neurons(how: How) -> None:
    c = random_circuit()
    neurons = c.neurons.copy()
    neurons[:, [3, 17]] = neurons[:, [3, 17]].mean(axis=0) if how == "mean" else 0
    left = ablated_logits(c, Ablation(neurons=frozenset({3, 17}), how=how))
    np.testing.assert_allclose(left, by_hand(c, c.residual, neurons), rtol=1e-10)
    assert c.neurons[:, 3].any()  # the facts of the circuit stay as they were


def test_the_skip_path() -> None:
    """Zero: the neurons alone answer. Mean: a constant is added to what they say."""
    c = random_circuit()
    neurons_say = c.neurons @ c.network.W_out @ c.network.W_U
    np.testing.assert_allclose(ablated_logits(c, Ablation(skip=True)), neurons_say, rtol=1e-10)
    mean = by_hand(c, c.residual.mean(axis=0), c.neurons)
    np.testing.assert_allclose(ablated_logits(c, Ablation(skip=True, how="mean")), mean, rtol=1e-10)


def test_edits_go_together() -> None:
    """A head out of the forward pass, then a neuron and the skip path out of what it gives, then a frequency."""
    c = random_circuit()
    residual = c.residual - c.network.attended(c.attention, [1])
    neurons = relu(c, residual)
    neurons[:, 4] = 0
    said = neurons @ c.network.W_out @ c.network.W_U
    cos, sin = np.cos(2 * np.pi * 2 * c.sums / 11), np.sin(2 * np.pi * 2 * c.sums / 11)
    for wave in (cos, sin):
        said -= np.outer(wave, wave @ said) / (wave @ wave)
    edit = Ablation(heads=frozenset({1}), neurons=frozenset({4}), skip=True, frequencies=frozenset({2}))
    np.testing.assert_allclose(ablated_logits(c, edit), said, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("subtract", [False, True])
def test_frequencies_and_keeping_only_some(subtract: bool) -> None:
    c = random_circuit(subtract=subtract)
    waves = {k: np.exp(2j * np.pi * k * c.sums / 11) for k in range(1, 6)}
    parts = {k: 2 * np.real(np.outer(wave, wave.conj() @ c.logits)) / 121 for k, wave in waves.items()}
    np.testing.assert_allclose(ablated_logits(c, Ablation(frequencies=ALL_KEY)), c.logits - parts[1] - parts[3])
    kept = parts[1] + parts[3] + c.logits.mean(axis=0)
    np.testing.assert_allclose(ablated_logits(c, Ablation(keep_only=ALL_KEY)), kept)
    both = Ablation(keep_only=ALL_KEY, frequencies=frozenset({3}))
    np.testing.assert_allclose(ablated_logits(c, both), parts[1] + c.logits.mean(axis=0))
    nothing = ablated_logits(c, Ablation(keep_only=frozenset()))
    np.testing.assert_allclose(nothing, np.broadcast_to(c.logits.mean(axis=0), (121, 11)))


def test_frequencies_at_once_are_those_one_by_one() -> None:
    c = random_circuit()
    for k in range(1, 6):
        expected = losses(ablated_logits(c, Ablation(frequencies=frozenset({k}))), c.task)
        assert c.without_each_frequency.test[k - 1] == pytest.approx(expected.test, rel=1e-10)


def test_what_reaches_the_logits() -> None:
    c = random_circuit()
    skip, neurons, b_out = ablated_activations(c, Ablation(skip=True))
    assert not skip.any()
    assert not b_out.any()
    assert neurons is c.neurons
    skip, _, b_out = ablated_activations(c, Ablation(skip=True, how="mean", frequencies=frozenset({1})))
    np.testing.assert_allclose(skip, c.residual.mean(axis=0, keepdims=True))
    assert b_out is c.network.b_out


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (Ablation(heads=frozenset({3})), "there is no head 3; they are 0 … 2"),
        (Ablation(neurons=frozenset({2, 20})), "there is no neuron 20; they are 0 … 19"),
        (Ablation(frequencies=frozenset({0})), "there is no frequency 0; they are 1 … 5"),
        (Ablation(keep_only=frozenset({6})), "there is no frequency 6; they are 1 … 5"),
    ],
)
def test_what_is_not_there_is_named(edit: Ablation, message: str) -> None:
    with pytest.raises(RunError, match=message):
        ablated_logits(random_circuit(), edit)


def test_frequencies_need_a_sum_and_the_rest_does_not() -> None:
    c = Circuit(random_network(), grid_task(sums=False))
    assert ablated_logits(c, Ablation(skip=True)).shape == (121, 11)
    with pytest.raises(RunError, match="no sum"):
        ablated_logits(c, Ablation(frequencies=frozenset({1})))


def test_the_most_salient_neurons_are_deleted_together() -> None:
    c = random_circuit()
    order = np.argsort(-c.saliency, kind="stable")
    found = without_top_neurons(c, (1, 4, 400))
    for place, count in enumerate((1, 4, 400)):
        deleted = frozenset(int(neuron) for neuron in order[:count])
        expected = losses(ablated_logits(c, Ablation(neurons=deleted)), c.task)
        assert found.all[place] == pytest.approx(expected.all, rel=1e-10)


@reference.needed
def test_on_the_reference_model_each_key_frequency_is_needed_and_no_other() -> None:
    c = circuit(reference.TRANSFORMER_LENS)
    key = c.without_each_frequency.all[[k - 1 for k in c.keys]]
    others = np.delete(c.without_each_frequency.all, [k - 1 for k in c.keys])
    assert key.min() > 0.1
    assert others.max() < 2 * c.losses.all
    alone = losses(ablated_logits(c, Ablation(keep_only=frozenset(c.keys))), c.task)
    assert alone.test < c.losses.test
    assert alone.accuracy == 1


@reference.needed
def test_float32_gives_the_losses_of_float64() -> None:
    one, two = (circuit(reference.TRANSFORMER_LENS, dtype) for dtype in ("float32", "float64"))
    np.testing.assert_allclose(without_each_head(one, "mean").all, without_each_head(two, "mean").all, rtol=1e-4)
    np.testing.assert_allclose(without_top_neurons(one).all, without_top_neurons(two).all, rtol=1e-4)
    np.testing.assert_allclose(one.without_each_frequency.all, two.without_each_frequency.all, rtol=1e-4)
