"""Gradient descent with momentum; weight decay is L2 regularisation, weight_decay · w added to the gradient."""

from collections.abc import Iterable

import torch
from torch.nn import Parameter
from torch.optim import Optimizer

from grokterm.catalog import part
from grokterm.values import Beta, NotNegative


@part
def sgd(
    parameters: Iterable[Parameter],
    *,
    lr: NotNegative = 0.1,
    weight_decay: NotNegative = 0.0,
    momentum: Beta = 0.9,
) -> torch.optim.Optimizer:
    """Make it for all parameters, biases included: b ← momentum · b + g, w ← w − lr · b; b begins as the first g.

    A momentum that is turned to 0 is forgotten: turned up again it begins anew.
    """
    optimizer = torch.optim.SGD(parameters, lr=lr, weight_decay=weight_decay, momentum=momentum, foreach=True)
    optimizer.register_step_pre_hook(_forget_momentum)
    return optimizer


def _forget_momentum(optimizer: Optimizer, *_: object) -> None:
    """Drop what torch would otherwise leave lying, and take up again long after."""
    for group in optimizer.param_groups:
        if not group["momentum"]:
            for weight in group["params"]:
                optimizer.state.pop(weight, None)
