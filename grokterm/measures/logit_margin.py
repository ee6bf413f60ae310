"""Logit margin: by how much the right answer leads the best wrong one."""

import math

from torch import Tensor

from grokterm.catalog import part


@part
def logit_margin(logits: Tensor, labels: Tensor) -> dict[str, Tensor]:
    """Least and mean over all inputs of correct − largest other logit; logits (n, n_classes), labels (n,)."""
    correct = logits.gather(1, labels[:, None])
    rival = logits.scatter(1, labels[:, None], -math.inf).amax(dim=1)
    margin = (correct[:, 0] - rival).double()
    return {"logit_margin_min": margin.min(), "logit_margin_mean": margin.mean()}
