"""Ablations: the loss on all inputs without one part of the network, part by part."""

from typing import Any

from grokterm.catalog import part
from grokterm.circuit.ablations import Ablation, ablated_logits, without_each_head
from grokterm.circuit.circuit import Circuit
from grokterm.circuit.losses import losses


@part
def ablations(circuit: Circuit) -> dict[str, Any]:
    """Cross-entropy on all inputs after each edit (Nanda et al. 2023, section 4.4).

    One frequency removed from the logits, (frequencies,); all but the key ones removed (the restricted loss); a head
    set to zero or to its mean, (heads,); the skip path likewise; each neuron that belongs to a frequency replaced by
    its polynomial of degree 2 there, the others as they are.
    """
    edits = {
        "loss_key_only": Ablation(keep_only=frozenset(circuit.keys)),
        "loss_without_skip": Ablation(skip=True),
        "loss_with_mean_skip": Ablation(skip=True, how="mean"),
        "loss_with_polynomials": Ablation(polynomial=True),
    }
    return {
        "loss_without_frequency": circuit.without_each_frequency.all,
        "loss_without_head": without_each_head(circuit, "zero").all,
        "loss_with_mean_head": without_each_head(circuit, "mean").all,
        **{name: losses(ablated_logits(circuit, edit), circuit.task).all for name, edit in edits.items()},
    }
