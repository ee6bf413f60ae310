"""Restricted and excluded loss by the neurons: the variant of TransformerLens's demo, beside the paper's own."""

from typing import Any

from grokterm.catalog import part
from grokterm.circuit.circuit import Circuit
from grokterm.circuit.variants import neuron_level_losses as both


@part
def neuron_level_losses(circuit: Circuit) -> dict[str, Any]:
    """Neurons keep (all inputs), or lose (train), their part along the sum directions of the key frequencies."""
    found = both(circuit)
    return {"restricted_loss_neurons": found.restricted.all, "excluded_loss_neurons": found.excluded.train}
