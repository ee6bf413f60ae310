"""The viewer's network is the training side's: the same function of the same weights, part by part."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from grokterm.circuit.circuit import Circuit
from grokterm.circuit.network import Network
from grokterm.errors import RunError
from grokterm.models.transformer import Transformer
from grokterm.tasks.modular import modular
from tests.random_circuit import P, grid_task, random_network


def transformer(network: Network) -> Transformer:
    """The same weights in the training side's plain form."""
    model = Transformer(
        modular(p=network.p),
        d_model=network.W_E.shape[1],
        n_heads=network.n_heads,
        d_mlp=network.d_mlp,
        exact="reference",
    ).double()
    model.load_state_dict({name: torch.from_numpy(weight) for name, weight in network.parameters.items()})
    return model


@pytest.mark.parametrize("seed", range(3))
def test_the_forward_pass_is_that_of_the_model_in_training(seed: int) -> None:
    network = random_network(seed=seed)
    assert network.b_in.any()
    assert network.b_out.any()
    with torch.no_grad():
        logits, neurons = transformer(network).trace(torch.from_numpy(grid_task().inputs))
    residual = network.residual(network.attended(network.attention()))
    ours = np.maximum(network.pre_activations(residual), 0)
    np.testing.assert_allclose(ours, neurons.numpy(), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(Circuit(network, grid_task()).logits, logits.numpy(), rtol=1e-12, atol=1e-11)


def test_attention_is_the_softmax_of_the_scores_at_the_last_position() -> None:
    network = random_network()
    model, tokens = transformer(network), torch.from_numpy(grid_task().inputs)
    with torch.no_grad():
        x = model.W_E[tokens] + model.W_pos
        q = torch.einsum("bd,hde->bhe", x[:, 2], model.W_Q)
        k = torch.einsum("bsd,hde->bhse", x, model.W_K)
        looks = (torch.einsum("bhe,bhse->bhs", q, k) / np.sqrt(network.W_Q.shape[2])).softmax(dim=-1)
    ours = network.attention().reshape(network.n_heads, P * P, 3).transpose(1, 0, 2)
    np.testing.assert_allclose(ours, looks.numpy(), rtol=1e-12, atol=1e-14)


def test_heads_add_up() -> None:
    network = random_network()
    attention = network.attention()
    each = np.stack([network.attended(attention, [head]) for head in range(3)])
    for head, (v, o) in enumerate(zip(network.W_V, network.W_O, strict=True)):
        said = (network.W_E[grid_task().inputs] + network.W_pos) @ v @ o  # (p², 3, d_model)
        looks = attention[head].reshape(P * P, 3)
        np.testing.assert_allclose(each[head], np.einsum("ns,nsd->nd", looks, said), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(each.sum(axis=0), network.attended(attention), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(each[[0, 2]].sum(axis=0), network.attended(attention, [0, 2]), rtol=1e-12, atol=1e-12)
    assert not network.attended(attention, []).any()


def test_large_scores_do_not_overflow() -> None:
    network = random_network(dtype=np.float32)
    network.W_K[...] *= 1e4
    attention = network.attention()
    assert attention.dtype == np.float32
    np.testing.assert_allclose(attention.sum(axis=3), 1, rtol=1e-6)


def test_a_checkpoint_of_another_network_is_refused() -> None:
    tensors = {f"model/{name}": weight for name, weight in random_network().parameters.items()}
    assert Network.of({**tensors, "optimizer/W_E/exp_avg": np.zeros(3)}).p == P
    with pytest.raises(RunError, match="W_pos"):
        Network.of({name: tensor for name, tensor in tensors.items() if name != "model/W_pos"})
    with pytest.raises(RunError, match="b_ln"):
        Network.of({**tensors, "model/b_ln": np.zeros(3)})
    with pytest.raises(RunError, match=r"its W_U has the shape \(12, 5\), where \(12, 11\) is needed"):
        Network.of({**tensors, "model/W_U": np.zeros((12, 5))})
    with pytest.raises(RunError, match="not those of the one-layer transformer"):
        Network.of({**tensors, "model/W_E": np.zeros(12)})


def test_precision_is_that_of_the_weights_or_the_one_asked_for() -> None:
    tensors = {f"model/{name}": weight for name, weight in random_network(dtype=np.float32).parameters.items()}
    assert Network.of(tensors).W_E.dtype == np.float32
    assert Network.of(tensors, np.float64).attention().dtype == np.float64
    halves = {name: tensor.astype(np.float16) for name, tensor in tensors.items()}
    assert Network.of(halves).W_U.dtype == np.float32


def test_two_networks_are_not_compared_by_their_arrays() -> None:
    network = random_network()
    assert network != replace(network)
