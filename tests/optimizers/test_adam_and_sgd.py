"""Adam and gradient descent against their formulas, in double precision; what weight decay means for each."""

import pytest
import torch
from torch.nn import Parameter

from grokterm.catalog import Catalog
from grokterm.engine.knobs import Cadence, Knobs
from grokterm.optimizers.adam import adam
from grokterm.optimizers.adamw import adamw
from grokterm.optimizers.grokfast import grokfast
from grokterm.optimizers.sgd import sgd


def gradients(steps: int) -> torch.Tensor:
    return torch.randn(steps, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def begun() -> tuple[Parameter, torch.Tensor]:
    weight = torch.linspace(-1, 2, 7, dtype=torch.float64)
    return Parameter(weight.clone()), weight


def test_adam_adds_weight_decay_to_the_gradient() -> None:
    weight, expected = begun()
    optimizer = adam([weight], lr=0.01, weight_decay=0.3, betas=(0.8, 0.9), eps=1e-8)
    first, second = torch.zeros(7, dtype=torch.float64), torch.zeros(7, dtype=torch.float64)
    for step, gradient in enumerate(gradients(20), start=1):
        weight.grad = gradient
        optimizer.step()
        with_decay = gradient + 0.3 * expected
        first, second = 0.8 * first + 0.2 * with_decay, 0.9 * second + 0.1 * with_decay**2
        unbiased = (second / (1 - 0.9**step)).sqrt() + 1e-8
        expected = expected - 0.01 * first / (1 - 0.8**step) / unbiased
    torch.testing.assert_close(weight.detach(), expected, rtol=1e-12, atol=1e-12)


def test_momentum_begins_as_the_first_gradient_and_decay_is_added() -> None:
    weight, expected = begun()
    optimizer = sgd([weight], lr=0.05, weight_decay=0.2, momentum=0.6)
    momentum = None
    for gradient in gradients(20):
        weight.grad = gradient
        optimizer.step()
        with_decay = gradient + 0.2 * expected
        momentum = with_decay if momentum is None else 0.6 * momentum + with_decay
        expected = expected - 0.05 * momentum
    torch.testing.assert_close(weight.detach(), expected, rtol=1e-12, atol=1e-12)


def test_a_momentum_turned_off_and_on_begins_anew() -> None:
    weight, expected = begun()
    optimizer = sgd([weight], lr=0.05, momentum=0.9)
    momentum = None
    for step, gradient in enumerate(gradients(9)):
        optimizer.param_groups[0]["momentum"] = now = 0.0 if 3 <= step < 6 else 0.9
        weight.grad = gradient
        optimizer.step()
        momentum = gradient if momentum is None or not now else now * momentum + gradient
        expected = expected - 0.05 * momentum
        momentum = momentum if now else None
        assert ("momentum_buffer" in optimizer.state[weight]) == bool(now)
    torch.testing.assert_close(weight.detach(), expected, rtol=1e-12, atol=1e-12)


def test_a_weight_without_a_gradient_may_join_later() -> None:
    early, late = begun()[0], begun()[0]
    optimizer = sgd([early, late], lr=0.1, momentum=0.9)
    for step in range(3):
        early.grad = torch.ones(7, dtype=torch.float64)
        late.grad = torch.ones(7, dtype=torch.float64) if step else None
        optimizer.step()
    assert (early - late).detach().tolist() == pytest.approx([-0.271] * 7)  # 0.1 (1 + 1.9 + 2.71) − 0.1 (1 + 1.9)


@pytest.mark.parametrize(
    ("name", "make", "decay"),
    [
        ("adamw", lambda w: adamw(w, lr=0.01, weight_decay=0.5), 0.005),
        ("adam", lambda w: adam(w, lr=0.01, weight_decay=0.5), 0.0),
        ("grokfast", lambda w: grokfast(w, lr=0.01, weight_decay=0.5), 0.0),
        ("grokfast", lambda w: grokfast(w, lr=0.01, weight_decay=0.5, weight_decay_kind="decoupled"), 0.005),
        ("sgd", lambda w: sgd(w, lr=0.01, weight_decay=0.5, momentum=0.0), 0.005),
        ("sgd", lambda w: sgd(w, lr=0.01, weight_decay=0.5, momentum=0.75), 0.02),
    ],
)
def test_the_share_by_which_decay_shrinks_weights(name: str, make: object, decay: float) -> None:
    assert callable(make)
    knobs = Knobs(make([begun()[0]]), Catalog().settings("optimizers", name), Cadence(1, 1, 1, 1))
    assert knobs.decay() == pytest.approx(decay)


def test_momentum_is_a_shrinking_of_its_own() -> None:
    """Without gradients weights under momentum shrink by the share that the knobs tell, once that has settled."""
    weight, _ = begun()
    optimizer = sgd([weight], lr=1e-3, weight_decay=0.1, momentum=0.9)
    share = Knobs(optimizer, Catalog().settings("optimizers", "sgd"), Cadence(1, 1, 1, 1)).decay()
    for _ in range(200):
        before = weight.detach().clone()
        weight.grad = torch.zeros(7, dtype=torch.float64)
        optimizer.step()
    assert float(1 - weight.detach().norm() / before.norm()) == pytest.approx(share, rel=0.02)
