"""Files as other people's code writes them, of a small model that is trained here: p = 13, a second's work."""

import random
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from grokterm.engine.cross_entropy import cross_entropy
from grokterm.models.transformer import Transformer
from grokterm.tasks.modular import modular

P = 13
EPOCHS = 200
EVERY = 20
FRACTION = 0.6

Weights = dict[str, Tensor]
Layout = Literal["TransformerLens", "Nanda"]


@dataclass(frozen=True)
class Trained:
    """A run of EPOCHS updates: states[k] are the weights after k updates, losses[k] theirs (train, test)."""

    operation: Literal["add", "subtract"]
    split: Literal["python", "torch"]
    seed: int
    states: list[Weights]
    losses: list[tuple[float, float]]

    @property
    def train_rows(self) -> list[int]:
        return modular(p=P, split=self.split, split_seed=self.seed, train_fraction=FRACTION).train.tolist()


@cache
def trained(
    operation: Literal["add", "subtract"] = "add", split: Literal["python", "torch"] = "torch", seed: int = 598
) -> Trained:
    """Train it: the same weights and losses at every call."""
    torch.manual_seed(7)
    task = modular(p=P, operation=operation, split=split, split_seed=seed, train_fraction=FRACTION)
    model = Transformer(task, d_model=16, n_heads=2, d_mlp=32)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=1.0, betas=(0.9, 0.98))
    states, losses = [], []
    for epoch in range(EPOCHS + 1):
        train, _ = cross_entropy(model(task.inputs[task.train]), task.labels[task.train])
        with torch.no_grad():
            test, _ = cross_entropy(model(task.inputs[task.test]), task.labels[task.test])
        states.append({name: weight.detach().clone() for name, weight in model.state_dict().items()})
        losses.append((train.item(), test.item()))
        if epoch < EPOCHS:
            optimizer.zero_grad()
            train.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    return Trained(operation, split, seed, states, losses)


def in_layout(layout: Layout, ours: Weights, *, with_equals: bool = False) -> Weights:
    """Our weights under the names and in the shapes of somebody else; `with_equals` gives W_U a column for `=`."""
    W_U = torch.cat([ours["W_U"], ours["W_U"][:, :1] - 50], dim=1) if with_equals or layout == "Nanda" else ours["W_U"]
    attention, mlp = "blocks.0.attn.", "blocks.0.mlp."
    if layout == "TransformerLens":
        n_heads, d_model, d_head = ours["W_Q"].shape
        return {
            "embed.W_E": ours["W_E"],
            "pos_embed.W_pos": ours["W_pos"],
            **{attention + name: ours[name] for name in ("W_Q", "W_K", "W_V", "W_O")},
            **{attention + name: torch.zeros(n_heads, d_head) for name in ("b_Q", "b_K", "b_V")},
            attention + "b_O": torch.zeros(d_model),
            attention + "mask": torch.ones(3, 3).tril().bool(),
            attention + "IGNORE": torch.tensor(-1e5),
            **{mlp + name: ours[name] for name in ("W_in", "b_in", "W_out", "b_out")},
            "unembed.W_U": W_U,
            "unembed.b_U": torch.zeros(W_U.shape[1]),
        }
    return {
        "embed.W_E": ours["W_E"].T,
        "pos_embed.W_pos": ours["W_pos"],
        **{attention + name: ours[name].transpose(1, 2) for name in ("W_K", "W_Q", "W_V")},
        attention + "W_O": ours["W_O"].flatten(0, 1).T,
        attention + "mask": torch.ones(3, 3).tril(),
        mlp + "W_in": ours["W_in"].T,
        mlp + "b_in": ours["b_in"],
        mlp + "W_out": ours["W_out"].T,
        mlp + "b_out": ours["b_out"],
        "unembed.W_U": W_U,
    }


def nanda(run: Trained, *, every: int = 10) -> dict[str, Any]:
    """A file of Nanda's code: both losses before the update, test losses every so many epochs, the last weights."""
    return {
        "model": in_layout("Nanda", run.states[-1]),
        "train_losses": [train for train, _ in run.losses[:EPOCHS]],
        "test_losses": [test for _, test in run.losses[:EPOCHS:every]],
        "epoch": EPOCHS,
    }


def demo(run: Trained) -> dict[str, Any]:
    """A file of TransformerLens's grokking demo: test loss and checkpoint after the update of their epoch."""
    epochs = range(EVERY - 1, EPOCHS, EVERY)
    return {
        "model": in_layout("TransformerLens", run.states[-1]),
        "config": {"n_layers": 1, "d_model": 16, "act_fn": "relu", "normalization_type": None, "seed": 999},
        "checkpoints": [in_layout("TransformerLens", run.states[epoch + 1]) for epoch in epochs],
        "checkpoint_epochs": list(epochs),
        "train_losses": [train for train, _ in run.losses[:EPOCHS]],
        "test_losses": [test for _, test in run.losses[1:]],
        "train_indices": torch.tensor(run.train_rows),
        "test_indices": torch.tensor(sorted(set(range(P * P)) - set(run.train_rows))),
    }


def saved(folder: Path, values: object, name: str = "run.pth") -> Path:
    """Write it as torch.save does."""
    path = folder / name
    torch.save(values, path)
    return path


def damaged(content: bytes, seed: int) -> bytes:
    """The bytes with a few of them changed, or cut off somewhere."""
    chance = random.Random(seed)
    if seed % 3 == 0:
        return content[: chance.randrange(len(content))]
    changed = bytearray(content)
    for _ in range(chance.choice((1, 4, 40))):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)
