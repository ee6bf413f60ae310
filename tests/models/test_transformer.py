"""The transformer at initialization is the papers': names, shapes and scales of its parameters."""

import math

import pytest
import torch

from grokterm.models.transformer import Transformer
from grokterm.tasks.modular import modular

SHAPES = {
    "W_E": (114, 128),
    "W_pos": (3, 128),
    "W_Q": (4, 128, 32),
    "W_K": (4, 128, 32),
    "W_V": (4, 128, 32),
    "W_O": (4, 32, 128),
    "W_in": (128, 512),
    "b_in": (512,),
    "W_out": (512, 128),
    "b_out": (128,),
    "W_U": (128, 113),
}


@pytest.fixture(scope="module")
def model() -> Transformer:
    torch.manual_seed(0)
    return Transformer(modular())


def test_names_and_shapes(model: Transformer) -> None:
    assert {name: tuple(weight.shape) for name, weight in model.named_parameters()} == SHAPES
    assert all(weight.dtype == torch.float32 for weight in model.parameters())


@pytest.mark.parametrize("name", SHAPES)
def test_scale_at_initialization(model: Transformer, name: str) -> None:
    weight = model.get_parameter(name).detach()
    if name.startswith("b_"):
        assert not weight.any()
        return
    expected = 1 / math.sqrt(114 if name == "W_U" else 128)
    assert weight.std().item() == pytest.approx(expected, rel=4 / math.sqrt(2 * weight.numel()))
    assert abs(weight.mean().item()) < 4 * expected / math.sqrt(weight.numel())


def test_first_loss_is_that_of_guessing(model: Transformer) -> None:
    task = modular()
    with torch.no_grad():
        logits = model(task.inputs)
    loss = torch.nn.functional.cross_entropy(logits.double(), task.labels)
    assert float(loss) == pytest.approx(math.log(113), rel=0.2)


def test_seed_decides_the_weights() -> None:
    task = modular(p=5)
    made = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        made.append(Transformer(task, d_model=8, n_heads=2, d_mlp=4).W_in.detach())
    assert torch.equal(made[0], made[1])
    assert not torch.equal(made[0], made[2])
