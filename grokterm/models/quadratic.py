"""The quadratic network of Gromov 2023: (U a + V b)², read out linearly; its grokked weights can be written down."""

import math
from typing import Literal

import torch
from torch import Tensor, nn

from grokterm.catalog import part
from grokterm.engine.task import Task
from grokterm.values import Count

PHASES = 8
"""Neurons of one frequency in the analytic solution: with fewer, terms other than cos w_k(a + b − c) are left over."""


@part
class Quadratic(nn.Module):
    """logits = W ((U_a + V_b)²) for tokens a, b out of p (Gromov 2023, "Grokking modular arithmetic", section 2).

    Parameters, a row a residue: U, V (p, width), W (width, p); no biases. `random` starts them normal with standard
    deviation 0.5 / (2 · width)^⅓ (Doshi et al. 2024). `analytic` starts at the solution for addition: neuron n has one
    frequency k, U = A cos(w_k a + φ), V = A cos(w_k b + ψ), W = A cos(w_k c + φ + ψ) (Gromov 2023, section 3), with
    phases that cancel everything but the answer: logits are exactly one-hot. It needs 4 (p + 1) neurons; the others
    are zero.
    """

    has_neurons = True

    def __init__(self, task: Task, *, width: Count = 500, init: Literal["random", "analytic"] = "random") -> None:
        super().__init__()
        if task.p is None or task.inputs.is_floating_point() or task.inputs.shape[1] < 2:
            raise ValueError("model.name = 'quadratic' is for pairs of residues: take task.name = 'modular'")
        p = task.p
        if init == "analytic":
            U, V, W = _analytic(p, width)
        else:
            spread = 0.5 / (2 * width) ** (1 / 3)
            U, V, W = (torch.randn(*shape) * spread for shape in ((p, width), (p, width), (width, p)))
        self.U, self.V, self.W = nn.Parameter(U), nn.Parameter(V), nn.Parameter(W)

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits (batch, p) of tokens (batch, n_ctx), of which the first two are read."""
        return self.trace(tokens)[0]

    def trace(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Logits, and the neurons' squares (batch, width)."""
        neurons = (self.U[tokens[:, 0]] + self.V[tokens[:, 1]]).square()
        return neurons @ self.W, neurons


def _analytic(p: int, width: int) -> tuple[Tensor, Tensor, Tensor]:
    """U, V, W with exactly one-hot logits, float32.

    Each neuron adds A³/2 cos w_k(a + b − c) and seven terms with phases; φ = 2πm/8, ψ = 2φ for m = 0 … 7 cancels
    those. Over all k that is A³/2 · 8 (p/2 [c = a + b] − ½); half as much of frequency 0 fills the ½ up.
    """
    frequencies = (p - 1) // 2
    needed = PHASES * (frequencies + 1)
    if width < needed:
        raise ValueError(f"width = {width} is too narrow for the analytic solution mod {p}: it needs {needed} neurons")
    A = (4 / (PHASES * p)) ** (1 / 3)
    k = torch.arange(frequencies + 1, dtype=torch.float64).repeat_interleave(PHASES)
    phi = (2 * math.pi / PHASES * torch.arange(PHASES, dtype=torch.float64)).repeat(frequencies + 1)
    angles = 2 * math.pi / p * torch.arange(p, dtype=torch.float64)[:, None] * k  # (p, needed)
    U, V, W = torch.zeros(p, width), torch.zeros(p, width), torch.zeros(width, p)
    U[:, :needed], V[:, :needed] = A * torch.cos(angles + phi), A * torch.cos(angles + 2 * phi)
    read = A * torch.cos(angles + 3 * phi)
    read[:, :PHASES] /= 2
    W[:needed] = read.T
    return U, V, W
