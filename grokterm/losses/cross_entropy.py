"""Cross-entropy in float64, whatever the logits' own precision: the loss of every preset that names no other."""

from torch import Tensor

from grokterm.catalog import part
from grokterm.engine import cross_entropy as exact


@part
def cross_entropy(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Mean loss and accuracy, float64 scalars, of logits (batch, n_classes) and labels int64 (batch,)."""
    return exact.cross_entropy(logits, labels)
