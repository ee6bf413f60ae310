"""One-hot inputs that are never spelt out: a product with them is a sum of the matrix's own rows."""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor
from torch.nn import functional

from grokterm.engine.task import Task


@dataclass(frozen=True)
class OneHot:
    """`positions` tokens out of `symbols` each, side by side; tokens of an input that come after them are left out."""

    positions: int
    symbols: int

    @classmethod
    def of(cls, task: Task) -> Self | None:
        """Of a task's tokens, without the one that ends every row and with it is no symbol; None for real inputs."""
        if task.inputs.is_floating_point():
            return None
        ends = task.last_token is not None
        return cls(task.inputs.shape[1] - ends, task.n_tokens - (task.last_token == task.n_tokens - 1))

    @property
    def features(self) -> int:
        """The length of a whole input."""
        return self.positions * self.symbols

    def times(self, tokens: Tensor, W: Tensor) -> Tensor:
        """The one-hot inputs of tokens (batch, n_ctx) times W (features, n), (batch, n)."""
        offsets = torch.arange(self.positions, device=tokens.device) * self.symbols
        return functional.embedding_bag(tokens[:, : self.positions] + offsets, W, mode="sum")
