"""Saliency: how much each neuron matters for the loss, and what is left without those that matter most."""

from typing import Any

from grokterm.catalog import part
from grokterm.circuit.ablations import without_top_neurons
from grokterm.circuit.circuit import Circuit
from grokterm.circuit.saliency import skewness


@part
def saliency(circuit: Circuit) -> dict[str, Any]:
    """Median over all inputs of |activation × d loss / d activation| of every neuron, (d_mlp,), and its skewness.

    loss_without_top_neurons: on all inputs, with the 1, 4, 16 and 64 most salient neurons set to zero.
    """
    return {
        "saliency": circuit.saliency,
        "saliency_skewness": skewness(circuit.saliency),
        "loss_without_top_neurons": without_top_neurons(circuit).all,
    }
