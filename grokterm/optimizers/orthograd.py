"""AdamW with OrthoGrad: gradients are turned orthogonal to the weights; `orthograd` switches it while training runs."""

from collections.abc import Iterable

import torch
from torch.nn import Parameter

from grokterm.catalog import part
from grokterm.optimizers.around.orthograd import turn_gradients
from grokterm.values import Beta, NotNegative, OnOff, Positive


@part
def orthograd(
    parameters: Iterable[Parameter],
    *,
    lr: NotNegative = 1e-2,
    weight_decay: NotNegative = 0.0,
    betas: tuple[Beta, Beta] = (0.9, 0.99),
    eps: Positive = 1e-25,
    orthograd: OnOff = 1,
) -> torch.optim.Optimizer:
    """Make it for all parameters (Prieto et al. 2025; the values of their code). With `orthograd` 0 it is AdamW."""
    groups = [{"params": list(parameters), "orthograd": orthograd}]
    optimizer = torch.optim.AdamW(groups, lr=lr, weight_decay=weight_decay, betas=betas, eps=eps, fused=True)
    optimizer.register_step_pre_hook(turn_gradients)
    return optimizer
