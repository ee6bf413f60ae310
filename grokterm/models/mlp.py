"""Multi-layer perceptrons: on real inputs as they are, on tokens one-hot."""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from grokterm.catalog import part
from grokterm.engine.task import Task
from grokterm.models.exact.one_hot import OneHot
from grokterm.values import Count, Positive

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "tanh": torch.tanh,
    "gelu": functional.gelu,
}


@part
class MLP(nn.Module):
    """inputs → depth × width → n_classes (sparse parity; Liu et al. 2023, "Omnigrok"; Prieto et al. 2025).

    Parameters: W_1 (features, width), W_2 (width, width), …, W_n (width, n_classes), and b_1 … b_n where there are
    `biases`. Tokens count as the one-hot vectors of all positions side by side, less one that ends every row.
    All start uniform within ±1/√(rows of W), as torch's own linear layers do, times `alpha` (Liu et al. 2023, sec. 3).
    """

    has_neurons = True
    W_1: nn.Parameter
    W_2: nn.Parameter

    def __init__(
        self,
        task: Task,
        *,
        width: Count = 200,
        depth: Count = 2,
        activation: Literal["relu", "tanh", "gelu"] = "relu",
        biases: bool = False,
        alpha: Positive = 1.0,
    ) -> None:
        super().__init__()
        self.one_hot = OneHot.of(task)
        features = task.inputs.shape[1] if self.one_hot is None else self.one_hot.features
        sizes = [features, *[width] * depth, task.n_classes]
        self.n_layers = len(sizes) - 1
        for layer, (rows, columns) in enumerate(pairwise(sizes), start=1):
            bound = alpha / math.sqrt(rows)
            self.register_parameter(f"W_{layer}", nn.Parameter(torch.empty(rows, columns).uniform_(-bound, bound)))
            b = nn.Parameter(torch.empty(columns).uniform_(-bound, bound)) if biases else None
            self.register_parameter(f"b_{layer}", b)
        self.activation = ACTIVATIONS[activation]

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits (batch, n_classes) of inputs (batch, features), or of tokens (batch, n_ctx)."""
        return self.trace(inputs)[0]

    def trace(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Logits, and the activations of the last hidden layer, (batch, width)."""
        neurons = self._layer(1, inputs)
        for layer in range(2, self.n_layers):
            neurons = self._layer(layer, self.activation(neurons))
        neurons = self.activation(neurons)
        return self._layer(self.n_layers, neurons), neurons

    def _layer(self, layer: int, inputs: Tensor) -> Tensor:
        W, b = getattr(self, f"W_{layer}"), getattr(self, f"b_{layer}")
        if layer == 1 and self.one_hot is not None:
            products = self.one_hot.times(inputs, W)
            return products if b is None else products + b
        return inputs @ W if b is None else torch.addmm(b, inputs, W)
