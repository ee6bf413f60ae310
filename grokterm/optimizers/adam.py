"""Adam, whose weight decay is L2 regularisation: weight_decay · w is added to the gradient, and divided like it.

A weight decay is worth something else here than with AdamW, where it does not pass through the moments.
"""

from collections.abc import Iterable

import torch
from torch.nn import Parameter

from grokterm.catalog import part
from grokterm.values import Beta, NotNegative, Positive


@part
def adam(
    parameters: Iterable[Parameter],
    *,
    lr: NotNegative = 1e-3,
    weight_decay: NotNegative = 0.0,
    betas: tuple[Beta, Beta] = (0.9, 0.98),
    eps: Positive = 1e-8,
) -> torch.optim.Optimizer:
    """Make it for all parameters, biases included (Kingma & Ba 2015)."""
    return torch.optim.Adam(parameters, lr=lr, weight_decay=weight_decay, betas=betas, eps=eps, fused=True)
