"""Losses: their formulas, their gradients, and what float32 cannot say."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from grokterm.catalog import Catalog
from grokterm.losses.cross_entropy import cross_entropy
from grokterm.losses.cross_entropy_float32 import cross_entropy_float32
from grokterm.losses.mse import mse
from grokterm.losses.stablemax import stablemax

CATALOG = Catalog()


def some(seed: int = 0) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(seed)
    return torch.randn(20, 5, generator=random), torch.randint(5, (20,), generator=random)


@pytest.mark.parametrize("name", CATALOG.names("losses"))
def test_every_loss_gives_two_float64_scalars_and_a_gradient(name: str) -> None:
    logits, labels = some()
    logits.requires_grad_()
    loss, accuracy = CATALOG.load("losses", name)(logits, labels)
    assert loss.dtype == accuracy.dtype == torch.float64
    assert loss.shape == accuracy.shape == ()
    loss.backward()
    assert logits.grad is not None
    assert logits.grad.abs().sum() > 0
    assert accuracy.item() == (logits.argmax(dim=1) == labels).double().mean()


@pytest.mark.parametrize("name", ["mse", "stablemax"])  # those whose own gradient autograd finds
def test_the_gradient_is_that_of_the_loss(name: str) -> None:
    logits, labels = some(1)
    loss = CATALOG.load("losses", name)
    assert torch.autograd.gradcheck(lambda z: loss(z, labels)[0], (logits.double().requires_grad_(),))


def test_each_by_its_definition() -> None:
    logits, labels = some(2)
    assert cross_entropy(logits, labels)[0].item() == pytest.approx(
        functional.cross_entropy(logits.double(), labels).item()
    )
    assert mse(logits, labels)[0].item() == pytest.approx(
        functional.mse_loss(logits.double(), functional.one_hot(labels, 5).double()).item()
    )
    z = [3.0, 0.0, -1.0]
    s = [4.0, 1.0, 0.5]
    found = stablemax(torch.tensor([z]), torch.tensor([2]))[0].item()
    assert found == pytest.approx(-math.log(s[2] / sum(s)))


def test_float32_loses_what_float64_keeps() -> None:
    logits = torch.tensor([[20.0, 0.0]], requires_grad=True)
    labels = torch.tensor([0])
    assert cross_entropy(logits, labels)[0].item() == pytest.approx(math.exp(-20))
    loss = cross_entropy_float32(logits, labels)[0]
    assert loss.item() == 0
    loss.backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert logits.grad[0, 0] == 0


def test_stablemax_of_far_logits_is_finite() -> None:
    logits = torch.tensor([[1e30, -1e30]], requires_grad=True)
    loss = stablemax(logits, torch.tensor([1]))[0]
    loss.backward()  # type: ignore[no-untyped-call]
    assert math.isfinite(loss.item())
    assert logits.grad is not None
    assert logits.grad.isfinite().all()
