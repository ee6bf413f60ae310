"""Sparse parity: the parity of a few bits out of many, the smallest task that groks."""

import torch

from grokterm.catalog import part
from grokterm.engine.task import Task
from grokterm.values import Count, Seed

MOST_BITS = 62
"""Inputs are drawn as whole numbers, so that no two rows are alike."""


@part
def parity(
    *,
    seed: Seed = 0,
    n_bits: Count = 30,
    k: Count = 3,
    train_rows: Count = 1000,
    test_rows: Count = 2000,
    split_seed: Seed | None = None,
) -> Task:
    """Make the task x → parity of its first k bits; the other n_bits − k are noise (Barak et al. 2022, section 2).

    Inputs are ±1, float32 (train_rows + test_rows, n_bits), all different, drawn with `split_seed`, which is `seed`
    unless it is given; labels are 1 where an odd number of the first k bits is −1, else 0.
    """
    rows = train_rows + test_rows
    if k > n_bits:
        raise ValueError(f"k = {k} bits cannot be chosen from n_bits = {n_bits}; take fewer")
    if n_bits > MOST_BITS:
        raise ValueError(f"n_bits = {n_bits}: at most {MOST_BITS} can be drawn")
    if 2 * rows > 2**n_bits:
        raise ValueError(f"n_bits = {n_bits} give {2**n_bits:,} inputs: too few for {rows:,} different rows; take more")
    random = torch.Generator().manual_seed(seed if split_seed is None else split_seed)
    drawn = torch.randint(2**n_bits, (rows,), generator=random)
    while len(kept := _first_of_each(drawn)) < rows:
        drawn = torch.cat([drawn[kept], torch.randint(2**n_bits, (rows - len(kept),), generator=random)])
    bits = drawn[:, None] >> torch.arange(n_bits) & 1
    return Task(
        inputs=1.0 - 2.0 * bits,
        labels=bits[:, :k].sum(dim=1) % 2,
        train=torch.arange(train_rows),
        test=torch.arange(train_rows, rows),
        n_tokens=0,
        n_classes=2,
    )


def _first_of_each(numbers: torch.Tensor) -> torch.Tensor:
    """The places at which each number stands first, ascending."""
    ordered, order = numbers.sort(stable=True)
    is_first = torch.ones_like(ordered, dtype=torch.bool)
    is_first[1:] = ordered[1:] != ordered[:-1]
    return order[is_first].sort().values
