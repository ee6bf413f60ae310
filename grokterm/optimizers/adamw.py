"""AdamW: Adam with decoupled weight decay, w ← w (1 − lr · weight_decay) at every step."""

from collections.abc import Iterable

import torch
from torch.nn import Parameter

from grokterm.catalog import part
from grokterm.values import Beta, NotNegative, Positive


@part
def adamw(
    parameters: Iterable[Parameter],
    *,
    lr: NotNegative = 1e-3,
    weight_decay: NotNegative = 1.0,
    betas: tuple[Beta, Beta] = (0.9, 0.98),
    eps: Positive = 1e-8,
) -> torch.optim.Optimizer:
    """Make it for all parameters, biases included (Loshchilov & Hutter 2019; the values of Nanda et al. 2023)."""
    return torch.optim.AdamW(parameters, lr=lr, weight_decay=weight_decay, betas=betas, eps=eps, fused=True)
