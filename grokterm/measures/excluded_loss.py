"""Excluded loss: the training loss without the key frequencies. Memorisation would survive that, the circuit not."""

import math

import torch
from torch import Tensor

from grokterm.catalog import part
from grokterm.circuit.losses import SMALLEST_TOTAL
from grokterm.engine.cross_entropy import cross_entropy


@part
def excluded_loss(
    logits: Tensor, wave_tables: Tensor, key_frequencies: Tensor, sums: Tensor, labels: Tensor, train: Tensor
) -> dict[str, Tensor]:
    """Cross-entropy on train of L − Σ_key P_k L, projections fitted on all inputs (Nanda et al. 2023, section 5.1).

    excluded_loss_k: the same with one frequency removed, (frequencies,); excluded_loss_max: the largest of those, which
    needs no key frequencies. No mean is put back here.
    """
    L, y, s = logits[train].double(), labels[train], sums[train]
    key = wave_tables[key_frequencies].sum(dim=0)
    single = without_each_wave(L, wave_tables, s, y)
    return {
        "excluded_loss": cross_entropy(L - key[s], y)[0],
        "excluded_loss_max": single.max(),
        "excluded_loss_k": single,
    }


def without_each_wave(L: Tensor, wave_tables: Tensor, sums: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy of L − P_k L for every k, float64 (frequencies,); L float64 (n, n_classes).

    P_k L depends on the sum alone, so Σ_c e^{L − P_k L} is a product of the n × n_classes exponentials of L with one
    table of exponentials a sum: two exponentials where the definition has one for every k.
    """
    p = wave_tables.shape[1]
    order = sums.argsort()
    counts = torch.bincount(sums, minlength=p)
    place = torch.arange(len(sums), device=L.device) - (counts.cumsum(0) - counts)[sums[order]]
    highest = L.amax(dim=1, keepdim=True)
    by_sum = L.new_zeros(p, int(counts.max()), L.shape[1])  # (p, inputs of that sum, classes), padded with zeros
    by_sum[sums[order], place] = (L - highest).exp()[order]
    removed = -wave_tables.transpose(0, 1)  # (p, frequencies, classes)
    lift = removed.amax(dim=2, keepdim=True)
    totals = by_sum @ (removed - lift).exp().transpose(1, 2)  # (p, inputs, frequencies)
    log_totals = L.new_empty(len(sums), wave_tables.shape[0])
    totals = torch.where(totals > SMALLEST_TOTAL, totals, math.nan)
    log_totals[order] = totals[sums[order], place].log() + lift[sums[order], :, 0]
    correct = L.gather(1, labels[:, None]) - wave_tables[:, sums, labels].T  # (n, frequencies)
    losses = (log_totals + highest - correct).mean(dim=0)
    for k in (~losses.isfinite()).nonzero()[:, 0]:  # logits hundreds apart: the product underflowed
        losses[k] = cross_entropy(L - wave_tables[k][sums], labels)[0]
    return losses
