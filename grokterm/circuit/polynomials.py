"""Neurons as polynomials: what the circuit needs of a ReLU is its part of degree 2 in the waves of one frequency."""

import numpy as np
from numpy.typing import NDArray

from grokterm.circuit.network import Array
from grokterm.circuit.waves import basis


def polynomials(neurons: Array, frequencies: NDArray[np.int64]) -> Array:
    """Each neuron's part of degree 2 at its frequency, (p², n): 1, cos and sin of w_k a, of w_k b, and their products.

    neurons (p², n), p odd; frequencies (n,): k of each, 0 for one that stays as it is. Nanda et al. 2023, section 4.3.
    """
    p = round(len(neurons) ** 0.5)
    F, each = basis(p, neurons.dtype), np.unique(frequencies[frequencies > 0])
    rows = F[np.stack([0 * each, 2 * each - 1, 2 * each], axis=1)]  # (k, 3, p)
    products = np.einsum("kia,kjb->kijab", rows, rows).reshape(9 * len(each), p * p)  # each k's nine are orthonormal
    parts = products @ neurons
    parts *= np.repeat(each, 9)[:, None] == frequencies
    made: Array = products.T @ parts
    made[:, frequencies == 0] = neurons[:, frequencies == 0]
    return made
