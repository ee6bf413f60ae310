"""Weights on a sphere: after every step all of them are scaled by one factor, so that their total norm stays.

Liu, Michaud & Tegmark, "Omnigrok: Grokking Beyond Algorithmic Data" (2023), section 2: the loss as a function of the
weights' norm, and training without grokking on the right sphere.
"""

import torch
from torch.optim import Optimizer


@torch.no_grad()
def pin(optimizer: Optimizer, *_: object) -> None:
    """Scale all weights so that the L2 norm of them together is `pinned_norm`, where that is not 0; after the step.

    Weights that are all zero, or not all finite, stay as they are: no factor helps them.
    """
    pinned = optimizer.param_groups[0]["pinned_norm"]
    if not pinned:
        return
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    norms = [torch.linalg.vector_norm(weight, dtype=torch.float64) for weight in weights]
    norm = torch.linalg.vector_norm(torch.stack(norms))
    factor = torch.where((norm > 0) & norm.isfinite(), pinned / norm, 1.0)
    for weight in weights:
        weight.mul_(factor)
