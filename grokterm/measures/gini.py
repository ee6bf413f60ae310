"""Gini coefficients of the Fourier norms: they rise as few frequencies take over."""

from torch import Tensor

from grokterm import fourier
from grokterm.catalog import part


@part
def gini(token_embedding: Tensor, neuron_to_logit: Tensor, fourier_basis: Tensor) -> dict[str, Tensor]:
    """Gini of the p norms (not of their squares) of F · W_E and of F · W_L (Nanda et al. 2023, section 5.1)."""
    return {
        "gini_embedding": fourier.gini(fourier.component_norms(fourier_basis, token_embedding)),
        "gini_unembedding": fourier.gini(fourier.component_norms(fourier_basis, neuron_to_logit)),
    }
