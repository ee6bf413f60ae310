"""Grokfast: a gradient to which its own slow part is added, λ times: its running average, or the mean of the last few.

Lee, Kang, Kim & Lee, "Grokfast: Accelerated Grokking by Amplifying Slow Gradients" (2024), algorithms 1 (MA) and 2
(EMA); where the text leaves it open, as their published code does it: the running average begins as the first gradient,
and the mean is added only once its queue is full.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter
from torch.optim import Optimizer

AVERAGE, QUEUE, COUNT = "grokfast_average", "grokfast_queue", "grokfast_count"
"""What is remembered of a tensor's gradients, beside the optimizer's moments: the running average; or the queue, a ring
of (window, *shape), and how many gradients went into it."""

Memory = dict[str, Any]


class Grokfast:
    """The two hooks of one optimizer, whose groups hold `grokfast` (λ), `grokfast_alpha` and `grokfast_window`.

    Between them it holds what is to be remembered: torch makes its moments only where a state is empty, so ours may be
    put into it only after the step.
    """

    def __init__(self) -> None:
        self._remembered: list[tuple[Parameter, Memory]] = []

    @torch.no_grad()
    def before(self, optimizer: Optimizer, *_: object) -> None:
        """Add the slow part to every gradient; forget everything where λ is 0."""
        self._remembered = []
        for group in optimizer.param_groups:
            strength, alpha, window = group["grokfast"], group["grokfast_alpha"], int(group["grokfast_window"])
            for weight in group["params"]:
                state = optimizer.state.get(weight, {})
                if not strength:
                    _forget(state)
                elif weight.grad is not None:
                    memory = queued(state, weight.grad, window) if window else averaged(state, weight.grad, alpha)
                    self._remembered.append((weight, memory))
                    mean = slow_part(memory)
                    if mean is not None:
                        weight.grad = weight.grad + strength * mean

    def after(self, optimizer: Optimizer, *_: object) -> None:
        """Put what is to be remembered beside the optimizer's moments."""
        for weight, memory in self._remembered:
            _forget(optimizer.state[weight])
            optimizer.state[weight].update(memory)
        self._remembered = []


def averaged(memory: Memory, gradient: Tensor, alpha: float) -> Memory:
    """Return the running average with one gradient more: m ← α m + (1 − α) g."""
    return {AVERAGE: memory.get(AVERAGE, gradient) * alpha + gradient * (1 - alpha)}


def queued(memory: Memory, gradient: Tensor, window: int) -> Memory:
    """Return the queue with one gradient more, written into the ring in place; of another length where that changed."""
    queue, count = memory.get(QUEUE), memory.get(COUNT, 0)
    if queue is None:
        queue = gradient.new_zeros((window, *gradient.shape))
    elif len(queue) != window:
        queue, count = _of_length(queue, count, window)
    queue[count % window] = gradient
    return {QUEUE: queue, COUNT: count + 1}


def slow_part(memory: Memory) -> Tensor | None:
    """Return what is added λ times; None while the queue is not full."""
    if AVERAGE in memory:
        average: Tensor = memory[AVERAGE]
        return average
    queue: Tensor = memory[QUEUE]
    return queue.mean(0) if memory[COUNT] >= len(queue) else None


def _of_length(queue: Tensor, count: int, window: int) -> tuple[Tensor, int]:
    """A ring of another length with the newest gradients that it has room for, oldest first, and their number."""
    kept = min(count, len(queue), window)
    newest = [(count - back) % len(queue) for back in range(kept, 0, -1)]
    longer = queue.new_zeros((window, *queue.shape[1:]))
    longer[:kept] = queue[newest]
    return longer, kept


def _forget(state: Memory) -> None:
    for key in (AVERAGE, QUEUE, COUNT):
        state.pop(key, None)
