"""The one-layer transformer of the grokking papers, read at the last position."""

import math
from typing import Literal

import torch
from torch import Tensor, nn

from grokterm.catalog import part
from grokterm.engine.task import Task
from grokterm.models.exact.last_position import last_position
from grokterm.values import Count


@part
class Transformer(nn.Module):
    """One layer, causal attention, ReLU, learned positions, no LayerNorm (Nanda et al. 2023, section 3 and appendix A).

    Parameters have the names and shapes of TransformerLens: W_E (n_tokens, d_model), W_pos (n_ctx, d_model),
    W_Q, W_K, W_V (n_heads, d_model, d_head), W_O (n_heads, d_head, d_model), W_in (d_model, d_mlp), b_in, W_out
    (d_mlp, d_model), b_out, W_U (d_model, n_classes). Attention and embeddings have no bias. All weights start normal
    with standard deviation 1/√d_model, W_U with 1/√n_tokens, biases at zero. The paper's W_U has one more column for
    the token `=`, which is never an answer; like MEASURES and TransformerLens we leave it out.

    `exact` chooses between two forms of the same function: `fast` computes only what the last position needs, and
    applies where every input ends in the same token; `reference` is the plain computation at every position.
    """

    has_neurons = True

    def __init__(
        self,
        task: Task,
        *,
        d_model: Count = 128,
        n_heads: Count = 4,
        d_mlp: Count = 512,
        exact: Literal["fast", "reference"] = "fast",
    ) -> None:
        super().__init__()
        if d_model % n_heads:
            raise ValueError(f"d_model = {d_model} must be a multiple of n_heads = {n_heads}")
        if task.inputs.is_floating_point():
            raise ValueError("model.name = 'transformer' reads tokens, and the task's inputs are numbers: take 'mlp'")
        d_head, n_ctx = d_model // n_heads, task.inputs.shape[1]

        def weight(*shape: int, fan: int = d_model) -> nn.Parameter:
            return nn.Parameter(torch.randn(*shape) / math.sqrt(fan))

        self.W_E = weight(task.n_tokens, d_model)
        self.W_pos = weight(n_ctx, d_model)
        self.W_Q = weight(n_heads, d_model, d_head)
        self.W_K = weight(n_heads, d_model, d_head)
        self.W_V = weight(n_heads, d_model, d_head)
        self.W_O = weight(n_heads, d_head, d_model)
        self.W_in = weight(d_model, d_mlp)
        self.b_in = nn.Parameter(torch.zeros(d_mlp))
        self.W_out = weight(d_mlp, d_model)
        self.b_out = nn.Parameter(torch.zeros(d_model))
        self.W_U = weight(d_model, task.n_classes, fan=task.n_tokens)
        self.last_token = task.last_token
        self.exact = exact

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits at the last position, (batch, n_classes), of tokens (batch, n_ctx)."""
        return self.trace(tokens)[0]

    def trace(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Logits and the neurons' activations after the ReLU at the last position, (batch, d_mlp)."""
        if self.exact == "fast" and self.last_token is not None:
            traced = last_position(tokens, self.last_token, **dict(self.named_parameters()))
            if traced is not None:
                return traced
        return self.reference(tokens)

    def reference(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Logits and activations by the textbook computation at every position."""
        n_ctx, d_head = tokens.shape[1], self.W_Q.shape[2]
        x = self.W_E[tokens] + self.W_pos  # (batch, n_ctx, d_model)
        q = torch.einsum("bsd,hde->bhse", x, self.W_Q)
        k = torch.einsum("bsd,hde->bhse", x, self.W_K)
        v = torch.einsum("bsd,hde->bhse", x, self.W_V)
        future = torch.ones(n_ctx, n_ctx, dtype=torch.bool, device=x.device).triu(1)
        scores = (q @ k.transpose(-1, -2) / math.sqrt(d_head)).masked_fill(future, -math.inf)
        x = x + torch.einsum("bhse,hed->bsd", scores.softmax(dim=-1) @ v, self.W_O)
        neurons = (x @ self.W_in + self.b_in).relu()
        x = x + neurons @ self.W_out + self.b_out
        return (x @ self.W_U)[:, -1], neurons[:, -1]
