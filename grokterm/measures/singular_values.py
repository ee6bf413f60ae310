"""Singular values of the embedding: few large ones once few frequencies are left, beside those of noise."""

from typing import Any

from grokterm.catalog import part
from grokterm.circuit import embedding
from grokterm.circuit.circuit import Circuit


@part
def singular_values(circuit: Circuit) -> dict[str, Any]:
    """Of W_E without the row of `=`, uncentred, descending; and the mean ones of Gaussian matrices of its norm."""
    return {
        "W_E_singular_values": embedding.singular_values(circuit.W_E),
        "W_E_singular_values_random": embedding.random_control(circuit.W_E),
    }
