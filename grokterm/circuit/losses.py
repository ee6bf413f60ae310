"""Cross-entropies of a checkpoint's logits, float64 whatever their own precision: on all inputs, on train, on test."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grokterm.circuit.diverged import quiet
from grokterm.circuit.network import Array
from grokterm.circuit.waves import Floats
from grokterm.run.recorded_task import RecordedTask

SMALLEST_TOTAL = 1e-290
"""Below it, terms that underflowed (float64 ends at 5e-324) could have mattered."""
AT_ONCE = 1024
"""Inputs whose losses are computed together: fresh memory for all of them takes longer than the computing."""


@dataclass(frozen=True)
class Losses:
    """Mean cross-entropy in nats, and the share of right answers, on all inputs and on the two parts."""

    all: float
    train: float
    test: float
    accuracy: float
    train_accuracy: float
    test_accuracy: float


@dataclass(frozen=True, eq=False)
class PartLosses:
    """Mean cross-entropies of several edits of one network, each (edits,), on all inputs and on the two parts."""

    all: Floats
    train: Floats
    test: Floats


@quiet
def losses(logits: Array, task: RecordedTask) -> Losses:
    """The losses and accuracies of logits (n, n_classes), one row an input; one with NaN in it answers nothing."""
    each = cross_entropies(logits, task.labels)
    right = (logits.argmax(axis=1) == task.labels) & ~np.isnan(logits.max(axis=1))  # a row of NaN answers nothing
    train, test = task.train, task.test
    means = (each.mean(), each[train].mean(), each[test].mean(), right.mean(), right[train].mean(), right[test].mean())
    return Losses(*(float(mean) for mean in means))


@quiet
def cross_entropies(logits: Array, labels: NDArray[np.int64]) -> Floats:
    """Each input's cross-entropy (n,); float32 could not represent those of a network that is sure."""
    each = np.empty(len(logits))
    for first in range(0, len(logits), AT_ONCE):
        some = slice(first, first + AT_ONCE)
        highest = logits[some].max(axis=1, keepdims=True)  # a maximum is exact in any precision
        shifted = np.subtract(logits[some], highest, dtype=np.float64)
        correct = shifted[np.arange(len(shifted)), labels[some]]
        each[some] = np.log(np.exp(shifted, out=shifted).sum(axis=1)) - correct
    return each


def in_parts(each: Floats, task: RecordedTask) -> PartLosses:
    """The means of each input's losses (n, edits) on all inputs, on train and on test."""
    return PartLosses(each.mean(axis=0), each[task.train].mean(axis=0), each[task.test].mean(axis=0))


@quiet
def without_each_wave(logits: Array, wave_tables: Floats, sums: NDArray[np.int64], task: RecordedTask) -> PartLosses:
    """The losses of L − P_k L for every k at once, each (frequencies,); on train, Nanda et al. 2023, section 5.1.

    logits L (p², p); wave_tables (frequencies, p, p), P_k L as a function of the sum; sums (p²,). As P_k L depends on
    the sum alone, Σ_c e^{L − P_k L} is a product of the exponentials of L with one table of exponentials a sum: two
    exponentials where the definition has one for every k.
    """
    p = len(wave_tables[0])
    order = np.argsort(sums, kind="stable")  # every residue has p inputs
    labels = task.labels[order].reshape(p, p)
    L = logits[order].reshape(p, p, -1).astype(np.float64)  # (sum, input, class)
    highest = L.max(axis=2, keepdims=True)
    correct = np.take_along_axis(L, labels[:, :, None], axis=2) - highest  # (sum, input, 1)
    by_sum = np.exp(np.subtract(L, highest, out=L), out=L)
    removed = -wave_tables.transpose(1, 2, 0)  # (sum, class, frequency)
    lift = removed.max(axis=1, keepdims=True)
    totals = by_sum @ np.exp(removed - lift)  # (sum, input, frequency)
    underflowed = (totals <= SMALLEST_TOTAL).any(axis=(0, 1))
    correct = correct + np.take_along_axis(removed, labels[:, :, None], axis=1)
    each = np.log(totals, out=totals) + lift - correct
    unsorted = np.empty((p * p, each.shape[2]))
    unsorted[order] = each.reshape(p * p, -1)
    for k in np.flatnonzero(underflowed):  # logits hundreds apart
        unsorted[:, k] = cross_entropies(logits - wave_tables[k][sums], task.labels)
    return in_parts(unsorted, task)
