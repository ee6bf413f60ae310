"""AdamW on a sphere: all weights together keep one norm; `pinned_norm`, the radius, is turned while training runs."""

from collections.abc import Iterable

import torch
from torch.nn import Parameter

from grokterm.catalog import part
from grokterm.optimizers.around.pinned_norm import pin
from grokterm.values import Beta, NotNegative, Positive


@part
def pinned_norm(
    parameters: Iterable[Parameter],
    *,
    lr: NotNegative = 1e-3,
    weight_decay: NotNegative = 0.0,
    betas: tuple[Beta, Beta] = (0.9, 0.98),
    eps: Positive = 1e-8,
    pinned_norm: NotNegative = 0.0,
) -> torch.optim.Optimizer:
    """Make it for all parameters (Liu et al. 2023, Omnigrok; the values of their code).

    pinned_norm: the L2 norm that all weights together have after every step, the square root of weight_norm_sq; 0 lets
    them go where they go, and the step is AdamW's own.
    """
    groups = [{"params": list(parameters), "pinned_norm": pinned_norm}]
    optimizer = torch.optim.AdamW(groups, lr=lr, weight_decay=weight_decay, betas=betas, eps=eps, fused=True)
    optimizer.register_step_post_hook(pin)
    return optimizer
