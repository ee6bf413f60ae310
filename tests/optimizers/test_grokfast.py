"""Grokfast against loops written out here: the running average, the mean of a queue, and both while knobs turn."""

from collections import deque

import pytest
import torch
from torch.nn import Parameter
from torch.optim import Optimizer

from grokterm.optimizers.around.grokfast import AVERAGE, COUNT, QUEUE
from grokterm.optimizers.grokfast import grokfast

GRADIENTS = torch.randn(30, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(7))


def taken(optimizer: Optimizer, weight: Parameter, gradient: torch.Tensor) -> torch.Tensor:
    """Return the gradient that the optimizer's own step is given."""
    weight.grad = gradient
    optimizer.step()
    assert weight.grad is not None
    return weight.grad


def begun(**settings: float) -> tuple[Parameter, Optimizer]:
    weight = Parameter(torch.ones(5, dtype=torch.float64))
    return weight, grokfast([weight], **settings)  # type: ignore[arg-type]


def kept(optimizer: Optimizer, weight: Parameter) -> set[str]:
    return set(optimizer.state[weight]) - {"step", "exp_avg", "exp_avg_sq"}


def test_running_average() -> None:
    weight, optimizer = begun(grokfast=2.0, grokfast_alpha=0.9)
    average = GRADIENTS[0]
    for gradient in GRADIENTS:
        average = 0.9 * average + 0.1 * gradient
        torch.testing.assert_close(taken(optimizer, weight, gradient), gradient + 2 * average, rtol=1e-12, atol=1e-14)
    assert kept(optimizer, weight) == {AVERAGE}
    assert float(optimizer.state[weight]["step"]) == 30  # torch's moments began with the first step


def test_mean_of_a_full_queue() -> None:
    weight, optimizer = begun(grokfast=5.0, grokfast_window=4)
    queue: deque[torch.Tensor] = deque(maxlen=4)
    for step, gradient in enumerate(GRADIENTS):
        queue.append(gradient)
        added = 5 * sum(queue, torch.zeros(5, dtype=torch.float64)) / 4
        expected = gradient + added if step >= 3 else gradient
        torch.testing.assert_close(taken(optimizer, weight, gradient), expected, rtol=1e-12, atol=1e-14)
    assert kept(optimizer, weight) == {QUEUE, COUNT}
    assert optimizer.state[weight][QUEUE].shape == (4, 5)


@pytest.mark.parametrize("windows", [(3, 6), (6, 3), (6, 4, 7), (5, 1, 2)])
def test_a_queue_of_another_length_keeps_the_newest(windows: tuple[int, ...]) -> None:
    """Turned where the ring's beginning is not its oldest gradient, and also before it is full."""
    for turned_after in (2, 5, 8):
        weight, optimizer = begun(grokfast=1.0, grokfast_window=windows[0])
        queue: deque[torch.Tensor] = deque(maxlen=windows[0])
        for step, gradient in enumerate(GRADIENTS):
            window = windows[min(step // turned_after, len(windows) - 1)]
            optimizer.param_groups[0]["grokfast_window"] = float(window)
            queue = deque(queue, maxlen=window)
            queue.append(gradient)
            mean = sum(queue, torch.zeros(5, dtype=torch.float64)) / window
            expected = gradient + mean if len(queue) == window else gradient
            torch.testing.assert_close(taken(optimizer, weight, gradient), expected, rtol=1e-12, atol=1e-14)


def test_switched_off_it_forgets_and_begins_anew() -> None:
    weight, optimizer = begun(grokfast=2.0, grokfast_alpha=0.9)
    average = None
    for step, gradient in enumerate(GRADIENTS):
        optimizer.param_groups[0]["grokfast"] = strength = 0.0 if 5 <= step < 9 else 2.0
        now = taken(optimizer, weight, gradient)
        if not strength:
            average = None
            assert now is gradient
            assert kept(optimizer, weight) == set()
            continue
        average = 0.9 * (gradient if average is None else average) + 0.1 * gradient
        torch.testing.assert_close(now, gradient + 2 * average, rtol=1e-12, atol=1e-14)
    assert float(optimizer.state[weight]["step"]) == 30


def test_one_form_forgets_the_other() -> None:
    weight, optimizer = begun(grokfast=2.0)
    for window, keys in ((0, {AVERAGE}), (2, {QUEUE, COUNT}), (0, {AVERAGE})):
        optimizer.param_groups[0]["grokfast_window"] = window
        taken(optimizer, weight, GRADIENTS[0])
        assert kept(optimizer, weight) == keys


def test_a_reset_forgets_gradients_with_the_moments() -> None:
    weight, optimizer = begun(grokfast=2.0)
    taken(optimizer, weight, GRADIENTS[0])
    optimizer.state.clear()
    torch.testing.assert_close(taken(optimizer, weight, GRADIENTS[1]), 3 * GRADIENTS[1])
    assert float(optimizer.state[weight]["step"]) == 1


def test_a_weight_without_a_gradient_keeps_its_average() -> None:
    weight, optimizer = begun(grokfast=2.0, grokfast_alpha=0.5)
    taken(optimizer, weight, GRADIENTS[0])
    weight.grad = None
    optimizer.step()
    average = 0.5 * GRADIENTS[0] + 0.5 * GRADIENTS[1]
    torch.testing.assert_close(taken(optimizer, weight, GRADIENTS[1]), GRADIENTS[1] + 2 * average)
