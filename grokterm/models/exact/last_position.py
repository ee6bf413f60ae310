"""The same one-layer transformer, computed only as far as its last position is read.

Three exact identities carry it; the reference stands in `models/transformer.py` and the tests hold the two together.

1. Where every input ends in the same token, the query is one vector per head, and keys, values and scores depend on
   (position, token) alone. With s_t the score of table row t and V_t its value, attention gives
   z = Σ e^{s_t} V_t / Σ e^{s_t} over the tokens of an input: rows of one table [e^s V, e^s] added up, one division.
2. Nothing reads the residual stream after attention but two linear maps, so W_O W_in, W_O W_U and W_out W_U are
   multiplied once a step instead of once an input: logits = [neurons, z, 1] · [W_out; W_O; bias] W_U.
3. A column of ones behind z makes the biases a row of those products, and their gradients too.

An input then costs 138 k multiplications instead of 162 k for the plain last position and 556 k for all three. The
part that is done once an input has a gradient written by hand; autograd differentiates the small rest.
"""

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

WIDEST_SCORES = 60.0
"""Scores further apart than this could underflow in e^s (float32 ends at e^-87): the reference takes over then."""


def last_position(
    tokens: Tensor,
    last_token: int,
    *,
    W_E: Tensor,
    W_pos: Tensor,
    W_Q: Tensor,
    W_K: Tensor,
    W_V: Tensor,
    W_O: Tensor,
    W_in: Tensor,
    b_in: Tensor,
    W_out: Tensor,
    b_out: Tensor,
    W_U: Tensor,
) -> tuple[Tensor, Tensor] | None:
    """Logits (batch, n_classes), neurons (batch, d_mlp) of tokens (batch, n_ctx); None where scores spread too far."""
    n_tokens, d_model = W_E.shape
    n_heads, _, d_head = W_Q.shape
    before = tokens.shape[1] - 1  # positions before the last
    last = W_E[last_token] + W_pos[-1]
    x = torch.cat([(W_E + W_pos[:before, None]).reshape(-1, d_model), last[None]])  # (before · n_tokens + 1, d_model)

    query = (last @ W_Q.transpose(0, 1).reshape(d_model, -1)).view(n_heads, d_head, 1) / math.sqrt(d_head)
    scores = x @ torch.bmm(W_K, query)[..., 0].T  # (rows, n_heads)
    highest = scores.detach().amax(dim=0)
    if not (highest - scores.detach().amin(dim=0)).max() < WIDEST_SCORES:
        return None
    weights = torch.exp(scores - highest)
    values = (x @ W_V.transpose(0, 1).reshape(d_model, -1)).view(-1, n_heads, d_head)
    table = torch.cat([(values * weights[..., None]).flatten(1), weights], dim=1)  # (rows, n_heads · d_head + n_heads)

    heads_out = W_O.flatten(0, 1)  # (n_heads · d_head, d_model)
    to_neurons = torch.cat([heads_out @ W_in, (last @ W_in + b_in)[None]])
    to_logits = torch.cat([W_out, heads_out, (last + b_out)[None]]) @ W_U

    offsets = torch.arange(before + 1, device=tokens.device) * n_tokens
    offsets[-1] -= last_token
    logits, neurons = _EveryInput.apply(tokens + offsets, table, to_neurons, to_logits, n_heads)  # type: ignore[no-untyped-call]
    return logits, neurons


class _EveryInput(torch.autograd.Function):
    """The part that is done once an input; sizes B inputs, D = n_heads · d_head, M = d_mlp."""

    @staticmethod
    def forward(
        ctx: Any, rows: Tensor, table: Tensor, to_neurons: Tensor, to_logits: Tensor, n_heads: int
    ) -> tuple[Tensor, Tensor]:
        B, D = len(rows), table.shape[1] - n_heads
        sums = functional.embedding_bag(rows, table, mode="sum")  # (B, D + n_heads)
        share = sums[:, D:].reciprocal()[..., None]  # (B, n_heads, 1)
        z = table.new_empty(B, D + 1)  # and a column of ones
        torch.mul(sums[:, :D].view(B, n_heads, -1), share, out=z[:, :D].view(B, n_heads, -1))
        z[:, D] = 1
        neurons = (z @ to_neurons).clamp_min_(0)
        M = neurons.shape[1]
        logits = torch.addmm(z @ to_logits[M:], neurons, to_logits[:M])
        ctx.save_for_backward(rows, to_neurons, to_logits, z, neurons, share)
        ctx.table_rows = len(table)
        ctx.mark_non_differentiable(neurons)
        ctx.set_materialize_grads(False)  # no zeros the size of the neurons
        return logits, neurons

    @staticmethod
    def backward(ctx: Any, d_logits: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
        rows, to_neurons, to_logits, z, neurons, share = ctx.saved_tensors
        B, n_heads, M, D = len(rows), share.shape[1], neurons.shape[1], z.shape[1] - 1
        # Written this way round, the products over all inputs are faster.
        d_to_logits = torch.cat([(d_logits.T @ neurons).T, (d_logits.T @ z).T])
        d_neurons = d_logits @ to_logits[:M].T
        torch.ops.aten.threshold_backward.grad_input(d_neurons, neurons, 0, grad_input=d_neurons)
        d_to_neurons = (d_neurons.T @ z).T
        d_z = torch.addmm(d_logits @ to_logits[M:-1].T, d_neurons, to_neurons[:-1].T)
        d_sums = d_z.new_empty(B, D + n_heads)
        torch.mul(d_z.view(B, n_heads, -1), share, out=d_sums[:, :D].view(B, n_heads, -1))
        d_sums[:, D:] = (d_sums[:, :D] * z[:, :D]).view(B, n_heads, -1).sum(dim=-1).neg_()
        d_table = d_sums.new_zeros(ctx.table_rows, D + n_heads)
        for position in range(rows.shape[1] - 1):
            d_table.index_add_(0, rows[:, position], d_sums)
        d_table[-1] = d_sums.sum(dim=0)
        return None, d_table, d_to_neurons, d_to_logits, None
