"""Adam with Grokfast: the slow part of the gradient counts more; `grokfast`, its λ, is turned while training runs."""

from collections.abc import Iterable
from typing import Literal

import torch
from torch.nn import Parameter

from grokterm.catalog import part
from grokterm.optimizers.around.grokfast import Grokfast
from grokterm.values import Beta, NotNegative, Positive, Window


@part
def grokfast(
    parameters: Iterable[Parameter],
    *,
    lr: NotNegative = 1e-3,
    weight_decay: NotNegative = 0.005,
    weight_decay_kind: Literal["l2", "decoupled"] = "l2",
    betas: tuple[Beta, Beta] = (0.9, 0.98),
    eps: Positive = 1e-8,
    grokfast: NotNegative = 2.0,
    grokfast_alpha: Beta = 0.98,
    grokfast_window: Window = 0,
) -> torch.optim.Optimizer:
    """Make it for all parameters (Lee et al. 2024; the values of their code's fastest run with a running average).

    weight_decay_kind: "l2" is Adam, as in the paper, "decoupled" is AdamW. grokfast: λ; 0 switches it off and forgets
    the gradients, and the step is Adam's own. grokfast_alpha: of the running average. grokfast_window: 0 for the
    running average, or the number of gradients in the queue of the moving-average form, each a copy of the weights
    in memory and in every full checkpoint.
    """
    groups = [
        {
            "params": list(parameters),
            "grokfast": grokfast,
            "grokfast_alpha": grokfast_alpha,
            "grokfast_window": grokfast_window,
        }
    ]
    kind = torch.optim.Adam if weight_decay_kind == "l2" else torch.optim.AdamW
    optimizer = kind(groups, lr=lr, weight_decay=weight_decay, betas=betas, eps=eps, fused=True)
    hooks = Grokfast()
    optimizer.register_step_pre_hook(hooks.before)
    optimizer.register_step_post_hook(hooks.after)
    return optimizer
