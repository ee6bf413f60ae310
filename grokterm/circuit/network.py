"""The one-layer transformer of a checkpoint, with NumPy: every activation at the last position, for all p² inputs.

A viewer has no torch. The function is that of `models/transformer.py`; as only the last position is read and every
input ends in the same token, attention is a softmax over tables of p entries.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

from grokterm.errors import RunError

Array = NDArray[Any]
"""Real numbers in the network's own precision, float32 or float64."""

POSITIONS = 3
"""a, b and the token at which the answer is read."""


@dataclass(frozen=True, eq=False)
class Network:
    """The weights by their TransformerLens names (`models/transformer.py` has the shapes), all of one dtype."""

    W_E: Array
    W_pos: Array
    W_Q: Array
    W_K: Array
    W_V: Array
    W_O: Array
    W_in: Array
    b_in: Array
    W_out: Array
    b_out: Array
    W_U: Array

    @classmethod
    def of(cls, tensors: Mapping[str, Array], dtype: DTypeLike | None = None) -> Self:
        """Take the model out of a checkpoint's tensors ("model/W_E", …), in their precision or another one.

        Raises RunError, a sentence's part, when they are not those of a one-layer transformer on pairs.
        """
        model = {name.removeprefix("model/"): tensor for name, tensor in tensors.items() if name.startswith("model/")}
        names = [field.name for field in fields(cls)]
        if model.keys() != {*names}:
            odd = sorted(model.keys() ^ {*names})
            raise RunError(f"its weights are not those of the one-layer transformer: {', '.join(odd[:4])}")
        precision = np.dtype(dtype) if dtype is not None else np.result_type(np.float32, *model.values())
        weights = cls(**{name: np.ascontiguousarray(model[name], precision) for name in names})
        weights._check()
        return weights

    def _check(self) -> None:
        if any(len(getattr(self, name).shape) != dims for name, dims in (("W_E", 2), ("W_Q", 3), ("W_in", 2))):
            raise RunError("its weights are not those of the one-layer transformer")
        (tokens, d_model), (heads, _, d_head), d_mlp = self.W_E.shape, self.W_Q.shape, self.W_in.shape[1]
        shapes = {
            "W_pos": (POSITIONS, d_model),
            **dict.fromkeys(("W_Q", "W_K", "W_V"), (heads, d_model, d_head)),
            "W_O": (heads, d_head, d_model),
            "W_in": (d_model, d_mlp),
            "b_in": (d_mlp,),
            "W_out": (d_mlp, d_model),
            "b_out": (d_model,),
            "W_U": (d_model, tokens - 1),
        }
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape:
                raise RunError(f"its {name} has the shape {getattr(self, name).shape}, where {shape} is needed")

    @property
    def p(self) -> int:
        """The modulus: as many tokens as there are answers, and one more to read them at."""
        return int(self.W_E.shape[0]) - 1

    @property
    def n_heads(self) -> int:
        """How many attention heads there are."""
        return int(self.W_Q.shape[0])

    @property
    def d_mlp(self) -> int:
        """How many neurons there are."""
        return int(self.W_in.shape[1])

    @property
    def parameters(self) -> dict[str, Array]:
        """Every weight by its name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def attention(self) -> Array:
        """Where each head looks from the last position, (n_heads, p, p, 3): at a, at b, at the last token itself."""
        p, d_head = self.p, self.W_Q.shape[2]
        query = (self.W_E[p] + self.W_pos[2]) @ self.W_Q  # (n_heads, d_head)
        read = self.W_K @ query[:, :, None] / np.asarray(np.sqrt(d_head), self.W_Q.dtype)  # (n_heads, d_model, 1)
        at_a, at_b, at_end = (self._at(position) @ read for position in range(POSITIONS))  # (n_heads, p or 1, 1)
        scores = np.empty((self.n_heads, p, p, POSITIONS), read.dtype)
        scores[..., 0], scores[..., 1], scores[..., 2] = at_a, at_b.transpose(0, 2, 1), at_end
        scores -= scores.max(axis=3, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=3, keepdims=True)
        return scores

    def attended(self, attention: Array, heads: Sequence[int] | None = None) -> Array:
        """The sum of all heads' outputs, or of some heads', (p², d_model)."""
        p, written = self.p, self.written()
        if heads is not None:
            attention, written = attention[[*heads]], [each[[*heads]] for each in written]
        total = attention[..., 0].transpose(1, 2, 0) @ written[0].transpose(1, 0, 2)  # (a, b, d_model)
        total += (attention[..., 1].transpose(2, 1, 0) @ written[1].transpose(1, 0, 2)).transpose(1, 0, 2)
        total += attention[..., 2].reshape(-1, p * p).T.reshape(p, p, -1) @ written[2][:, 0]
        return total.reshape(p * p, -1)

    def written(self) -> list[Array]:
        """What each head writes where it looks at nothing else, (n_heads, p or 1, d_model) for each position."""
        return [self._at(position) @ self.W_V @ self.W_O for position in range(POSITIONS)]

    def residual(self, attended: Array) -> Array:
        """The residual stream before the MLP, (…, d_model): embedding and position of the last token, and attention."""
        residual: Array = attended + (self.W_E[self.p] + self.W_pos[2])
        return residual

    def pre_activations(self, residual: Array) -> Array:
        """What the neurons get before the ReLU, (…, d_mlp)."""
        pre: Array = residual @ self.W_in
        pre += self.b_in
        return pre

    def neurons(self, residual: Array) -> Array:
        """The neurons' activations after the ReLU, (…, d_mlp)."""
        pre = self.pre_activations(residual)
        activations: Array = np.maximum(pre, 0, out=pre)
        return activations

    def neuron_to_logit(self) -> Array:
        """W_L = W_U · W_out in the paper's orientation, (p, d_mlp)."""
        mapped: Array = (self.W_out @ self.W_U).T
        return mapped

    def _at(self, position: int) -> Array:
        """What can stand at a position, embedded: the p residues, or the last token, (p or 1, d_model)."""
        tokens = self.W_E[self.p :] if position == POSITIONS - 1 else self.W_E[: self.p]
        embedded: Array = tokens + self.W_pos[position]
        return embedded
