"""Parallelograms in the embedding: whether i + j = m + n shows in it as E_i + E_j = E_m + E_n."""

import numpy as np
from numpy.typing import NDArray

from grokterm.circuit.diverged import quiet
from grokterm.circuit.network import Array

DELTA = 0.1
"""How far from closed counts as closed, in the mean distance of an embedding from their centre."""


@quiet
def rqi(W_E: Array, delta: float = DELTA, *, modular: bool = True) -> float:
    """Representation quality index: the share of parallelograms that close, 0 … 1 (Liu et al. 2022, section 3.2).

    W_E (p, d_model). A parallelogram is two different pairs {i, j} ≠ {m, n} with the same sum; it closes where
    ‖E_i + E_j − E_m − E_n‖ < delta · mean ‖E_x − centre‖, and where a circle of the sums is the answer, `modular`, sums
    are residues mod p. All of them are looked at, none drawn at random: 180,000 for p = 113.

    Tokens on a line close every parallelogram of whole numbers. No embedding closes all of those mod p but a single
    point: on a circle of one frequency E_i + E_j points in the direction of the sum's half, but is 2 cos(πk(i − j)/p)
    long, so that about one in nineteen closes. Noise in more than a few dimensions closes none.
    """
    p = len(W_E)
    first, second, counted = _pairs(p, modular=modular)
    centred = W_E.astype(np.float64) - W_E.mean(axis=0, dtype=np.float64)
    size = float(np.sqrt(np.square(centred).sum(axis=1)).mean())
    if not np.isfinite(size):
        return float("nan")
    ends = centred[first] + centred[second]  # (sums, pairs, d_model)
    lengths = np.square(ends).sum(axis=2)
    gaps = lengths[:, :, None] + lengths[:, None] - 2 * ends @ ends.transpose(0, 2, 1)  # squared distances
    here, there = np.triu_indices(first.shape[1], 1)
    both = counted[:, here] & counted[:, there]
    closed = gaps[:, here, there] < (delta * size) ** 2
    return float((closed & both).sum() / both.sum())


def _pairs(p: int, *, modular: bool) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Every unordered pair by its sum: two arrays of tokens (sums, pairs) and which of their places are filled."""
    i, j = np.triu_indices(p)
    sums = (i + j) % p if modular else i + j
    order = np.argsort(sums, kind="stable")
    counts = np.bincount(sums)
    place = np.arange(len(sums)) - np.repeat(counts.cumsum() - counts, counts)
    shape = (len(counts), int(counts.max()))
    first, second, filled = np.zeros(shape, np.int64), np.zeros(shape, np.int64), np.zeros(shape, np.bool_)
    at = sums[order], place
    first[at], second[at], filled[at] = i[order], j[order], True
    return first, second, filled
