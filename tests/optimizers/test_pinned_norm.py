"""All weights together on a sphere after every step; one factor for all of them."""

import math

import pytest
import torch
from torch.nn import Parameter

from grokterm.optimizers.pinned_norm import pinned_norm


def weights() -> list[Parameter]:
    generator = torch.Generator().manual_seed(4)
    return [Parameter(torch.randn(shape, generator=generator)) for shape in ((30, 20), (20,), (20, 7))]


def norm(of: list[Parameter]) -> float:
    return math.sqrt(sum(float(weight.detach().double().square().sum()) for weight in of))


def test_the_norm_is_pinned_and_can_be_pinned_elsewhere() -> None:
    on, off = weights(), weights()
    pinned, free = pinned_norm(on, lr=0.05, pinned_norm=3.0), pinned_norm(off, lr=0.05)
    for step in range(20):
        pinned.param_groups[0]["pinned_norm"] = radius = 3.0 if step < 10 else 8.0
        for one, other in zip(on, off, strict=True):
            one.grad = torch.full_like(one, 0.1)
            other.data.copy_(one.data)
            other.grad = one.grad.clone()
        pinned.step()
        free.step()
        assert norm(on) == pytest.approx(radius, rel=1e-6)
        factor = radius / norm(off)
        for one, other in zip(on, off, strict=True):
            torch.testing.assert_close(one.detach(), other.detach() * factor, rtol=1e-5, atol=1e-7)


def test_zero_lets_the_weights_go() -> None:
    free = weights()
    optimizer = pinned_norm(free, lr=0.05, pinned_norm=3.0)
    for radius, holds in ((3.0, True), (0.0, False)):
        optimizer.param_groups[0]["pinned_norm"] = radius
        for weight in free:
            weight.grad = -weight.detach()
        optimizer.step()
        assert (norm(free) == pytest.approx(3.0, rel=1e-6)) == holds


def test_weights_that_no_factor_helps_stay() -> None:
    for value in (0.0, math.nan, math.inf):
        weight, other = Parameter(torch.tensor([value, 0.0])), Parameter(torch.zeros(1))
        optimizer = pinned_norm([weight, other], lr=0.0, pinned_norm=1.0)
        weight.grad, other.grad = torch.zeros(2), torch.zeros(1)
        optimizer.step()
        assert repr(weight.tolist()) == repr([value, 0.0])
