"""What can be turned: names, values, refusals, and where the values live."""

import math
from typing import Any

import pytest
import torch

from grokterm.catalog import Catalog
from grokterm.engine.knobs import Cadence, Knobs
from grokterm.errors import UsageError
from grokterm.optimizers.adamw import adamw

SETTINGS = Catalog().settings("optimizers", "adamw")


def make(groups: int = 1, **settings: Any) -> tuple[Knobs, torch.optim.Optimizer]:
    weights = [torch.nn.Parameter(torch.ones(2)) for _ in range(groups)]
    optimizer = adamw(weights[:1], **settings)
    for weight in weights[1:]:
        optimizer.add_param_group({"params": [weight]})
    return Knobs(optimizer, SETTINGS, Cadence(100, 1, 20, 50)), optimizer


def test_names_and_first_values() -> None:
    knobs, _ = make(lr=0.01, betas=(0.9, 0.98))
    assert knobs.recorded == ("lr", "weight_decay", "beta1", "beta2", "eps")
    assert knobs.values() == {
        "lr": 0.01,
        "weight_decay": 1.0,
        "beta1": 0.9,
        "beta2": 0.98,
        "eps": 1e-8,
        "steps": 100,
        "test_every": 1,
        "measure_every": 20,
        "checkpoint_every": 50,
    }
    assert knobs.in_force() == [0.01, 1.0, 0.9, 0.98, 1e-8]


@pytest.mark.parametrize("groups", [1, 2])
def test_values_live_in_the_optimizer(groups: int) -> None:
    knobs, optimizer = make(groups)
    for name, value in {"lr": 0.5, "weight_decay": 0.25, "beta1": 0.0, "beta2": 0.5, "eps": 1e-3}.items():
        knobs.set(name, knobs.check(name, value))
        assert knobs.values()[name] == value
    knobs.warm_up(1.0)
    for group in optimizer.param_groups:
        assert (group["lr"], group["weight_decay"], group["betas"], group["eps"]) == (0.5, 0.25, (0.0, 0.5), 1e-3)
    optimizer.param_groups[0]["weight_decay"] = 7.0
    assert knobs.values()["weight_decay"] == 7.0


def test_warm_up_scales_what_is_in_force_and_keeps_what_is_set() -> None:
    knobs, optimizer = make(groups=2, lr=0.2, weight_decay=0.5)
    knobs.warm_up(0.3)
    assert knobs.in_force()[0] == pytest.approx(0.06)
    assert knobs.values()["lr"] == 0.2
    assert knobs.decay() == pytest.approx(0.06 * 0.5)
    assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([0.06, 0.06])
    knobs.set("lr", 0.4)
    knobs.warm_up(0.5)
    assert knobs.in_force()[0] == pytest.approx(0.2)


def test_without_weight_decay_there_is_no_decay() -> None:
    weight = torch.nn.Parameter(torch.ones(1))
    knobs = Knobs(torch.optim.Adagrad([weight], lr=0.1), SETTINGS[:1], Cadence(1, 1, 1, 1))
    assert knobs.recorded == ("lr",)
    assert knobs.decay() == 0.0


@pytest.mark.parametrize(("name", "value"), [("steps", 200), ("test_every", 7.0), ("measure_every", 1)])
def test_cadences_are_whole_numbers(name: str, value: float) -> None:
    knobs, _ = make()
    knobs.set(name, knobs.check(name, value))
    assert knobs.values()[name] == value
    assert isinstance(knobs.values()[name], int)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("weigth_decay", 1.0, "there is no knob 'weigth_decay'; did you mean 'weight_decay'?"),
        ("initial_lr", 1.0, "there is no knob 'initial_lr'"),
        ("betas", 0.9, "there is no knob 'betas'"),
        ("lr", -1.0, "lr = -1.0: must be greater than or equal to 0"),
        ("lr", math.inf, "lr = inf: must be a finite number"),
        ("lr", math.nan, "lr = nan: "),
        ("lr", "0.1", "lr = 0.1: must be a number"),
        ("lr", True, "lr = True: must be a number"),
        ("lr", None, "lr = None: must be a number"),
        ("beta1", 1.0, "beta1 = 1.0: must be less than 1"),
        ("eps", 0, "eps = 0: must be greater than 0"),
        ("steps", 0, "steps = 0: must be a whole number of at least 1"),
        ("test_every", 1.5, "test_every = 1.5: must be a whole number of at least 1"),
        ("measure_every", math.inf, "measure_every = inf: must be a whole number of at most 1,000,000,000,000"),
        ("measure_every", -math.inf, "measure_every = -inf: must be a whole number of at least 1"),
        ("measure_every", math.nan, "measure_every = nan: must be a whole number"),
        ("steps", 10**30, f"steps = {10**30}: must be a whole number of at most 1,000,000,000,000"),
        ("steps", 1e300, "steps = 1e+300: must be a whole number of at most 1,000,000,000,000"),
        ("lr", 10**400, f"lr = {10**400}: "),
        ("measure_every", True, "measure_every = True: must be a whole number"),
        ("checkpoint_every", None, "checkpoint_every = None: must be a whole number"),
    ],
)
def test_refusals_say_what_is_wrong_and_change_nothing(name: str, value: object, sentence: str) -> None:
    knobs, _ = make()
    before = knobs.values()
    with pytest.raises(UsageError) as caught:
        knobs.check(name, value)
    assert str(caught.value).startswith(sentence)
    assert knobs.values() == before
