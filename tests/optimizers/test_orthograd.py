"""Gradients orthogonal to their weights, as long as before; only where it is on."""

import pytest
import torch
from torch.nn import Parameter

from grokterm.optimizers.around.orthograd import orthogonal
from grokterm.optimizers.orthograd import orthograd


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shape", [(2,), (50, 40), (4, 8, 16)])
def test_a_turned_gradient_is_orthogonal_and_as_long(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    generator = torch.Generator().manual_seed(2)
    weight = torch.randn(shape, generator=generator, dtype=dtype)
    gradient = 1e-3 * torch.randn(shape, generator=generator, dtype=dtype) - 2e-3 * weight
    turned = orthogonal(weight, gradient)
    cosine = float((turned * weight).sum() / (turned.norm() * weight.norm()))
    assert abs(cosine) < 100 * torch.finfo(dtype).eps
    assert float(turned.norm() / gradient.norm()) == pytest.approx(1, rel=20 * torch.finfo(dtype).eps)


def test_known_answer() -> None:
    turned = orthogonal(torch.tensor([2.0, 0.0]), torch.tensor([3.0, 4.0]))
    assert turned.tolist() == [0.0, 5.0]


def test_without_weights_the_gradient_stays() -> None:
    gradient = torch.tensor([3.0, -4.0])
    torch.testing.assert_close(orthogonal(torch.zeros(2), gradient), gradient)


@pytest.mark.parametrize("weight", [[0.3], [0.1, 0.7, -0.3]])
def test_what_lies_along_the_weights_becomes_zero(weight: list[float]) -> None:
    """Stretched, its rounding would be a full step in any direction."""
    along = torch.tensor(weight)
    assert orthogonal(along, -1.7 * along).tolist() == [0.0] * len(weight)
    assert orthogonal(along, 0 * along).tolist() == [0.0] * len(weight)


def test_a_gradient_that_is_no_number_stays_none() -> None:
    assert orthogonal(torch.ones(2), torch.tensor([torch.nan, 1.0])).isnan().all()


def test_it_is_switched_between_two_steps() -> None:
    weight = Parameter(torch.tensor([2.0, 0.0]))
    optimizer = orthograd([weight], lr=0.1, betas=(0.0, 0.0), eps=1e-8)
    moved = []
    for switch in (1, 0.0, 1.0):
        optimizer.param_groups[0]["orthograd"] = switch
        before = weight.detach().clone()
        weight.grad = torch.tensor([1.0, 0.0]) + torch.tensor([0.0, 1.0])
        optimizer.step()
        moved.append((weight.detach() - before).abs() > 0.05)
    assert [each.tolist() for each in moved] == [[False, True], [True, True], [True, True]]
