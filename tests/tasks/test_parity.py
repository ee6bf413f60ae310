"""Sparse parity: what is asked, what is noise, and that no example is there twice."""

import pytest
import torch

from grokterm.tasks.parity import parity


def test_the_label_is_the_parity_of_the_first_bits() -> None:
    task = parity(n_bits=12, k=3, train_rows=50, test_rows=60)
    odd = (task.inputs[:, :3] < 0).sum(dim=1) % 2
    assert torch.equal(task.labels, odd)
    assert {*task.inputs.flatten().tolist()} == {-1.0, 1.0}
    assert (task.inputs.shape, task.inputs.dtype, task.n_classes) == ((110, 12), torch.float32, 2)
    assert task.train.tolist() == [*range(50)]
    assert task.test.tolist() == [*range(50, 110)]


def test_about_half_of_everything_is_odd() -> None:
    task = parity()
    assert 0.45 < task.labels.double().mean() < 0.55
    assert task.inputs.mean(dim=0).abs().max() < 0.1


@pytest.mark.parametrize("n_bits", [7, 62])
def test_no_example_is_there_twice(n_bits: int) -> None:
    task = parity(n_bits=n_bits, train_rows=30, test_rows=34)
    assert len({tuple(row) for row in task.inputs.tolist()}) == 64


def test_seeds() -> None:
    assert torch.equal(parity(seed=4).inputs, parity(seed=0, split_seed=4).inputs)
    assert not torch.equal(parity(seed=4).inputs, parity(seed=5).inputs)
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    parity()
    assert torch.rand(1) == expected


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"k": 31}, "k = 31 bits cannot be chosen from n_bits = 30"),
        ({"n_bits": 63}, "at most 62"),
        ({"n_bits": 11, "train_rows": 1000}, "2,048 inputs: too few for 3,000"),
    ],
)
def test_what_cannot_be_drawn_is_one_sentence(settings: dict[str, int], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parity(**settings)
