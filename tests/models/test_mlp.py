"""Perceptrons are the textbook's, on numbers and on one-hot tokens; the analytic quadratic network is exact."""

import math

import pytest
import torch
from torch.nn import functional

from grokterm.engine.cross_entropy import cross_entropy
from grokterm.losses.mse import mse
from grokterm.measures.input_norms import input_norms
from grokterm.measures.ipr import ipr
from grokterm.measures.softmax_collapse import softmax_collapse
from grokterm.models.mlp import MLP
from grokterm.models.quadratic import Quadratic
from grokterm.models.transformer import Transformer
from grokterm.tasks.modular import modular
from grokterm.tasks.parity import parity


def test_on_numbers_it_is_torchs_own() -> None:
    task = parity(n_bits=12, train_rows=20, test_rows=20)
    model = MLP(task, width=7, depth=2, biases=True, activation="tanh")
    x = task.inputs
    for layer in (1, 2, 3):
        W, b = getattr(model, f"W_{layer}"), getattr(model, f"b_{layer}")
        x = functional.linear(x, W.T, b)
        x = x if layer == 3 else torch.tanh(x)
    logits, neurons = model.trace(task.inputs)
    torch.testing.assert_close(logits, x)
    assert neurons.shape == (40, 7)
    assert [name for name, _ in model.named_parameters()] == ["W_1", "b_1", "W_2", "b_2", "W_3", "b_3"]


def test_on_tokens_it_is_that_of_one_hot_vectors_with_their_gradient() -> None:
    task = modular(p=11)
    model = MLP(task, width=8, depth=1)
    ones = functional.one_hot(task.inputs[:, :2], 11).flatten(1).float()
    assert model.W_1.shape == (22, 8)
    plain = (ones @ model.W_1).relu() @ model.W_2
    torch.testing.assert_close(model(task.inputs), plain)
    model(task.inputs).square().sum().backward()
    found = model.W_1.grad
    model.W_1.grad = None
    plain.square().sum().backward()  # type: ignore[no-untyped-call]
    torch.testing.assert_close(found, model.W_1.grad)


def test_alpha_scales_every_weight_at_the_start() -> None:
    task = parity()
    torch.manual_seed(0)
    one = MLP(task, biases=True)
    torch.manual_seed(0)
    eight = MLP(task, biases=True, alpha=8)
    for small, large in zip(one.parameters(), eight.parameters(), strict=True):
        torch.testing.assert_close(8 * small, large)
    assert one.W_1.abs().max() <= 1 / math.sqrt(30)


@pytest.mark.parametrize(("p", "width"), [(59, 256), (97, 500)])
def test_analytic_weights_have_no_loss_and_one_frequency_a_neuron(p: int, width: int) -> None:
    task = modular(p=p)
    model = Quadratic(task, width=width, init="analytic")
    logits = model(task.inputs)
    torch.testing.assert_close(logits, functional.one_hot(task.labels, p).float(), atol=1e-5, rtol=0)
    loss, accuracy = mse(logits, task.labels)
    assert loss < 1e-11
    assert accuracy == 1
    found = ipr(model.U.detach(), model.V.detach(), model.W.detach())
    used = 4 * (p + 1)
    torch.testing.assert_close(found["ipr"][:used], torch.ones(used, dtype=torch.float64), atol=1e-6, rtol=0)
    assert not found["ipr"][used:].any()
    assert found["ipr_mean"].item() == pytest.approx(1, abs=1e-6)


def test_random_weights_have_an_ipr_of_about_two_over_p() -> None:
    torch.manual_seed(0)
    model = Quadratic(modular(p=97), width=200)
    found = ipr(model.U.detach(), model.V.detach(), model.W.detach())["ipr_mean"].item()
    assert 1.5 / 97 < found < 6 / 97


def test_a_collapsed_softmax_counts_1() -> None:
    logits = torch.tensor([[20.0, 0.0], [0.0, 20.0], [2.0, 0.0], [0.0, 20.0]])
    labels, train = torch.tensor([0, 1, 0, 0]), torch.arange(4)
    assert softmax_collapse(logits[:2], labels[:2], train[:2]) == 1
    assert softmax_collapse(logits, labels, train) == 0.5  # the third is not sure, the fourth surely wrong
    assert cross_entropy(logits[:2].double(), labels[:2])[0] > 0


def test_input_norms_are_one_a_bit() -> None:
    W_1 = torch.tensor([[3.0, 4.0], [0.0, 0.0]])
    assert input_norms(W_1).tolist() == [5, 0]


def test_what_does_not_fit_together_is_one_sentence() -> None:
    with pytest.raises(ValueError, match="width = 100 is too narrow"):
        Quadratic(modular(p=59), width=100, init="analytic")
    with pytest.raises(ValueError, match="for pairs of residues"):
        Quadratic(parity())
    with pytest.raises(ValueError, match="reads tokens"):
        Transformer(parity())
