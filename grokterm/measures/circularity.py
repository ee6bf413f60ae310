"""Circularity: whether the tokens lie on a circle in the plane of the embedding's first two principal components."""

from typing import Any

from grokterm.catalog import part
from grokterm.circuit import embedding
from grokterm.circuit.circuit import Circuit


@part
def circularity(circuit: Circuit) -> dict[str, Any]:
    """Power of the first two principal components on one frequency, 0 … 1, and which frequency (Liu et al. 2022)."""
    found = embedding.circularity(embedding.principal_components(circuit.W_E))
    return {"circularity": found.power, "circularity_frequency": found.frequency}
