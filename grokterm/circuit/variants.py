"""Restricted and excluded losses by other definitions: edits in the neurons, and whole blocks of the 2D transform."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from grokterm.circuit.circuit import Circuit
from grokterm.circuit.diverged import quiet
from grokterm.circuit.losses import Losses, losses
from grokterm.circuit.network import Array
from grokterm.circuit.unembedding import key_directions
from grokterm.circuit.waves import basis, sum_directions

Block = Literal[2, 3]
"""2: only products of waves of a with waves of b; 3: also the waves of a alone and of b alone."""


@dataclass(frozen=True)
class NeuronLevelLosses:
    """The edit of restricted and excluded loss made in the neurons, as TransformerLens's demo of grokking does.

    restricted: the neurons keep their part along the sum directions, and each class's mean is put back.
    excluded: they lose that part. excluded_without_skip: and the skip path does not reach the logits. b_out, which is
    zero there, reaches them in neither.
    """

    restricted: Losses
    excluded: Losses
    excluded_without_skip: Losses


@dataclass(frozen=True)
class ReadLosses:
    """What the directions in which W_L reads the key frequencies are worth: neurons projected on them, and off them.

    The neurons answer alone, without the skip path and b_out. Of each, also with every class's mean put back.
    """

    onto: Losses
    onto_mean_kept: Losses
    off: Losses
    off_mean_kept: Losses


@quiet
def neuron_level_losses(circuit: Circuit) -> NeuronLevelLosses:
    """Neurons keep, or lose, their part along cos and sin of w_k(a ± b) for the key frequencies.

    Raises RunError for a task without a sum.
    """
    neurons = circuit.neurons
    directions = sum_directions(circuit.sums, circuit.p)[circuit.key_frequencies]
    directions = directions.reshape(-1, len(neurons)).astype(neurons.dtype)
    along = directions.T @ (directions @ neurons @ circuit.W_L.T)  # of rank 2 · keys: the neurons need not be edited
    kept = mean_kept(along, circuit.logits)
    without_skip = circuit.neuron_logits - along
    excluded = without_skip + (circuit.skip_logits - circuit.network.b_out @ circuit.network.W_U)
    return NeuronLevelLosses(*(losses(logits, circuit.task) for logits in (kept, excluded, without_skip)))


@quiet
def read_losses(circuit: Circuit) -> ReadLosses:
    """Neurons projected on the directions F[2k−1]·W_L and F[2k]·W_L of the key frequencies, and on all others."""
    span = np.linalg.qr(key_directions(circuit).T)[0]  # (d_mlp, 2 · keys), orthonormal
    onto = (circuit.neurons @ span) @ (circuit.W_L @ span).T
    off = circuit.neuron_logits - onto
    edits = (onto, mean_kept(onto, circuit.logits), off, mean_kept(off, circuit.logits))
    return ReadLosses(*(losses(logits, circuit.task) for logits in edits))


@quiet
def in_blocks(logits: Array, frequencies: Iterable[int], size: Block) -> Array:
    """The part of the logits (p², n) in some frequencies' blocks of the 2D transform, {2k−1, 2k}² or {0, 2k−1, 2k}².

    The constant of the latter is not part of it.
    """
    p = round(len(logits) ** 0.5)
    F = basis(p, logits.dtype)
    values = logits - logits.mean(axis=0)
    made: Array = np.zeros_like(values)
    for k in frequencies:
        rows = F[[0, 2 * k - 1, 2 * k]] if size == 3 else F[[2 * k - 1, 2 * k]]
        onto = rows.T @ rows
        by_a = (onto @ values.reshape(p, -1)).reshape(p, p, -1)
        made += (onto @ by_a).reshape(values.shape)
    return made


@quiet
def mean_kept(logits: Array, before: Array) -> Array:
    """Edited logits with each class's mean over the inputs as it was before."""
    kept: Array = logits + (before.mean(axis=0) - logits.mean(axis=0))
    return kept
