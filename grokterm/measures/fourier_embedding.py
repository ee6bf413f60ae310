"""Fourier norms of the embedding: a circle of frequency k shows as two tall components, cos and sin."""

from torch import Tensor

from grokterm.catalog import part
from grokterm.fourier import component_norms


@part
def fourier_embedding(token_embedding: Tensor, fourier_basis: Tensor) -> Tensor:
    """L2 norm of each row of F · W_E, (p,): constant, cos 1, sin 1, cos 2 … (Nanda et al. 2023, section 4.1)."""
    return component_norms(fourier_basis, token_embedding)
