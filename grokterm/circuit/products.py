"""Where the products come from: how much of neurons and logits is a wave of the sum, how alike a and b are treated."""

from dataclasses import dataclass

import numpy as np

from grokterm.circuit.circuit import Circuit
from grokterm.circuit.diverged import quiet
from grokterm.circuit.network import Array
from grokterm.circuit.waves import sum_directions


@dataclass(frozen=True)
class SumShare:
    """How much of some functions of (a, b) is waves of a ± b at key frequencies: the mean share, and of all pooled."""

    mean: float
    pooled: float


@quiet
def sum_share(circuit: Circuit, values: Array) -> SumShare:
    """Share of the variance of functions (p², n) along the key sum directions c_k and s_k.

    Before the ReLU a neuron adds waves of a and of b and has next to none; the ReLU multiplies them; in the logits
    little else is left. Raises RunError for a task without a sum.
    """
    directions = sum_directions(circuit.sums, circuit.p)[circuit.key_frequencies]
    directions = directions.reshape(-1, len(values)).astype(values.dtype)
    centred = values - values.mean(axis=0)
    power = np.square(directions @ centred, dtype=np.float64).sum(axis=0)
    variance = np.einsum("xn,xn->n", centred, centred, dtype=np.float64)
    shares = np.divide(power, variance, out=np.zeros_like(power), where=variance > 0)
    total = float(variance.sum())
    return SumShare(mean=float(shares.mean()), pooled=float(power.sum()) / total if total else 0.0)


@quiet
def asymmetry(values: Array) -> float:
    """How much functions of (a, b) change when a and b are swapped: Σ (f(a, b) − f(b, a))² / Σ f², 0 for none."""
    p = round(len(values) ** 0.5)
    table = values.reshape(p, p, -1)
    total = float(np.einsum("abn,abn->", table, table, dtype=np.float64))
    change = table - table.transpose(1, 0, 2)
    return float(np.einsum("abn,abn->", change, change, dtype=np.float64)) / total if total else 0.0


def position_similarity(W_pos: Array) -> float:
    """Cosine of the angle between the embeddings of the first two positions; 1: a and b are told apart by nothing."""
    first, second = W_pos[:2].astype(np.float64)
    size = float(np.linalg.norm(first) * np.linalg.norm(second))
    return float(first @ second) / size if size else 0.0
