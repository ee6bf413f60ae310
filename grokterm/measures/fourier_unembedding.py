"""Fourier norms of the neuron-to-logit map: which frequencies the network reads its answer from."""

from torch import Tensor

from grokterm.catalog import part
from grokterm.fourier import component_norms


@part
def fourier_unembedding(neuron_to_logit: Tensor, fourier_basis: Tensor) -> Tensor:
    """L2 norm of each row of F · W_L, (p,), W_L = W_U · W_out (Nanda et al. 2023, section 4.1, figure 3)."""
    return component_norms(fourier_basis, neuron_to_logit)
