"""Modular arithmetic: `a ∘ b mod p` for all p² pairs, one part to train on, the rest to test on."""

import random
from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from grokterm.catalog import part
from grokterm.engine.task import Task
from grokterm.values import Fraction, OddPrime, Seed

OPERATIONS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
}


@part
def modular(
    *,
    seed: Seed = 0,
    p: OddPrime = 113,
    operation: Literal["add", "subtract"] = "add",
    train_fraction: Fraction = 0.3,
    split: Literal["python", "torch"] = "python",
    split_seed: Seed | None = None,
) -> Task:
    """Make the task `a | b | =` → `a ∘ b mod p` (Nanda et al. 2023, section 3; Power et al. 2022).

    Inputs are all p² token rows in lexicographic order, int64 (p², 3), row a·p + b; the token `=` is p. `split` names
    the procedure that draws the training part, so that other people's splits can be repeated: `python` shuffles the
    lexicographic list with `random.seed(split_seed)`, `torch` takes `torch.randperm` after `torch.manual_seed`. The
    first int(train_fraction · p²) rows train. `split_seed` is `seed` unless it is given.
    """
    a = torch.arange(p).repeat_interleave(p)
    b = torch.arange(p).repeat(p)
    results = OPERATIONS[operation](a, b) % p
    order = torch.tensor(_ORDERS[split](p * p, seed if split_seed is None else split_seed))
    cut = int(train_fraction * p * p)
    if not 0 < cut < p * p:
        raise ValueError(f"train_fraction = {train_fraction} leaves {cut} of {p * p} pairs to train on; take another")
    return Task(
        inputs=torch.stack([a, b, torch.full_like(a, p)], dim=1),
        labels=results,
        train=order[:cut],
        test=order[cut:],
        n_tokens=p + 1,
        n_classes=p,
        last_token=p,
        p=p,
        sums=results,
    )


def _python_order(n: int, seed: int) -> list[int]:
    rows = list(range(n))
    random.Random(seed).shuffle(rows)
    return rows


def _torch_order(n: int, seed: int) -> list[int]:
    order: list[int] = torch.randperm(n, generator=torch.Generator().manual_seed(seed)).tolist()
    return order


_ORDERS: dict[str, Callable[[int, int], list[int]]] = {"python": _python_order, "torch": _torch_order}
