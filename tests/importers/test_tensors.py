"""The door: a tensor that is not plain numbers in the file is named, wherever in the file it is."""

import warnings
from typing import Any

import pytest
import torch
from torch import Tensor

from grokterm.importers.tensors import NUMBERS, odd_tensor

SIZE = 10**6
HUGE = 4 * 10**9


def quantized() -> Tensor:
    with warnings.catch_warnings(action="ignore"):  # torch would have people use another package
        return torch.quantize_per_tensor(torch.rand(5), 0.1, 0, torch.quint8)


def nested() -> Tensor:
    with warnings.catch_warnings(action="ignore"):  # torch calls them a prototype
        return torch.nested.nested_tensor([torch.rand(3), torch.rand(2)])


@pytest.mark.parametrize(
    ("tensor", "said"),
    [
        (lambda: torch.zeros(1).expand(HUGE), "claims the shape (4000000000,), more than the whole file holds"),
        (lambda: torch.zeros(1).expand(3, SIZE), "claims the shape (3, 1000000), more than the whole file holds"),
        (lambda: torch.tensor([1, 2]).to_sparse(), "is a sparse_coo tensor, and only dense ones are read"),
        (lambda: torch.zeros(1, device="meta"), "has no numbers in the file: it is on the device meta"),
        (quantized, "holds quint8, and only float16, bfloat16, float32, float64, integers and bool are read"),
        (nested, "is a nested tensor, and only dense ones are read"),
        (lambda: torch.zeros(3).to(torch.float8_e4m3fn), "holds float8_e4m3fn, and only"),
        (lambda: torch.zeros(3, dtype=torch.uint8).view(torch.bits8), "holds bits8, and only"),
        (lambda: torch.zeros(3, dtype=torch.complex64), "holds complex64, and only"),
    ],
)
@pytest.mark.parametrize(
    ("place", "name"),
    [
        (lambda odd: {"a": 1, "epochs": odd}, "epochs"),
        (lambda odd: {"train_losses": [1.0, torch.zeros(1), odd]}, "train_losses"),
        (lambda odd: {"checkpoints": [{"W_E": torch.zeros(2)}, {"W_E": odd}]}, "W_E in checkpoints"),
        (lambda odd: {"checkpoints": {7: {"W_E": odd}}}, "W_E in checkpoints"),
        (lambda odd: {(1, odd): 2}, "a key"),
    ],
)
def test_an_odd_tensor_is_named_with_its_place(tensor: Any, said: str, place: Any, name: str) -> None:
    assert odd_tensor(place(tensor()), SIZE).startswith(f"{name} {said}")


@pytest.mark.parametrize("kind", sorted(NUMBERS, key=str))
def test_plain_numbers_pass(kind: torch.dtype) -> None:
    tensor = torch.zeros(3, 4).to(kind)
    assert (
        odd_tensor({"a": tensor, "b": [tensor.T, tensor[:0], tensor[0, 0], torch.nn.Parameter(torch.ones(2))]}, 48 * 8)
        == ""
    )


def test_what_holds_itself_or_is_very_deep_ends() -> None:
    round_and_round: list[Any] = []
    round_and_round.append(round_and_round)
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert odd_tensor({"a": round_and_round, "b": deep}, SIZE) == ""


def test_a_name_from_the_file_is_shown_without_its_escape_codes() -> None:
    said = odd_tensor({"\x1b[31m\n" * 90: torch.zeros(1, device="meta")}, SIZE)
    assert said.isprintable()
    assert len(said) < 400
