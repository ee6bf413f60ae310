"""The discrete Fourier basis on Z_p and what the grokking papers compute with it; frequencies are k = 1 … (p−1)/2."""

import math
from functools import lru_cache

import torch
from torch import Tensor


@lru_cache(maxsize=4)
def basis(p: int, *, dtype: torch.dtype = torch.float64, device: torch.device | None = None) -> Tensor:
    """The real orthonormal Fourier basis F of R^p for odd p, (p, p): F Fᵀ = I (Nanda et al. 2023, appendix C).

    Row 0 is constant; rows 2k−1 and 2k are cos(2πkx/p) and sin(2πkx/p), each divided by its norm √(p/2).
    """
    x = torch.arange(p, dtype=torch.float64)
    k = torch.arange(1, (p + 1) // 2, dtype=torch.float64)
    angles = 2 * math.pi / p * ((k[:, None] * x) % p)  # (frequencies, p)
    waves = torch.stack([angles.cos(), angles.sin()], dim=1).reshape(p - 1, p) * math.sqrt(2 / p)
    return torch.cat([torch.full((1, p), 1 / math.sqrt(p), dtype=torch.float64), waves]).to(device, dtype)


def component_norms(F: Tensor, M: Tensor) -> Tensor:
    """L2 norm of each Fourier component, (p,): the row norms of F · M for M (p, features)."""
    norms: Tensor = torch.linalg.vector_norm(F @ M, dim=1)
    return norms


def gini(sizes: Tensor) -> Tensor:
    """Gini coefficient of non-negative sizes (n,): 0 when all are equal, towards 1 when few hold everything.

    1 − 2 Σ (x₍ᵢ₎ / ‖x‖₁)(n − i + ½) / n over ascending x₍ᵢ₎ (Hurley & Rickard 2009; Nanda et al. 2023, section 5).
    """
    n = len(sizes)
    ranks = torch.arange(1, n + 1, dtype=torch.float64, device=sizes.device)
    ascending = sizes.to(torch.float64).sort().values
    return 1 - 2 * (ascending / ascending.sum() * (n - ranks + 0.5) / n).sum()


def neuron_fve(neurons: Tensor, F: Tensor) -> Tensor:
    """How much of each neuron's variance over all (a, b) one frequency explains, (d_mlp, frequencies).

    neurons (p², d_mlp) in lexicographic order of (a, b), F (p, p). Each neuron is centred and transformed in a and b;
    the squares of the eight non-constant entries of the block {0, 2k−1, 2k}² over the total (Nanda et al. 2023,
    section 4.2). A neuron without variance, or with no more than its mean's rounding, explains nothing: zeros.
    """
    p, d_mlp = len(F), neurons.shape[1]
    frequencies = (p - 1) // 2
    mean = neurons.mean(dim=0)
    centred = neurons - mean  # first: in float32 a large mean would drown a small wave
    by_a = (F @ centred.view(p, p * d_mlp)).view(p, p, d_mlp)  # rows: component of a; columns: b
    constant_a = F @ by_a[0]  # (p, d_mlp): component 0 of a, every component of b
    waves_a = by_a[1:].view(frequencies, 2, p, d_mlp)
    blocks_b = torch.cat([F[:1].expand(frequencies, 1, p), F[1:].view(frequencies, 2, p)], dim=1)  # (frequencies, 3, p)
    block = blocks_b[:, None] @ waves_a  # (frequencies, cos and sin of a, constant, cos and sin of b, d_mlp)
    explained = block.square().sum(dim=(1, 2)) + constant_a[1:].view(frequencies, 2, d_mlp).square().sum(dim=1)
    total = centred.square().sum(dim=0) - constant_a[0].square()  # less what rounding left of the mean
    rounding = (p * torch.finfo(mean.dtype).eps * mean).square()
    return torch.where(total > rounding, explained / total, 0).clamp_(0, 1).T


def sum_table(logits: Tensor, sums: Tensor, p: int) -> Tensor:
    """Mean logits of all inputs that share a sum, float64 (p, n_classes): logits (p², n_classes), sums (p²,) residues.

    Projections on cos(w_k(a+b)) and sin(w_k(a+b)) see nothing else of the logits.
    """
    table = torch.zeros(p, logits.shape[1], dtype=torch.float64, device=logits.device)
    return table.index_add_(0, sums, logits.to(torch.float64)) / p


def wave_tables(table: Tensor, F: Tensor) -> Tensor:
    """P_k L for every k as a function of the sum, float64 (frequencies, p, n_classes), from the sum table; F float64.

    P_k projects the logits over all p² inputs on the unit vectors along cos and sin of w_k(a+b): rows 2k−1 and 2k of
    the basis taken at a+b (Nanda et al. 2023, section 5.1 and appendix).
    """
    p = len(F)
    waves = F[1:].view((p - 1) // 2, 2, p)
    return torch.einsum("ksx,ksc->kxc", waves, waves @ table)
