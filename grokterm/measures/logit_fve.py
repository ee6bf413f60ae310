"""Logit FVE: how much of the logits is the sum of cosines that trigonometry predicts."""

import math
from functools import lru_cache

import torch
from torch import Tensor

from grokterm.catalog import part
from grokterm.engine.cross_entropy import table_cross_entropy


@part
def logit_fve(
    logits: Tensor, sum_table: Tensor, key_frequencies: Tensor, sums: Tensor, labels: Tensor
) -> dict[str, Tensor]:
    """Share of the row-centred logits in Σ_key v_k u_k, and that approximation's loss (Nanda et al. 2023, section 4.2).

    u_k is the unit cube cos(w_k(a+b−c)), v_k = ⟨L, u_k⟩ (logit_cosines, one a frequency). Rows are centred (mean over
    classes subtracted) because softmax ignores that part.
    """
    p = len(sum_table)
    cosines = unit_cosines(p, sum_table.device)
    v = p * torch.einsum("sc,ksc->k", sum_table, cosines)
    L = logits.double()
    centred = L.square().sum() - L.shape[1] * L.mean(dim=1).square().sum()
    table = torch.einsum("k,ksc->sc", v * key_frequencies, cosines)
    return {
        "logit_fve": (v * key_frequencies).square().sum() / centred,
        "logit_cosines_loss": table_cross_entropy(table, sums, labels).mean(),
        "logit_cosines": v,
    }


@lru_cache(maxsize=2)
def unit_cosines(p: int, device: torch.device) -> Tensor:
    """u_k as a function of the sum s and the class c, float64 (frequencies, p, p): √(2/p³) cos(w_k(s − c))."""
    residues = torch.arange(p, device=device)
    k = torch.arange(1, (p + 1) // 2, device=device)
    turns = ((k[:, None, None] * (residues[:, None] - residues)) % p).double()  # before any float32: v spans 1e7
    return (2 * math.pi / p * turns).cos() * math.sqrt(2 / p**3)
