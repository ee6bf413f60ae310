"""Which step of ours an epoch of a file is: found by comparing losses, where the file has enough of them.

A step k names the weights after k updates. In every code whose files are known here, epoch e (from 0) computes
train_losses[e], updates, and then may save: train_losses[e] is the loss of the weights after e updates, row e of
steps.npy, and the checkpoint of epoch e is step e + 1. Nanda's code takes the test loss beside the training loss,
before the update; the demo of TransformerLens takes it after. Others save first. So both shifts are measured: the loss
that a checkpoint's weights give must stand in the file at one epoch, and hardly ever stands at the next as well.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CLOSE = 0.01
"""Relative difference up to which a computed loss is the recorded one: files hold float32 losses of other machines."""
CLOSE_ALONE = 1e-4
"""The same where the other shift cannot be tried: a loss falls by more than this in one step, where it falls at all."""
CLEARER = 3.0
"""The better of two shifts must be so many times closer than the other."""


@dataclass(frozen=True)
class Shift:
    """Updates between an epoch and its step: 0 or 1; `measured` when losses or the file say so, else the usual one."""

    updates: int
    measured: bool


@dataclass(frozen=True, eq=False)
class Recorded:
    """Losses of a file: values[i] was taken in epoch i · every."""

    values: NDArray[np.float64]
    every: int = 1

    def of_epoch(self, epoch: int) -> float:
        """The loss of an epoch; NaN where there is none."""
        index, rest = divmod(epoch, self.every)
        return float(self.values[index]) if not rest and 0 <= index < len(self.values) else math.nan


def saved_after(train: Recorded, computed: Iterable[tuple[int, float]], last_epoch: int) -> Shift:
    """How many updates the checkpoint of epoch e has seen beyond e; computed: (epoch, train loss of its weights)."""
    if len(train.values) and last_epoch >= len(train.values):
        return Shift(0, measured=True)  # counted in updates: after the last epoch comes none
    return _shift(computed, lambda epoch, updates: train.of_epoch(epoch + updates), usual=1)


def evaluated_after(test: Recorded, computed: Iterable[tuple[int, float]], *, usual: int) -> Shift:
    """How many updates the test loss of epoch e has seen beyond e; computed: (step, test loss of its weights)."""
    return _shift(computed, lambda step, updates: test.of_epoch(step - updates), usual=usual)


def _shift(computed: Iterable[tuple[int, float]], recorded: Callable[[int, int], float], *, usual: int) -> Shift:
    pairs = list(computed)
    apart = [_apart([(loss, recorded(at, updates)) for at, loss in pairs]) for updates in (0, 1)]
    better = 0 if apart[0] < apart[1] else 1
    close = CLOSE if math.isfinite(apart[1 - better]) else CLOSE_ALONE
    if apart[better] < close and apart[1 - better] > CLEARER * apart[better]:
        return Shift(better, measured=True)
    return Shift(usual, measured=False)


def _apart(pairs: Sequence[tuple[float, float]]) -> float:
    """Median of |log(computed / recorded)| over the pairs that can be compared; infinite without any."""
    logs = [abs(math.log(a / b)) for a, b in pairs if all(math.isfinite(x) and x > 0 for x in (a, b))]
    return float(np.median(logs)) if logs else math.inf
