"""StableMax cross-entropy: a softmax whose exponential is replaced by a function that cannot overflow or vanish.

s(x) = x + 1 for x ≥ 0, 1 / (1 − x) below; the loss is −log (s(z_y) / Σ s(z)) (Prieto et al. 2025, section 4).
"""

import torch
from torch import Tensor

from grokterm.catalog import part
from grokterm.engine.accuracy import accuracy


@part
def stablemax(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Mean loss and accuracy, float64 scalars, of logits (batch, n_classes) and labels int64 (batch,)."""
    z = logits.to(torch.float64)
    s = torch.where(z >= 0, z + 1, 1 / (1 - z.clamp_max(0)))
    loss = s.sum(dim=1).log() - s.gather(1, labels[:, None])[:, 0].log()
    return loss.mean(), accuracy(logits, labels)
