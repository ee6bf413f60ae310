"""Cross-entropy in float32, with what it lacks: losses below 1.2e-7 are 0, and so are their gradients.

The first grokking runs were trained with it. Late in training their loss reads low and leaps up ("slingshots": Nanda
et al. 2023, appendix); softmax collapse is its extreme (Prieto et al. 2025, section 3).
"""

import torch
from torch import Tensor
from torch.nn import functional

from grokterm.catalog import part
from grokterm.engine.accuracy import accuracy


@part
def cross_entropy_float32(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Mean loss and accuracy, float64 scalars that hold float32's numbers; logits (batch, n_classes)."""
    loss = functional.cross_entropy(logits.to(torch.float32), labels)
    return loss.double(), accuracy(logits, labels)
