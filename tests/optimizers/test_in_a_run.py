"""Every optimizer in a run: its knobs are columns that turn by plan and by hand, and it goes on bit for bit."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from grokterm.catalog import Catalog
from grokterm.engine import trainer as trainer_module
from grokterm.engine.launch import Ended, resume, train
from grokterm.errors import UsageError
from grokterm.knob_values import checked_knob
from grokterm.preset import read
from grokterm.run import checkpoint
from grokterm.run.directory import RunDirectory, create
from grokterm.run.events import ask
from grokterm.run.table import read_table
from tests.hosts import alone
from tests.run_equality import differences

TINY = """
description = "a tiny task"
[task]
name = "modular"
p = 7
train_fraction = 0.5
[model]
name = "transformer"
d_model = 8
n_heads = 2
d_mlp = 12
[optimizer]
name = "{name}"
lr = 1e-2
[training]
steps = 12
seed = 3
warmup_steps = 4
measure_every = 6
checkpoint_every = 5
threads = 1
device = "cpu"
"""

# What is planned at a step: off, on again, and what else may turn meanwhile.
PLANS: dict[str, dict[int, dict[str, float]]] = {
    "adam": {5: {"weight_decay": 0.5}},
    "sgd": {3: {"momentum": 0.0}, 8: {"momentum": 0.5}},
    "orthograd": {4: {"orthograd": 0}, 9: {"orthograd": 1}},
    "grokfast": {4: {"grokfast": 0}, 7: {"grokfast": 3}, 9: {"grokfast_alpha": 0.5}},
    "grokfast queue": {2: {"grokfast_window": 3}, 5: {"grokfast_window": 2}, 7: {"grokfast": 0}, 8: {"grokfast": 1}},
    "pinned_norm": {3: {"pinned_norm": 5.0}, 6: {"pinned_norm": 0}, 9: {"pinned_norm": 7.5}},
}


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    """A run sets torch's number of threads for its process."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def begin(run: RunDirectory, name: str, plan: dict[int, dict[str, float]]) -> Ended:
    preset = run.path.parent.parent / "tiny.toml"
    planned = [
        f"[[interventions]]\nat = {step}\nset = {{ {', '.join(f'{knob} = {value}' for knob, value in knobs.items())} }}"
        for step, knobs in plan.items()
    ]
    preset.write_text("\n".join([TINY.format(name=name), *planned]))
    return train(run, read(preset, [], Catalog()), Catalog(), alone())


@pytest.mark.parametrize("case", PLANS)
def test_it_goes_on_as_if_nothing_had_been(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer_module, "FULL_CHECKPOINT_SECONDS", -1.0)  # a full checkpoint at every step
    name, _, _ = case.partition(" ")
    whole = create(tmp_path / "runs", "whole")
    assert begin(whole, name, PLANS[case]) == Ended("finished")
    steps = read_table(whole.steps_path)
    for at, knobs in PLANS[case].items():
        for knob, value in knobs.items():
            assert steps[knob][at] == value
            assert steps[knob][at - 1] != value
    assert np.isfinite(steps["train_loss"]).all()
    for info in checkpoint.list_checkpoints(whole.checkpoints):
        if info.step - 1 not in (0, *PLANS[case]):  # after the first step, and after each at which something turned
            continue
        run = RunDirectory(tmp_path / f"from {info.step}" / whole.name)
        shutil.copytree(whole.path, run.path)
        for later in checkpoint.list_checkpoints(run.checkpoints):
            if later.step > info.step:
                later.path.unlink()
        lines = run.events_path.read_bytes().splitlines(keepends=True)
        run.events_path.write_bytes(b"".join(lines[:-1]))  # without its end
        assert resume(run, Catalog(), alone(), ()) == Ended("finished")
        assert differences(whole, run) == [], f"from step {info.step}"


def test_what_is_remembered_is_saved_as_tensors_and_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer_module, "FULL_CHECKPOINT_SECONDS", -1.0)
    run = create(tmp_path / "runs", "tiny")
    begin(run, "grokfast", PLANS["grokfast"])
    there = []
    for info in checkpoint.list_checkpoints(run.checkpoints):
        tensors = checkpoint.read(info.path).tensors
        there.append({name for name in tensors if name.endswith("/grokfast_average")})
    assert [bool(names) for names in there] == [step in (1, 2, 3, 4, *range(8, 13)) for step in range(13)]
    assert "optimizer/W_E/grokfast_average" in there[1]


def test_gradient_norm_is_that_of_the_loss(tmp_path: Path) -> None:
    """What is done around the step changes the update, and not the gradient that is told: at step 0 all tell one."""
    told = []
    for name in ("adamw", "orthograd", "grokfast", "pinned_norm"):
        run = create(tmp_path / name / "runs", "tiny")
        begin(run, name, {})
        told.append(float(read_table(run.steps_path)["grad_norm"][0]))
    assert told == [told[0]] * 4


def test_weights_lie_on_the_sphere_that_is_asked_for(tmp_path: Path) -> None:
    run = create(tmp_path / "runs", "tiny")
    ask(run.path, "set", knob="pinned_norm", value=6, at=4)
    begin(run, "pinned_norm", {})
    squares = read_table(run.measures_path)["weight_norm_sq"]
    assert squares[0] != pytest.approx(36)
    assert squares[1:].tolist() == pytest.approx([36, 36], rel=1e-6)


@pytest.mark.parametrize(
    ("name", "knob", "value", "why"),
    [
        ("orthograd", "orthograd", 2, "orthograd = 2: must be less than or equal to 1"),
        ("orthograd", "orthograd", 0.5, "orthograd = 0.5: must be a valid integer"),
        ("grokfast", "grokfast", -1, "grokfast = -1: must be greater than or equal to 0"),
        ("grokfast", "grokfast_alpha", 1, "grokfast_alpha = 1: must be less than 1"),
        ("grokfast", "grokfast_window", 1001, "grokfast_window = 1001: must be less than or equal to 1000"),
        ("grokfast", "weight_decay_kind", 1, "there is no knob 'weight_decay_kind'; did you mean 'weight_decay'?"),
        ("pinned_norm", "pinned_norm", -2, "pinned_norm = -2: must be greater than or equal to 0"),
        ("sgd", "momentum", 1, "momentum = 1: must be less than 1"),
        ("adamw", "grokfast", 2, "there is no knob 'grokfast'"),
    ],
)
def test_refusals(name: str, knob: str, value: float, why: str) -> None:
    with pytest.raises(UsageError) as caught:
        checked_knob(Catalog().settings("optimizers", name), knob, value)
    assert str(caught.value).startswith(why)


def test_a_preset_with_such_a_value_is_refused(tmp_path: Path) -> None:
    preset = tmp_path / "tiny.toml"
    preset.write_text(TINY.format(name="grokfast"))
    with pytest.raises(UsageError, match=r"optimizer\.weight_decay_kind = 'l3' must be 'l2' or 'decoupled'"):
        read(preset, ["optimizer.weight_decay_kind=l3"], Catalog())
    with pytest.raises(UsageError, match=r"optimizer\.grokfast_window = 2000 must be less than or equal to 1000"):
        read(preset, ["optimizer.grokfast_window=2000"], Catalog())
