"""Presets: read, overridden, checked, and refused with the file, the key and the nearest right word."""

import re
from pathlib import Path

import pytest
import tomli_w

from grokterm.catalog import Catalog
from grokterm.errors import UsageError
from grokterm.preset import of_run, read, versions
from grokterm.preset_files import COSTS, find, packaged

SMALL = """
description = "small"
[task]
name = "modular"
[model]
name = "transformer"
[optimizer]
name = "adamw"
[training]
steps = 10
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(SMALL)
    return path


def test_defaults_are_filled_in(small: Path) -> None:
    preset = read(small)
    assert (preset.name, preset.description) == ("small", "small")
    assert preset.task.name == "modular"
    assert dict(preset.task.settings) == {
        "p": 113,
        "operation": "add",
        "train_fraction": 0.3,
        "split": "python",
        "split_seed": None,
    }
    assert dict(preset.model.settings) == {"d_model": 128, "n_heads": 4, "d_mlp": 512, "exact": "fast"}
    assert preset.optimizer.settings["betas"] == (0.9, 0.98)
    training = preset.training
    assert (training.steps, training.seed, training.warmup_steps) == (10, 0, 0)
    assert (training.test_every, training.measure_every, training.checkpoint_every) == (1, 20, 100)


@pytest.mark.parametrize("path", packaged().values(), ids=lambda path: path.stem)
def test_packaged_presets_are_valid_and_explained(path: Path) -> None:
    preset = read(path)
    assert re.fullmatch(r".+ \d{4}", preset.paper)
    assert preset.cost in COSTS
    assert 10 < len(preset.description) < 100
    comment = path.read_text().partition("\ndescription")[0]
    assert "What to expect" in comment
    assert "What to try" in comment


def test_mainline_is_the_papers() -> None:
    preset = read(find("mod113"))
    assert preset.task.settings["p"] == 113
    assert preset.task.settings["train_fraction"] == 0.3
    assert (preset.optimizer.settings["lr"], preset.optimizer.settings["weight_decay"]) == (1e-3, 1.0)
    assert (preset.training.steps, preset.training.warmup_steps) == (25_000, 10)


def test_overrides_have_toml_values(small: Path) -> None:
    overrides = [
        "optimizer.lr=2e-3",
        "optimizer.betas=[0.8, 0.9]",
        "task.operation=subtract",
        'task.split = "torch"',
        "training.seed=7",
        "training.seed=8",
        "training.threads=auto",
    ]
    preset = read(small, overrides)
    assert preset.optimizer.settings["lr"] == 0.002
    assert preset.optimizer.settings["betas"] == (0.8, 0.9)
    assert (preset.task.settings["operation"], preset.task.settings["split"]) == ("subtract", "torch")
    assert (preset.training.seed, preset.training.threads) == (8, "auto")


def test_its_paper_and_its_cost_are_said_or_not(small: Path) -> None:
    assert (read(small).paper, read(small).cost) == ("", None)
    small.write_text(f'paper = "Power et al. 2022"\ncost = "A"\n{SMALL}')
    assert (read(small).paper, read(small).cost) == ("Power et al. 2022", "A")


def test_a_run_repeats_neither_and_asks_for_neither(small: Path) -> None:
    small.write_text(f'paper = "Power et al. 2022"\ncost = "A"\n{SMALL}')
    config = {"preset": "small", "threads": 2, **read(small).to_toml()}
    assert not {"paper", "cost"} & config.keys()
    told = of_run({**config, "paper": 3, "cost": "F"}, "run.toml", Catalog())  # what another version may keep there
    assert (told.paper, told.cost, told.training.threads) == ("", None, 2)


def test_resolved_preset_reads_back_as_itself(small: Path) -> None:
    preset = read(small, ["task.split_seed=4", "optimizer.betas=[0.1,0.2]"])
    again = small.with_name("again.toml")
    again.write_text(tomli_w.dumps(preset.to_toml()))
    assert read(again).to_toml() == preset.to_toml()
    assert "split_seed" not in read(small).to_toml()["task"]


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("optimizer.lrr=1", "there is no key optimizer.lrr; did you mean 'lr'?"),
        ("optimiser.lr=1", "there is no key optimiser; did you mean 'optimizer'?"),
        ("training.step=1", "there is no key training.step; did you mean 'steps'?"),
        ("task.seed=1", "there is no key task.seed"),
        ("task.p=114", "task.p = 114 must be an odd prime; the nearest is 113 or 127"),
        ("task.p=2", "task.p = 2 must be an odd prime; the nearest is 3"),
        ("task.train_fraction=1.0", "task.train_fraction = 1.0 must be less than 1"),
        ("task.operation=plus", "task.operation = 'plus' must be 'add' or 'subtract'"),
        ("optimizer.lr=fast", "optimizer.lr = 'fast' must be a valid number"),
        ("optimizer.lr=inf", "optimizer.lr = inf must be a finite number"),
        ("optimizer.betas=[0.9]", "optimizer.betas = [0.9] "),
        ("optimizer.name=adamw2", "there is no optimizer 'adamw2'; did you mean 'adamw'?"),
        ("model.name=3", "[model] needs name = one of "),
        ("training.steps=0", "training.steps = 0 must be greater than or equal to 1"),
        ("training.warmup_steps=-1", "training.warmup_steps = -1 must be greater than or equal to 0"),
        ("training.device=tpu", "training.device = 'tpu' must be 'auto', 'cpu' or 'cuda'"),
        ("optimizer.lr", "write it as section.key=value, for instance optimizer.lr=2e-3"),
        ("lr=1", "write it as section.key=value, for instance optimizer.lr=2e-3"),
        ("description.x=1", "description is not a section"),
        ("paper.x=1", "paper is not a section"),
        ("cost.x=1", "cost is not a section"),
    ],
)
def test_override_that_cannot_be_obeyed_is_named(small: Path, override: str, sentence: str) -> None:
    """Also when a later override of the same section is right."""
    with pytest.raises(UsageError) as caught:
        read(small, [override, "optimizer.eps=1e-6", "task.split_seed=5"])
    assert str(caught.value).removesuffix(":").startswith(f"--set {override}: ")
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("steps = 10", "steps = -3", "training.steps = -3 must be greater than or equal to 1"),
        ("steps = 10", "", "[training] needs steps"),
        ("[model]\n", "[models]\n", "there is no key models; did you mean 'model'?"),
        ('[model]\nname = "transformer"\n', "", "needs a section [model]"),
        ('"modular"', '"modula"', "there is no task 'modula'; did you mean 'modular'?"),
        ("steps = 10", "steps = ", "is not valid TOML: "),
        ("description", 'papers = ""\ndescription', "there is no key papers; did you mean 'paper'?"),
        ("description", 'cots = "A"\ndescription', "there is no key cots; did you mean 'cost'?"),
        ("description", 'cost = "F"\ndescription', "cost = 'F' must be 'A', 'B', 'C', 'D' or 'E'"),
        ("description", "paper = 2023\ndescription", "paper = 2023 must be text on one line, for instance"),
    ],
)
def test_file_that_cannot_be_obeyed_is_named(small: Path, old: str, new: str, sentence: str) -> None:
    assert old in SMALL
    small.write_text(SMALL.replace(old, new))
    with pytest.raises(UsageError) as caught:
        read(small, ["optimizer.lr=1"])
    assert str(caught.value).startswith(str(small))
    assert sentence in str(caught.value)


def test_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nothing\.toml cannot be read: No such file"):
        read(tmp_path / "nothing.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff")
    with pytest.raises(UsageError, match=r"bytes\.toml is not valid TOML"):
        read(tmp_path / "bytes.toml")


def test_versions_are_read_without_importing() -> None:
    found = versions()
    assert set(found) == {"grokterm", "torch", "numpy"}
    assert found["torch"].startswith("2.")
