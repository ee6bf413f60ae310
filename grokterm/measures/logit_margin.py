"""Logit margin: by how much the right answer leads the best wrong one."""

from torch import Tensor

from grokterm.catalog import part


@part
def logit_margin(logits: Tensor, labels: Tensor) -> dict[str, Tensor]:
    """Least and mean margin over all inputs: correct logit − largest other logit; logits (n, n_classes), labels (n,)."""
    best, second = logits.topk(2, dim=1).values.unbind(dim=1)
    correct = logits.gather(1, labels[:, None])[:, 0]
    rival = second.where(correct >= best, best)
    margin = (correct - rival).double()
    return {"logit_margin_min": margin.min(), "logit_margin_mean": margin.mean()}
