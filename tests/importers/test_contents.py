"""A file's parts: what is taken from which key, and what does not fit together."""

import math
from typing import Any

import numpy as np
import pytest
import torch

from grokterm.errors import UsageError
from grokterm.importers.choices import Choices
from grokterm.importers.contents import OURS, Contents, contents
from grokterm.importers.reading import Opened
from grokterm.importers.settings import Settings, refuse_contradictions, settings
from tests import foreign

STATE = {"embed.W_E": torch.zeros(1)}


def taken(test_every: int | None = None, **values: Any) -> Contents:
    return contents(Opened(values, {}, 10**6), test_every)


def refused(test_every: int | None = None, **values: Any) -> str:
    with pytest.raises(UsageError) as raised:
        taken(test_every, **values)
    return str(raised.value)


def test_losses_are_the_very_numbers_of_the_file() -> None:
    odd = [0.1 + 0.2, math.nan, math.inf, 5e-324, 3, torch.tensor(0.1)]
    found = taken(model=STATE, train_losses=odd, test_losses=torch.tensor([0.1] * 6, dtype=torch.float32))
    assert found.train_losses.tolist()[:1] == [0.1 + 0.2]
    assert str(found.train_losses.tolist()[1:4]) == "[nan, inf, 5e-324]"
    assert found.train_losses.tolist()[4:] == [3.0, torch.tensor(0.1).item()]
    assert found.test_losses.tolist() == [torch.tensor(0.1).item()] * 6


@pytest.mark.parametrize(
    ("train", "test", "said", "every"),
    [
        (50_000, 5_000, None, 10),
        (50_000, 50_000, None, 1),
        (301, 31, None, 10),
        (300, 30, None, 10),
        (7, 1, 7, 7),
        (25_000, 250, None, 100),
        (0, 40, 5, 5),
        (0, 0, None, 1),
        (9, 0, None, 1),
        (1000, 3, 400, 400),
    ],
)
def test_cadence_of_the_test_losses_follows_from_how_many_there_are(
    train: int, test: int, said: int | None, every: int
) -> None:
    assert taken(said, model=STATE, train_losses=[1.0] * train, test_losses=[1.0] * test).test_every == every


@pytest.mark.parametrize(
    ("train", "test", "said", "sentence"),
    [
        (1000, 3, None, "could be every 334 to every 499 epochs; say which, for instance --test-every 400"),
        (10, 11, None, "11 test losses do not spread evenly over 10 train losses"),
        (10, 7, None, "7 test losses do not spread evenly over 10 train losses"),
        (0, 7, None, "it has 7 test losses and no train losses; say --test-every N"),
        (100, 10, 7, "a test loss every 7 epochs (--test-every) gives 15 test losses in 100 epochs; the file has 10"),
    ],
)
def test_a_cadence_that_is_not_certain_is_asked_for(train: int, test: int, said: int | None, sentence: str) -> None:
    assert sentence in refused(said, model=STATE, train_losses=[1.0] * train, test_losses=[1.0] * test)


def test_our_own_exports_say_when_the_test_losses_were_taken() -> None:
    losses = {"model": STATE, "train_losses": [1.0] * 35, "test_losses": [1.0] * 3}
    marked = {OURS: {"run": "mine", "first_test_step": 0, "test_every": 13}, **losses}
    found = contents(Opened(marked, {}, 10**6))
    assert (found.first_test_step, found.test_every) == (0, 13)
    assert contents(Opened({OURS: {"run": "mine"}, **losses}, {}, 10**6), 12).first_test_step is None


def test_checkpoints_are_found_under_their_names_in_both_codes() -> None:
    for values in (
        {"checkpoints": [STATE, STATE], "checkpoint_epochs": [0, 99]},
        {"state_dicts": [STATE, STATE], "epochs": torch.tensor([0, 99])},
        {"checkpoints": {0: STATE, 99: STATE}},
        {"checkpoints": (STATE, STATE), "checkpoint_epochs": (0, 99.0)},
    ):
        found = taken(**values)
        assert [epoch for epoch, _ in found.checkpoints] == [0, 99]
        assert found.final is None


def test_an_epoch_beside_lone_weights_is_counted_in_updates() -> None:
    assert taken(model=STATE, epoch=400).final_step == 401
    assert taken(model=STATE, epoch=400, train_losses=[1.0] * 400).final_step is None
    assert contents(Opened(STATE, {"step": "12000"}, 1)).final_step == 12_000
    assert contents(Opened(STATE, {"step": "-1"}, 1)).final_step is None
    assert contents(Opened(STATE, {}, 1)).final_step is None


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "it holds no weights of a transformer: no W_E, no model, no checkpoints (it has nothing)"),
        ({"train_losses": [1.0], "\x1b[1m": 2}, "(it has 'train_losses', '\\x1b[1m')"),
        ({"model": {"weight": 1}}, "it holds no weights of a transformer"),
        ({"checkpoints": [STATE]}, "it has 1 checkpoints and no checkpoint_epochs or epochs that say when"),
        ({"checkpoints": [STATE], "epochs": [1, 2]}, "it has 1 checkpoints and 2 epochs for them"),
        ({"checkpoints": [STATE] * 2, "epochs": [2, 1]}, "the epochs of its checkpoints do not rise"),
        ({"checkpoints": [STATE], "epochs": [-1]}, "an epoch of checkpoints is -1, not a whole number"),
        ({"checkpoints": [STATE], "epochs": [10**12]}, "not a whole number from 0 on"),
        ({"checkpoints": [{}], "epochs": [5]}, "the checkpoint of epoch 5 is no state dict: it has no W_E"),
        ({"checkpoints": 5, "epochs": [5]}, "its checkpoints are a int, not a list of state dicts"),
        ({"model": STATE, "train_losses": 3.0}, "its train_losses are a float, not a list of numbers"),
        ({"model": STATE, "train_losses": [[1.0]]}, "train_losses[0] is a list, not a number"),
        ({"model": STATE, "test_losses": [1.0, True]}, "test_losses[1] is a bool, not a number"),
        ({"model": STATE, "train_losses": [10**400]}, "train_losses[0] is too large a number"),
        ({"model": STATE, "train_indices": [1.5]}, "its train_indices are not all whole numbers"),
        ({"model": STATE, "train_indices": torch.zeros(3)}, "its train_indices are not a list of whole numbers"),
        ({"model": STATE, "train_indices": torch.tensor([True, False])}, "its train_indices are not a list of whole"),
        ({"model": STATE, "train_indices": torch.tensor([3, 1, 3])}, "name a pair twice"),
        ({"model": STATE, "epoch": "last"}, "epoch is 'last', not a whole number"),
        ({"model": STATE, OURS: {"first_test_step": 2, "test_every": 1}}, "has first_test_step 2 and test_every 1"),
        ({"model": STATE, OURS: {"first_test_step": 0, "test_every": 0}}, "has first_test_step 0 and test_every 0"),
        ({"model": STATE, OURS: {"first_test_step": "0"}}, "first_test_step of 'grokterm export' is '0', not a whole"),
    ],
)
def test_parts_that_do_not_fit_are_named(values: dict[str, Any], said: str) -> None:
    assert said in refused(**values)


def test_settings_come_from_the_optimizer_before_the_config() -> None:
    group = {"lr": 0.0, "initial_lr": 1e-3, "betas": (0.9, 0.98), "eps": 1e-8, "weight_decay": 1.0, "params": [0]}
    found = settings({"lr": 5, "frac_train": 0.3, "seed": 4, "fn_name": "add"}, {"state": {}, "param_groups": [group]})
    assert found == Settings(1e-3, 1.0, (0.9, 0.98), 1e-8, 0.3, "add", (4,))
    assert settings({"lr": 2e-3, "wd": 0.1, "data_seed": 598, "seed": 999}, None) == Settings(
        lr=2e-3, weight_decay=0.1, seeds=(598, 999)
    )


@pytest.mark.parametrize(
    "odd", [{"lr": "fast"}, {"lr": -1.0}, {"lr": math.nan}, {"frac_train": 2}, {"seed": -3}, [], 5]
)
def test_a_setting_that_cannot_be_one_is_as_if_it_were_not_there(odd: object) -> None:
    assert settings(odd, odd) == Settings()


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (Choices(lr=5), "--lr 5 is not what the file says: it was trained with the learning rate 0.001"),
        (Choices(lr=0), "--lr 0 is not what the file says"),
        (Choices(weight_decay=7), "--weight-decay 7 is not what the file says: it was trained with the weight decay 1"),
    ],
)
def test_a_flag_that_contradicts_the_file_is_refused(said: Choices, sentence: str) -> None:
    with pytest.raises(UsageError) as raised:
        refuse_contradictions(said, Settings(lr=1e-3, weight_decay=1.0))
    assert str(raised.value).startswith(sentence)
    refuse_contradictions(said, Settings())
    refuse_contradictions(Choices(lr=1e-3, weight_decay=1), Settings(lr=float(np.float32(1e-3)), weight_decay=1.0))


@pytest.mark.parametrize(
    ("key", "value"), [("n_layers", 2), ("act_fn", "gelu"), ("normalization_type", "LNPre"), ("use_ln", True)]
)
def test_a_model_that_computes_something_else_is_refused(key: str, value: object) -> None:
    assert f"its config says {key} = {value!r}" in refused(model=STATE, config={key: value})
    same = {"n_layers": 1, "act_fn": "relu", "act_type": "ReLU", "normalization_type": None, "use_ln": False}
    assert taken(model=STATE, config=same).settings == Settings()


def test_a_bare_state_dict_is_its_own_final_weights() -> None:
    state = dict(foreign.in_layout("Nanda", foreign.trained().states[-1]))
    found = contents(Opened(state, {}, 10**6))
    assert found.final is state
    assert not found.checkpoints
    assert len(found.train_losses) == len(found.test_losses) == 0
