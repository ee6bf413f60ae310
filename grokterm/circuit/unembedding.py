"""The neuron-to-logit map W_L: that it has hardly more than the key frequencies, and what they read."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grokterm.circuit.circuit import Circuit
from grokterm.circuit.diverged import quiet
from grokterm.circuit.network import Array
from grokterm.circuit.waves import Floats, basis, sum_directions


@dataclass(frozen=True)
class Residual:
    """What W_L has outside the key frequencies: ‖W_L − F_keyᵀ F_key W_L‖ / ‖W_L‖, and its square; 0 for W_L = 0."""

    ratio: float
    squared: float


@dataclass(frozen=True, eq=False)
class KeyShares:
    """How purely the network computes cos and sin of the sum at each frequency, (frequencies,); 0 where not key.

    W_L reads one function of (a, b) from the neurons along cos(w_k c), another one along sin(w_k c). cos: the share of
    the first one's variance along cos(w_k(a ± b)); sin: of the second one's along sin(w_k(a ± b)). cos_both, sin_both:
    the shares along the two directions together, whatever the phase.
    """

    cos: Floats
    sin: Floats
    cos_both: Floats
    sin_both: Floats


@quiet
def residual(W_L: Array, key_frequencies: NDArray[np.bool_]) -> Residual:
    """How far W_L (p, d_mlp) is from the rank that the key frequencies give it (Nanda et al. 2023, section 4.2)."""
    power = np.square(basis(len(W_L)) @ W_L).sum(axis=1)
    inside = np.concatenate([[False], np.repeat(key_frequencies, 2)])
    total = float(power.sum())
    squared = float(power[~inside].sum()) / total if total else 0.0
    return Residual(ratio=float(np.sqrt(squared)), squared=squared)


@quiet
def key_directions(circuit: Circuit) -> Array:
    """F[2k−1]·W_L and F[2k]·W_L of each key frequency k, (2 · keys, d_mlp): how W_L reads neurons along its waves."""
    rows = basis(circuit.p, circuit.W_L.dtype)[1:].reshape(-1, 2, circuit.p)[circuit.key_frequencies]
    directions: Array = rows.reshape(-1, circuit.p) @ circuit.W_L
    return directions


def read_by_keys(circuit: Circuit) -> Array:
    """What W_L reads from the neurons along cos(w_k c) and sin(w_k c) of each key frequency, (p², keys, 2)."""
    read: Array = circuit.neurons @ key_directions(circuit).T
    return read.reshape(len(read), -1, 2)


@quiet
def key_shares(circuit: Circuit) -> KeyShares:
    """How much of what each key frequency's directions of W_L read is a wave of the sum.

    Nanda et al. 2023, section 4.3, table 1. Raises RunError for a task without a sum.
    """
    key = np.flatnonzero(circuit.key_frequencies)
    read = read_by_keys(circuit).astype(np.float64)
    read -= read.mean(axis=0)
    directions = sum_directions(circuit.sums, circuit.p)[key]  # (keys, cos and sin, p²)
    along = np.square(directions @ read.transpose(1, 0, 2))  # (keys, cos and sin of the sum, cos and sin of c)
    variance = np.square(read).sum(axis=0)[:, None]
    shares = np.divide(along, variance, out=np.zeros_like(along), where=variance > 0)
    found = np.zeros((len(circuit.key_frequencies), 4))
    found[key] = np.stack(
        [shares[:, 0, 0], shares[:, 1, 1], shares[:, :, 0].sum(axis=1), shares[:, :, 1].sum(axis=1)], axis=1
    )
    return KeyShares(*found.T)
