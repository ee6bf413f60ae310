"""Softmax collapse: how much of the training data a float32 softmax is so sure of that it learns nothing from it."""

import torch
from torch import Tensor

from grokterm.catalog import part


@part
def softmax_collapse(logits: Tensor, labels: Tensor, train: Tensor) -> Tensor:
    """Share of training rows whose right class has a probability of exactly 1 in float32: Σ e^(z − max z) = 1.

    logits (n, n_classes), labels (n,), train: row numbers. Prieto et al. 2025, section 3.
    """
    z = logits[train].to(torch.float32)
    highest, guess = z.max(dim=1, keepdim=True)
    collapsed = (z - highest).exp().sum(dim=1) == 1
    return (collapsed & (guess[:, 0] == labels[train])).double().mean()
