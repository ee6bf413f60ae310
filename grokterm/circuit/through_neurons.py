"""What the neurons of a network add to the logits, and how much of each a frequency explains, one input a at a time.

All activations at once are memory that a new process has to be given first, and its first touch may take longer than
the products. The activations at one a stay in a processor's cache from the first product to the last sum.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grokterm.circuit.frequency_shares import Marginals
from grokterm.circuit.network import Array


@dataclass(frozen=True, eq=False, slots=True)
class ThroughNeurons:
    """logits (p², n_classes): what all neurons add to them. on (d_mlp,): which are active for some input.

    fve (d_mlp, frequencies): the share of each neuron's variance that each frequency explains; None where p is even.
    """

    logits: Array
    on: NDArray[np.bool_]
    fve: Array | None


def through_neurons(neurons: Iterable[Array], W_L: Array, p: int) -> ThroughNeurons:
    """Ask all activations at once: neurons has those at each a in turn, (p, d_mlp), to be used up; W_L (p, d_mlp)."""
    classes, d_mlp = W_L.shape
    logits, reading = np.empty((p, p, classes), W_L.dtype), np.ascontiguousarray(W_L.T)
    on = np.zeros(d_mlp, dtype=bool)
    sums = Marginals(p, d_mlp, W_L.dtype) if p % 2 else None
    for a, activations in enumerate(neurons):
        np.matmul(activations, reading, out=logits[a])
        on |= activations.any(axis=0)
        if sums is not None:
            sums.add(activations)
    return ThroughNeurons(logits.reshape(p * p, classes), on, None if sums is None else sums.shares())
