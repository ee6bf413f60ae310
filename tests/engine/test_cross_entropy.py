"""The loss of training: torch's own in float64, without its float32 tail being lost."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from grokterm.engine.cross_entropy import cross_entropy, table_cross_entropy


def random_logits(n: int = 40, n_classes: int = 7, scale: float = 3.0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    logits = scale * torch.randn(n, n_classes, generator=generator, dtype=torch.float64)
    return logits, torch.randint(n_classes, (n,), generator=generator)


def gradient_of(loss: Tensor, logits: Tensor) -> Tensor:
    return torch.autograd.grad(loss, logits)[0]


@pytest.mark.parametrize("scale", [0.0, 1e-3, 3.0, 300.0, 1e6])
def test_value_and_gradient_in_float64(scale: float) -> None:
    logits, labels = random_logits(scale=scale)
    logits.requires_grad_()
    ours, accuracy = cross_entropy(logits, labels)
    theirs = functional.cross_entropy(logits, labels)
    torch.testing.assert_close(ours, theirs, rtol=1e-13, atol=0)
    torch.testing.assert_close(gradient_of(ours, logits), gradient_of(theirs, logits), rtol=1e-11, atol=1e-17)
    assert float(accuracy) == float((logits.argmax(dim=1) == labels).double().mean())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_logits_of_lower_precision_are_cast_first(dtype: torch.dtype) -> None:
    logits, labels = random_logits()
    low = logits.to(dtype).requires_grad_()
    ours, accuracy = cross_entropy(low, labels)
    exact = low.detach().double().requires_grad_()
    theirs = functional.cross_entropy(exact, labels)
    assert ours.dtype == accuracy.dtype == torch.float64
    torch.testing.assert_close(ours, theirs.detach(), rtol=1e-13, atol=0)
    gradient = gradient_of(ours, low)
    assert gradient.dtype == dtype
    torch.testing.assert_close(gradient, gradient_of(theirs, exact).to(dtype))


def test_logits_are_left_alone() -> None:
    logits, labels = random_logits()
    before = logits.clone().requires_grad_()
    kept = before.detach().clone()
    gradient_of(3 * cross_entropy(before, labels)[0], before)
    assert torch.equal(before, kept)


def test_incoming_gradient_scales() -> None:
    logits, labels = random_logits()
    logits.requires_grad_()
    once = gradient_of(cross_entropy(logits, labels)[0], logits)
    torch.testing.assert_close(gradient_of(cross_entropy(logits, labels)[0] * -2.5, logits), -2.5 * once)


def test_gradient_against_finite_differences() -> None:
    logits, labels = random_logits(n=4, n_classes=3)
    logits.requires_grad_()
    gradient = gradient_of(cross_entropy(logits, labels)[0], logits)
    for row in range(4):
        for column in range(3):
            point, nudge = logits.detach(), torch.zeros(4, 3, dtype=torch.float64)
            nudge[row, column] = 1e-6
            higher, lower = cross_entropy(point + nudge, labels)[0], cross_entropy(point - nudge, labels)[0]
            assert float(higher - lower) / 2e-6 == pytest.approx(float(gradient[row, column]), abs=1e-9)


def test_two_losses_before_a_backward() -> None:
    logits, labels = random_logits()
    logits.requires_grad_()
    alone = gradient_of(cross_entropy(logits, labels)[0], logits)
    loss, _ = cross_entropy(logits, labels), cross_entropy(logits * 2, labels)
    assert torch.equal(gradient_of(loss[0], logits), alone)


@pytest.mark.parametrize("margin", [16.5, 20.0, 30.0])
def test_tiny_losses_are_kept(margin: float) -> None:
    """float32 log-softmax reads 0 below 6e-8 and knows nothing between that and 1.2e-7."""
    logits = torch.tensor([[margin, 0.0, 0.0]], requires_grad=True)
    labels = torch.tensor([0])
    loss, _ = cross_entropy(logits, labels)
    assert loss.item() == pytest.approx(math.log1p(2 * math.exp(-margin)), rel=1e-3)
    assert abs(functional.cross_entropy(logits, labels).item() / loss.item() - 1) > 0.1
    gradient = gradient_of(loss, logits)
    assert float(gradient[0, 1]) == pytest.approx(math.exp(-margin), rel=1e-3)
    assert float(gradient[0, 0]) == pytest.approx(-2 * math.exp(-margin), rel=1e-3)


def test_ties_have_one_guess() -> None:
    loss, accuracy = cross_entropy(torch.zeros(3, 3), torch.tensor([0, 1, 2]))
    assert loss.item() == pytest.approx(math.log(3))
    assert float(accuracy) == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("row", "label", "expected"),
    [
        ([-math.inf, 0.0, 0.0], 1, math.log(2)),
        ([-math.inf, 0.0, 0.0], 0, math.inf),
        ([math.inf, 0.0, 0.0], 0, math.nan),
        ([math.nan, 0.0, 0.0], 1, math.nan),
        ([-math.inf, -math.inf, -math.inf], 1, math.nan),
    ],
)
def test_non_finite_logits_are_not_hidden(row: list[float], label: int, expected: float) -> None:
    logits, labels = torch.tensor([row], dtype=torch.float64, requires_grad=True), torch.tensor([label])
    loss, _ = cross_entropy(logits, labels)
    theirs = functional.cross_entropy(logits, labels)
    torch.testing.assert_close(loss, theirs, equal_nan=True)
    torch.testing.assert_close(loss, torch.tensor(expected, dtype=torch.float64), equal_nan=True)
    if math.isfinite(expected):
        torch.testing.assert_close(gradient_of(loss, logits), gradient_of(theirs, logits))


def test_accuracy_has_no_gradient() -> None:
    logits, labels = random_logits()
    assert not cross_entropy(logits.requires_grad_(), labels)[1].requires_grad


def test_table_of_rows() -> None:
    table, _ = random_logits(n=5, n_classes=4)
    rows, labels = torch.tensor([4, 0, 4, 2]), torch.tensor([1, 3, 0, 0])
    found = table_cross_entropy(table.float(), rows, labels)
    theirs = functional.cross_entropy(table.float().double()[rows], labels, reduction="none")
    torch.testing.assert_close(found, theirs, rtol=1e-13, atol=0)
