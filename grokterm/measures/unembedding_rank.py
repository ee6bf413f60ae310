"""Rank of the neuron-to-logit map: how little W_L has besides two directions for each key frequency."""

from typing import Any

from grokterm.catalog import part
from grokterm.circuit.circuit import Circuit
from grokterm.circuit.embedding import singular_values
from grokterm.circuit.unembedding import residual


@part
def unembedding_rank(circuit: Circuit) -> dict[str, Any]:
    """‖W_L − F_keyᵀ F_key W_L‖ / ‖W_L‖, its square, and W_L's singular values (Nanda et al. 2023, section 4.2)."""
    found = residual(circuit.W_L, circuit.key_frequencies)
    return {
        "W_L_residual": found.ratio,
        "W_L_residual_sq": found.squared,
        "W_L_singular_values": singular_values(circuit.W_L),
    }
