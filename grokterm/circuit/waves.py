"""The Fourier basis on Z_p and what is made with it, with NumPy; frequencies are k = 1 … (p−1)/2, p odd.

`fourier.py` is the training side's form of the same mathematics; the tests hold the two to each other.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import DTypeLike, NDArray

from grokterm.circuit.diverged import quiet
from grokterm.circuit.network import Array
from grokterm.errors import RunError

Floats = NDArray[np.float64]


def no_frequencies(p: int) -> RunError:
    """What is raised where p is even."""
    return RunError(f"p = {p} is even; the frequencies k = 1 … (p − 1)/2 are those of an odd modulus")


def waves(p: int) -> Floats:
    """cos and sin of every frequency k = 1 … (p−1)/2 over the p residues, each of norm 1: (frequencies, 2, p), p odd.

    They are the rows 2k−1 and 2k of the basis of Nanda et al. 2023, appendix C. Raises RunError for an even p.
    """
    if p % 2 == 0:
        raise no_frequencies(p)
    x, k = np.arange(p), np.arange(1, (p + 1) // 2)
    angles = 2 * np.pi / p * ((k[:, None] * x) % p)
    each: Floats = np.stack([np.cos(angles), np.sin(angles)], axis=1) * np.sqrt(2 / p)
    return each


@lru_cache(maxsize=8)
def basis(p: int, dtype: DTypeLike = np.float64) -> Array:
    """The real orthonormal basis F (p, p): row 0 constant, rows 2k−1 and 2k the cos and sin of frequency k.

    F Fᵀ = I (Nanda et al. 2023, appendix C).
    """
    F = np.concatenate([np.full((1, p), 1 / np.sqrt(p)), waves(p).reshape(p - 1, p)]).astype(dtype)
    F.flags.writeable = False
    return F


def sum_directions(sums: NDArray[np.int64], p: int) -> Floats:
    """The sum directions c_k and s_k over all inputs, (frequencies, 2, p²): cos and sin of w_k(a ± b), each of norm 1.

    sums (p²,): the residue a ± b of every input.
    """
    directions: Floats = waves(p)[:, :, sums] / np.sqrt(p)
    return directions


@quiet
def component_norms(M: Array) -> Array:
    """L2 norm of each Fourier component, (p,): the row norms of F · M for M (p, features); p odd."""
    norms: Array = np.sqrt(np.square(basis(len(M), M.dtype) @ M).sum(axis=1))
    return norms


def paired(components: Array) -> Array:
    """Each frequency's norm, hypot of its cos and sin, (…, frequencies), of component norms (…, p); in their dtype."""
    norms: Array = np.hypot(components[..., 1::2], components[..., 2::2])
    return norms


def gini(sizes: Array) -> float:
    """Gini coefficient of non-negative sizes (n,): 0 when all are equal, towards 1 when few hold everything.

    1 − 2 Σ (x₍ᵢ₎ / ‖x‖₁)(n − i + ½) / n over ascending x₍ᵢ₎ (Hurley & Rickard 2009; Nanda et al. 2023, section 5).
    """
    ascending = np.sort(np.asarray(sizes, np.float64))
    n, total = len(ascending), ascending.sum()
    return float(1 - 2 * (ascending / total * (n - np.arange(n) - 0.5) / n).sum()) if total else 0.0


def transformed(values: Array) -> Array:
    """The 2D transform F M Fᵀ of functions of (a, b): values (p², n) in lexicographic order → (p, p, n)."""
    p = round(len(values) ** 0.5)
    F = basis(p, values.dtype)
    by_a = (F @ values.reshape(p, -1)).reshape(p, p, -1)
    both: Array = F @ by_a
    return both


COMPONENTS_AT_ONCE = 16
"""Components of a whose norms are computed together: fresh memory for all takes longer than the computing."""


def spectrum(values: Array) -> Array:
    """The L2 norm over n functions of (a, b) of each entry of their 2D transform, (p, p), each one's mean taken away.

    values (p², n), in lexicographic order.
    """
    p = round(len(values) ** 0.5)
    F = basis(p, values.dtype)
    centred = (values - values.mean(axis=0)).reshape(p, -1)
    power = np.empty((p, p), values.dtype)
    for first in range(0, p, COMPONENTS_AT_ONCE):
        some = slice(first, first + COMPONENTS_AT_ONCE)
        both = F @ (F[some] @ centred).reshape(-1, p, values.shape[1])
        power[some] = np.einsum("abn,abn->ab", both, both)
    norms: Array = np.sqrt(power)
    return norms


def sum_table(logits: Array, sums: NDArray[np.int64]) -> Floats:
    """Mean logits of all inputs that share a sum, (p, n_classes): logits (p², n_classes), sums (p²,) residues.

    Projections on cos(w_k(a+b)) and sin(w_k(a+b)) see nothing else of the logits.
    """
    p = round(len(logits) ** 0.5)
    order = np.argsort(sums, kind="stable").reshape(p, p)  # every residue has p inputs
    table: Floats = logits[order].sum(axis=1, dtype=np.float64) / p
    return table


def wave_tables(table: Floats) -> Floats:
    """P_k L for every k as a function of the sum, (frequencies, p, n_classes), from the sum table.

    P_k projects the logits over all p² inputs on the unit vectors along cos and sin of w_k(a+b) (Nanda et al. 2023,
    section 5.1 and appendix).
    """
    each = waves(len(table))
    parts: Floats = each.transpose(0, 2, 1) @ (each @ table)
    return parts
