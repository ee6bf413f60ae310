"""What can be switched off is then torch's own optimizer, bit for bit, and gradients are left as they were found."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import pytest
import torch
from torch.nn import Parameter
from torch.optim import Optimizer

from grokterm.optimizers.adam import adam
from grokterm.optimizers.adamw import adamw
from grokterm.optimizers.grokfast import grokfast
from grokterm.optimizers.orthograd import orthograd
from grokterm.optimizers.pinned_norm import pinned_norm
from grokterm.optimizers.sgd import sgd

Maker = Callable[[Iterable[Parameter]], Optimizer]
SAME: dict[str, Any] = {"lr": 1e-2, "weight_decay": 0.3}
ADAM: dict[str, Any] = {**SAME, "betas": (0.9, 0.98), "eps": 1e-8}
TORCH_ADAM = partial(torch.optim.Adam, lr=1e-2, weight_decay=0.3, betas=(0.9, 0.98), eps=1e-8, fused=True)
TORCH_ADAMW = partial(torch.optim.AdamW, lr=1e-2, weight_decay=0.3, betas=(0.9, 0.98), eps=1e-8, fused=True)


def weights_after(make: Maker, steps: int = 50) -> list[torch.Tensor]:
    """Train a small network on fixed numbers; the gradients that a step finds must not be written into."""
    generator = torch.Generator().manual_seed(5)
    weights = [Parameter(torch.randn(shape, generator=generator)) for shape in ((6, 4), (4,), (4, 3))]
    inputs, targets = torch.randn(20, 6, generator=generator), torch.randn(20, 3, generator=generator)
    optimizer = make(weights)
    for _ in range(steps):
        optimizer.zero_grad(set_to_none=True)
        outputs = torch.relu(inputs @ weights[0] + weights[1]) @ weights[2]
        torch.nn.functional.mse_loss(outputs, targets).backward()  # type: ignore[no-untyped-call]
        found = [weight.grad for weight in weights if weight.grad is not None]
        copies = [gradient.clone() for gradient in found]
        optimizer.step()
        assert all(torch.equal(gradient, copy) for gradient, copy in zip(found, copies, strict=True))
    return [weight.detach().clone() for weight in weights]


@pytest.mark.parametrize(
    ("ours", "torchs"),
    [
        (partial(adamw, **ADAM), TORCH_ADAMW),
        (partial(adam, **ADAM), TORCH_ADAM),
        (partial(orthograd, **ADAM, orthograd=0), TORCH_ADAMW),
        (partial(grokfast, **ADAM, grokfast=0.0), TORCH_ADAM),
        (partial(grokfast, **ADAM, grokfast=0.0, weight_decay_kind="decoupled", grokfast_window=3), TORCH_ADAMW),
        (partial(pinned_norm, **ADAM, pinned_norm=0.0), TORCH_ADAMW),
        (partial(sgd, **SAME, momentum=0.9), partial(torch.optim.SGD, **SAME, momentum=0.9, foreach=True)),
        (partial(sgd, **SAME, momentum=0.0), partial(torch.optim.SGD, **SAME, foreach=True)),
    ],
)
def test_switched_off_it_is_torchs_own(ours: Maker, torchs: Maker) -> None:
    pairs = zip(weights_after(ours), weights_after(torchs), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)


@pytest.mark.parametrize(
    "on",
    [
        partial(orthograd, **ADAM),
        partial(grokfast, **ADAM),
        partial(grokfast, **ADAM, grokfast_window=3),
        partial(pinned_norm, **ADAM, pinned_norm=2.0),
    ],
)
def test_switched_on_it_is_not(on: Maker) -> None:
    assert not torch.equal(weights_after(on)[0], weights_after(TORCH_ADAM)[0])
    assert not torch.equal(weights_after(on)[0], weights_after(TORCH_ADAMW)[0])
