"""Saliency: how much the loss of most inputs would change without a neuron, to first order."""

import numpy as np
from numpy.typing import NDArray

from grokterm.circuit.diverged import quiet
from grokterm.circuit.network import Array

AT_ONCE = 256
"""Inputs whose numbers are turned into columns together: half a megabyte in float32, which fits a processor's cache."""


@quiet
def saliency(logits: Array, labels: NDArray[np.int64], neurons: Array, W_L: Array) -> Array:
    """Per neuron the median over all inputs of |activation × d loss / d activation|, (d_mlp,).

    logits (n, n_classes), labels (n,), neurons (n, d_mlp), W_L (n_classes, d_mlp). The loss is each input's own
    cross-entropy. The median of a neuron that is off for more than half of the inputs is 0.
    """
    gradients = logit_gradients(logits, labels)
    effects = np.empty(neurons.shape[::-1], neurons.dtype)  # a row a neuron: a median's numbers lie side by side
    for first in range(0, len(neurons), AT_ONCE):
        rows = slice(first, first + AT_ONCE)
        effects[:, rows] = np.abs(gradients[rows] @ W_L * neurons[rows]).T
    medians: Array = np.array([_median(each) for each in effects], neurons.dtype)
    return medians


def _median(values: Array) -> float:
    """Of values ≥ 0, many of which are 0: a selection among the others takes a third of the time."""
    positive = values[values != 0]
    place = len(values) // 2 - (len(values) - len(positive))
    if place < 0:
        return 0.0
    selected = np.partition(positive, place)
    upper = selected[place]
    lower = upper if len(values) % 2 else selected[:place].max(initial=0)
    return float(lower + upper) / 2


@quiet
def logit_gradients(logits: Array, labels: NDArray[np.int64]) -> Array:
    """Softmax minus the right answer's 1, (n, n_classes); exact where the network is sure, as no 1 − 1 is computed."""
    gradients: Array = logits - logits.max(axis=1, keepdims=True)
    np.exp(gradients, out=gradients)
    gradients /= gradients.sum(axis=1, keepdims=True)
    rows = np.arange(len(labels))
    gradients[rows, labels] = 0
    gradients[rows, labels] = -gradients.sum(axis=1)
    return gradients


@quiet
def skewness(values: Array) -> float:
    """The third standardised moment; 0 where all are equal."""
    centred = np.asarray(values, np.float64) - np.mean(values, dtype=np.float64)
    variance = np.square(centred).mean()
    return float((centred**3).mean() / variance**1.5) if variance > 0 else 0.0
