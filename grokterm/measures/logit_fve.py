"""Logit FVE: how much of the logits is the sum of cosines that trigonometry predicts."""

import math

from torch import Tensor

from grokterm import fourier
from grokterm.catalog import part
from grokterm.engine.cross_entropy import table_cross_entropy


@part
def logit_fve(
    logits: Tensor, sum_table: Tensor, key_frequencies: Tensor, sums: Tensor, labels: Tensor
) -> dict[str, Tensor]:
    """Share of the row-centred logits in Σ_key v_k u_k, and that approximation's loss (Nanda et al. 2023, section 4.2).

    u_k is the unit cube cos(w_k(a+b−c)), v_k = ⟨L, u_k⟩ (logit_cosines, one a frequency). Rows are centred (mean over
    classes subtracted) because softmax ignores that part. As cos(w_k(s − c)) = cos·cos + sin·sin, products with rows of
    the basis serve for all u_k; float64, since the v_k span seven orders of magnitude.
    """
    p = len(sum_table)
    waves = fourier.basis(p, device=sum_table.device)[1:]
    by_wave = (waves @ sum_table * waves).sum(dim=1).view(-1, 2)  # (frequencies, cos and sin)
    v = math.sqrt(p / 2) * by_wave.sum(dim=1)
    L = logits.double()
    centred = L.square().sum() - L.shape[1] * L.mean(dim=1).square().sum()
    key_waves = waves[key_frequencies.repeat_interleave(2)]
    table = (key_waves.T * v[key_frequencies].repeat_interleave(2)) @ key_waves / math.sqrt(2 * p)
    return {
        "logit_fve": (v * key_frequencies).square().sum() / centred,
        "logit_cosines_loss": table_cross_entropy(table, sums, labels).mean(),
        "logit_cosines": v,
    }
