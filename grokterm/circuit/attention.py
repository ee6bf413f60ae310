"""Attention: how regularly each head's look at the first number follows both numbers round a circle."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grokterm.circuit.diverged import quiet
from grokterm.circuit.network import Array
from grokterm.circuit.waves import Floats, basis


@dataclass(frozen=True, eq=False)
class Periodicity:
    """Each head's attention from the last position to the first number, over all (a, b), as waves of one frequency.

    frequency (heads,): the one that explains most. fve (heads,): the share of variance of 1, cos and sin of w_k a, cos
    and sin of w_k b. fve_2term (heads,): of ½ + α(cos w_k a − cos w_k b) + β(sin w_k a − sin w_k b), the paper's,
    with alpha and beta (heads,); below 0 where the mean is far from ½. A head that looks at the same place whatever the
    input has no variance to explain: zeros.
    """

    frequency: NDArray[np.int64]
    fve: Floats
    fve_2term: Floats
    alpha: Floats
    beta: Floats


@quiet
def periodicity(attention: Array) -> Periodicity:
    """Fit every head's attention to a, in float64; attention (n_heads, p, p, 3), p odd (Nanda et al. 2023, sec. 4.2).

    The five terms are orthogonal over all (a, b), so that each frequency's fit is a row of the transform of two means.
    """
    heads, p = attention.shape[:2]
    F = basis(p)
    at_a = attention[..., 0].astype(np.float64)
    mean = at_a.mean(axis=(1, 2))
    centred = at_a - mean[:, None, None]
    by_a = centred.sum(axis=2) @ F[1:].T / np.sqrt(p)  # (heads, cos and sin of every frequency), of unit vectors
    by_b = centred.sum(axis=1) @ F[1:].T / np.sqrt(p)
    power = (np.square(by_a) + np.square(by_b)).reshape(heads, -1, 2).sum(axis=2)
    variance = np.square(centred).sum(axis=(1, 2))
    rounding = np.square(p * np.finfo(attention.dtype).eps)
    varies = variance > rounding
    each = np.divide(power, variance[:, None], out=np.zeros_like(power), where=varies[:, None])
    best = each.argmax(axis=1)
    rows = np.arange(heads)
    difference = (by_a - by_b).reshape(heads, -1, 2)[rows, best] / np.sqrt(2)  # along cos and sin, of unit vectors
    two = np.square(difference).sum(axis=1) - np.square(p * (mean - 0.5))
    coefficients = difference / p  # cos w_k a − cos w_k b has the norm p
    return Periodicity(
        frequency=best + 1,
        fve=each[rows, best],
        fve_2term=np.divide(two, variance, out=np.zeros_like(two), where=varies),
        alpha=coefficients[:, 0],
        beta=coefficients[:, 1],
    )


def mean_attention(attention: Array) -> Floats:
    """Where each head looks on the average over all inputs, (n_heads, 3): at a, at b, at the last token itself."""
    means: Floats = attention.mean(axis=(1, 2), dtype=np.float64)
    return means
