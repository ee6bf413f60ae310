"""Principal components of the embedding: circles show as pairs of like size."""

from typing import Any

from grokterm.catalog import part
from grokterm.circuit import embedding
from grokterm.circuit.circuit import Circuit


@part
def principal_components(circuit: Circuit) -> dict[str, Any]:
    """Share of W_E's variance over the tokens that each component explains, descending (Liu et al. 2022)."""
    return {"embedding_components": embedding.principal_components(circuit.W_E).shares}
