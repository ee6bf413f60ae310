"""Parallelograms in the embedding: whether i + j = m + n shows in it as E_i + E_j = E_m + E_n."""

import numpy as np
from numpy.typing import NDArray

from grokterm.circuit.diverged import quiet
from grokterm.circuit.network import Array

DELTA = 0.1
"""How far from closed counts as closed, in the mean norm of the embeddings."""


@quiet
def rqi(W_E: Array, delta: float = DELTA) -> float:
    """Representation quality index: the share of parallelograms that close, 0 … 1 (Liu et al. 2022, section 3.2).

    W_E (p, d_model). A parallelogram is two different pairs {i, j} ≠ {m, n} of tokens with i + j = m + n as whole
    numbers, not mod p; it closes where ‖E_i + E_j − E_m − E_n‖ < delta · mean ‖E_x‖. All of them are looked at, none
    drawn at random.

    Tokens in even steps on a line close all of them, and so do tokens at one point. On circles they do not close, so
    that it stays near 0 for the circuits of modular addition: at one frequency E_i + E_j points in the direction of the
    sum's half, but is 2 cos(πk(i − j)/p) long, so that one in fifteen to twenty-six closes for p = 113, and next to
    none with several frequencies. Noise in more than a few dimensions closes none.
    """
    first, second, counted = _pairs(len(W_E))
    centred = W_E.astype(np.float64) - W_E.mean(axis=0, dtype=np.float64)  # their distances lose nothing to rounding
    size = float(np.sqrt(np.square(W_E, dtype=np.float64).sum(axis=1)).mean())
    if not np.isfinite(size):
        return float("nan")
    ends = centred[first] + centred[second]  # (sums, pairs, d_model)
    lengths = np.square(ends).sum(axis=2)
    gaps = lengths[:, :, None] + lengths[:, None] - 2 * ends @ ends.transpose(0, 2, 1)  # squared distances
    here, there = np.triu_indices(first.shape[1], 1)
    both = counted[:, here] & counted[:, there]
    closed = gaps[:, here, there] < (delta * size) ** 2
    return float((closed & both).sum() / both.sum())


def _pairs(p: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Every unordered pair by its sum: two arrays of tokens (sums, pairs) and which of their places are filled."""
    i, j = np.triu_indices(p)
    sums = i + j
    order = np.argsort(sums, kind="stable")
    counts = np.bincount(sums)
    place = np.arange(len(sums)) - np.repeat(counts.cumsum() - counts, counts)
    shape = (len(counts), int(counts.max()))
    first, second, filled = np.zeros(shape, np.int64), np.zeros(shape, np.int64), np.zeros(shape, np.bool_)
    at = sums[order], place
    first[at], second[at], filled[at] = i[order], j[order], True
    return first, second, filled
