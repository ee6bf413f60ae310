"""What a task hands to the trainer: every input with its label, and which of them train and test."""

from dataclasses import dataclass, fields, replace
from typing import Any, Self

import torch
from torch import Tensor

from grokterm.run.recorded_task import RecordedTask


@dataclass(frozen=True)
class Task:
    """A finite data set that is trained in full batches.

    inputs: int64 (n, n_ctx) tokens, or real ones, float32 (n, features), with n_tokens = 0; labels: int64 (n,) classes;
    train, test: int64 row numbers, disjoint.
    last_token: the token that every row ends with, or None; a model read at the last position can use it.
    p: the modulus of a task on Z_p, or None. sums: int64 (n,), the residue in whose waves the logits of every input
    are expected (a + b mod p for addition, a − b for subtraction), or None where there is none.
    """

    inputs: Tensor
    labels: Tensor
    train: Tensor
    test: Tensor
    n_tokens: int
    n_classes: int
    last_token: int | None = None
    p: int | None = None
    sums: Tensor | None = None

    def to(self, device: torch.device) -> Self:
        """Return the same task with its tensors on a device."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        moved: dict[str, Any] = {name: value.to(device) for name, value in values.items() if isinstance(value, Tensor)}
        return replace(self, **moved)

    def recorded(self) -> RecordedTask:
        """The same for task.npz, in NumPy."""
        arrays = {name: getattr(self, name) for name in ("inputs", "labels", "train", "test", "sums")}
        there = {name: tensor.cpu().numpy() for name, tensor in arrays.items() if tensor is not None}
        return RecordedTask(n_classes=self.n_classes, p=self.p or 0, **there)
