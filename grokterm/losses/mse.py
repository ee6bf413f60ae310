"""Mean squared error to the one-hot label, over inputs and classes alike (Gromov 2023; Liu et al. 2023)."""

import torch
from torch import Tensor

from grokterm.catalog import part
from grokterm.engine.accuracy import accuracy


@part
def mse(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Mean loss and accuracy, float64 scalars, of outputs (batch, n_classes) and labels int64 (batch,).

    The errors are computed in float64: Σ (out − one-hot)² = Σ out² − 2 out[label] + 1, without the ones and zeros.
    """
    out = logits.to(torch.float64)
    squares = out.square().sum(dim=1) - 2 * out.gather(1, labels[:, None])[:, 0] + 1
    return squares.mean() / logits.shape[1], accuracy(logits, labels)
