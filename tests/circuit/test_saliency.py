"""Saliency is what automatic differentiation gives, and its median what sorting gives."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from grokterm.circuit.saliency import logit_gradients, saliency, skewness
from tests import reference
from tests.random_circuit import random_circuit
from tests.reference_circuits import circuit


@pytest.mark.parametrize(("p", "inputs"), [(11, 121), (11, 120), (23, 529)])  # odd, even, more than are done at once
def test_the_median_of_activation_times_gradient(p: int, inputs: int) -> None:
    c = random_circuit(p)
    neurons = torch.from_numpy(c.neurons[:inputs]).requires_grad_()
    labels = torch.from_numpy(c.task.labels[:inputs])
    logits = torch.from_numpy(c.skip_logits[:inputs]) + neurons @ torch.from_numpy(c.W_L).T
    (gradient,) = torch.autograd.grad(functional.cross_entropy(logits, labels, reduction="sum"), neurons)
    effects = np.abs((neurons * gradient).detach().numpy())
    found = saliency(c.logits[:inputs], c.task.labels[:inputs], c.neurons[:inputs], c.W_L)
    np.testing.assert_allclose(found, np.median(effects, axis=0), rtol=1e-10, atol=1e-18)
    assert (found == 0).any()  # neurons that are off for most inputs
    assert (found > 0).any()


def test_neurons_that_are_always_or_never_on() -> None:
    neurons = np.stack([np.arange(1.0, 6.0), np.zeros(5), [0, 0, 1, 1, 1], [0, 0, 0, 1, 1]], axis=1)
    logits, labels = np.zeros((5, 2)), np.zeros(5, np.int64)
    found = saliency(logits, labels, neurons, np.array([[-1.0] * 4, [1.0] * 4]))
    np.testing.assert_allclose(found, [3.0, 0, 1.0, 0])  # the gradients are −½ and ½


def test_the_gradient_of_a_sure_network_keeps_its_digits_in_float32() -> None:
    logits = np.array([[30, 0, 1]], np.float32)
    wrong = np.exp([-30, -29.0])
    expected = [-wrong.sum(), *wrong]
    np.testing.assert_allclose(logit_gradients(logits, np.array([0]))[0], expected, rtol=1e-5)


def test_skewness() -> None:
    values = np.random.default_rng(0).exponential(size=200_000)
    assert skewness(values) == pytest.approx(2, abs=0.1)  # of an exponential distribution
    assert skewness(-values) == pytest.approx(-skewness(values))
    assert skewness(np.ones(3, np.float32)) == 0


@reference.needed
def test_float32_is_exact_enough() -> None:
    one, two = (circuit(reference.TRANSFORMER_LENS, dtype) for dtype in ("float32", "float64"))
    np.testing.assert_allclose(one.saliency, two.saliency, rtol=1e-3, atol=1e-13)
    assert skewness(one.saliency) == pytest.approx(skewness(two.saliency), rel=1e-4)
    assert one.saliency.dtype == np.float32
