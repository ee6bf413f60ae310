"""Modular arithmetic: rows, labels, and splits that other people's seeds repeat."""

import random

import pytest
import torch

from grokterm.tasks.modular import modular


@pytest.mark.parametrize(("operation", "sign"), [("add", 1), ("subtract", -1)])
@pytest.mark.parametrize("p", [3, 11, 113])
def test_rows_are_lexicographic(operation: str, sign: int, p: int) -> None:
    task = modular(p=p, operation=operation)  # type: ignore[arg-type]
    rows = [(a, b, p) for a in range(p) for b in range(p)]
    assert task.inputs.tolist() == [list(row) for row in rows]
    assert task.labels.tolist() == [(a + sign * b) % p for a, b, _ in rows]
    assert task.sums is not None
    assert task.sums.tolist() == task.labels.tolist()
    assert (task.n_tokens, task.n_classes, task.last_token, task.p) == (p + 1, p, p, p)
    assert task.inputs.dtype == task.labels.dtype == task.train.dtype == torch.int64


@pytest.mark.parametrize("seed", [0, 1, 598])
def test_python_split_is_a_plain_shuffle_of_the_pairs(seed: int) -> None:
    pairs = [(a, b) for a in range(113) for b in range(113)]
    random.seed(seed)
    random.shuffle(pairs)
    task = modular(split="python", split_seed=seed)
    assert [tuple(row) for row in task.inputs[task.train, :2].tolist()] == pairs[:3830]
    assert [tuple(row) for row in task.inputs[task.test, :2].tolist()] == pairs[3830:]


@pytest.mark.parametrize("seed", [0, 1, 598])
def test_torch_split_is_a_plain_permutation(seed: int) -> None:
    torch.manual_seed(seed)
    order = torch.randperm(12_769)
    task = modular(split="torch", split_seed=seed)
    assert torch.equal(task.train, order[:3830])
    assert torch.equal(task.test, order[3830:])


def test_splitting_leaves_the_global_generators_alone() -> None:
    torch.manual_seed(5)
    random.seed(5)
    expected = torch.rand(1), random.random()
    torch.manual_seed(5)
    random.seed(5)
    modular(p=11, split="torch")
    modular(p=11, split="python")
    assert (torch.rand(1), random.random()) == expected


def test_split_follows_the_seed_unless_it_has_its_own() -> None:
    assert torch.equal(modular(p=11, seed=4).train, modular(p=11, seed=0, split_seed=4).train)
    assert not torch.equal(modular(p=11, seed=4).train, modular(p=11, seed=4, split_seed=0).train)
    assert torch.equal(modular(p=11, seed=4, split_seed=0).train, modular(p=11, seed=9, split_seed=0).train)


@pytest.mark.parametrize("fraction", [0.1, 0.3, 0.5, 0.95])
def test_parts_are_disjoint_and_whole(fraction: float) -> None:
    task = modular(p=13, train_fraction=fraction)
    assert len(task.train) == int(fraction * 169)
    assert sorted([*task.train.tolist(), *task.test.tolist()]) == list(range(169))


def test_fraction_that_leaves_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match=r"train_fraction = 0.05 leaves 0 of 9 pairs to train on"):
        modular(p=3, train_fraction=0.05)
