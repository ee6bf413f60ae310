"""Inverse participation ratio: in how few frequencies each neuron of a quadratic network lives."""

import torch
from torch import Tensor

from grokterm.catalog import part


@part
def ipr(U: Tensor, V: Tensor, W: Tensor) -> dict[str, Tensor]:
    """Per neuron the mean of Σ (|f_k| / ‖f‖)⁴ over the spectra f of its U, V (p, width) and W (width, p).

    1 for a single frequency, about 2/p for random weights (Doshi et al. 2024, section 3). ipr_mean: over the neurons
    that have weights; a neuron without any has 0.
    """
    spectra = torch.fft.rfft(torch.stack([U, V, W.T]).double(), dim=1).abs().square()  # (3, frequencies, width)
    power = spectra.sum(dim=1)
    each = torch.where(power > 0, spectra.square().sum(dim=1) / power.square(), 0.0).mean(dim=0)
    alive = (power > 0).any(dim=0)
    return {"ipr": each, "ipr_mean": each.sum() / alive.sum().clamp_min(1)}
