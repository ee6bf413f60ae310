"""How much of a function of (a, b) each frequency explains, from its sums along a, b, a + b and a − b alone.

The eight non-constant entries of the block {0, 2k−1, 2k}² of the 2D transform are the waves of frequency k of a, those
of b and, turned by 45°, those of a + b and of a − b; each kind sees no more of a function than its sums along the rest.
So p² numbers are added up where the transform multiplies p³, and only the values at one a are needed at a time.
"""

from typing import Self

import numpy as np

from grokterm.circuit.network import Array
from grokterm.circuit.waves import basis


class Marginals:
    """The sums of n functions of (a, b), taken in for one a after the other."""

    def __init__(self, p: int, count: int, dtype: np.dtype[np.floating]) -> None:
        """Nothing is taken in yet. Raises RunError for an even p."""
        self._waves = basis(p, dtype)[1:]
        self._p, self._a = p, 0
        self._dtype = dtype
        self._by_a, self._by_b = np.zeros((2, p, count), dtype)
        self._by_sum, self._by_difference = np.zeros((2, 2 * p, count), dtype)  # not yet mod p
        self._squares = np.zeros(count)
        self._near = np.zeros(count, dtype)

    def add(self, values: Array) -> None:
        """Take in the functions at the next a, whatever b, (p, n). The array is used up: its numbers are changed."""
        p, a = self._p, self._a
        if a == 0:
            self._near = values.mean(axis=0)
        values -= self._near  # first: in float32 a large mean would drown a small wave
        self._by_a[a] = values.sum(axis=0)
        self._by_b += values
        self._by_sum[a : a + p] += values
        self._by_difference[p - a : 2 * p - a] += values  # of b − a: the sign turns a wave, and changes no share
        self._squares += np.einsum("bn,bn->n", values, values)
        self._a += 1

    @classmethod
    def of(cls, functions: Array) -> Self:
        """Those of whole functions (p², n), in lexicographic order of (a, b)."""
        p = round(len(functions) ** 0.5)
        sums = cls(p, functions.shape[1], functions.dtype)
        for values in functions.reshape(p, p, -1):
            sums.add(values.copy())
        return sums

    def shares(self) -> Array:
        """How much of each function's variance over all (a, b) one frequency explains, (n, frequencies).

        The squares of the eight non-constant entries of the block {0, 2k−1, 2k}² over the total (Nanda et al. 2023,
        section 4.2). Zeros for a function without variance, with no more than its mean's rounding, or with more than a
        number can hold.
        """
        p = self._p
        explained = np.zeros(((p - 1) // 2, len(self._near)))
        by_sum, by_difference = (twice[:p] + twice[p:] for twice in (self._by_sum, self._by_difference))
        for sums in (self._by_a, self._by_b, by_sum, by_difference):
            parts = self._waves @ sums
            explained += np.square(parts).reshape(-1, 2, parts.shape[1]).sum(axis=1) / p
        off = self._by_a.mean(axis=0, dtype=np.float64) / p  # how far the mean is from `near`
        total = self._squares - np.square(p * off)
        rounding = np.square(p * np.finfo(self._dtype).eps * (self._near + off))
        shares = np.divide(explained, total, out=np.zeros_like(explained), where=(total > rounding) & (total < np.inf))
        clipped: Array = np.clip(shares, 0, 1).T.astype(self._dtype)
        return clipped


def frequency_shares(functions: Array) -> Array:
    """How much of the variance of functions (p², n) each frequency explains, (n, frequencies); RunError for even p."""
    return Marginals.of(functions).shares()
