"""Cross-entropy in float64, whatever the logits' own precision.

float32 log-softmax cannot represent losses under about 1.2e-7: late in training it reads up to 40 % low and its
gradient vanishes, which causes slingshots (Nanda et al. 2023, appendix; Prieto et al. 2025).
"""

from typing import Any

import torch
from torch import Tensor


def cross_entropy(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Mean cross-entropy (float64 scalar, differentiable) and accuracy (share of argmax = label, float64 scalar).

    logits (batch, n_classes) in any float type, cast to float64 first; labels int64 (batch,).
    """
    loss, accuracy = _CrossEntropy.apply(logits, labels)  # type: ignore[no-untyped-call]
    return loss, accuracy


def table_cross_entropy(table: Tensor, rows: Tensor, labels: Tensor) -> Tensor:
    """Each input's cross-entropy, float64 (n,), when its logits are row `rows[i]` of a table (p, n_classes)."""
    return -table.to(torch.float64).log_softmax(dim=1)[rows, labels]


class _CrossEntropy(torch.autograd.Function):
    """One pass over the exponentials serves the loss and its gradient: softmax − one-hot, over the batch size."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        highest, guess = logits.max(dim=1, keepdim=True)  # a maximum is exact in any precision
        shifted = logits.to(torch.float64, copy=True)
        shifted -= highest
        correct = shifted.gather(1, labels[:, None])
        exponentials = shifted.exp_()
        total = exponentials.sum(dim=1, keepdim=True)
        loss = (total.log() - correct).mean()
        right = (guess[:, 0] == labels) & ~highest[:, 0].isnan()  # a row of NaN guesses nothing
        accuracy = right.to(torch.float64).mean()
        ctx.save_for_backward(exponentials, total, labels)
        ctx.dtype = logits.dtype
        ctx.mark_non_differentiable(accuracy)
        return loss, accuracy

    @staticmethod
    def backward(ctx: Any, d_loss: Tensor, _: Tensor) -> tuple[Tensor, None]:
        exponentials, total, labels = ctx.saved_tensors
        share = d_loss / len(labels)
        gradient = exponentials.mul_(share / total)  # in place: nobody else holds them
        gradient.scatter_add_(1, labels[:, None], (-share).expand(len(labels), 1))
        return gradient.to(ctx.dtype), None
