"""`[[interventions]]`: read from presets and run.toml, checked, and refused with the file, the entry and the key."""

import math
import tomllib
from pathlib import Path

import pytest
import tomli_w

from grokterm.catalog import Catalog
from grokterm.errors import UsageError
from grokterm.interventions import Condition, Intervention, condition_from
from grokterm.preset import Preset, of_run, read

SMALL = """
[task]
name = "modular"
[model]
name = "transformer"
[optimizer]
name = "adamw"
[training]
steps = 10
"""


def preset(folder: Path, *entries: str) -> Preset:
    path = folder / "small.toml"
    path.write_text(SMALL + "".join(f"[[interventions]]\n{entry}\n" for entry in entries))
    return read(path)


def test_entries_are_read_in_their_order(tmp_path: Path) -> None:
    found = preset(
        tmp_path,
        'at = 600\nset = { weight_decay = 0.5, lr = 2 }\nmoments = "reset"',
        'when = "test_accuracy>=0.5"\nset = { steps = 2000 }',
    ).interventions
    assert found == (
        Intervention(600, None, {"weight_decay": 0.5, "lr": 2.0}, "reset"),
        Intervention(None, Condition("test_accuracy", ">=", 0.5), {"steps": 2000}, "kept"),
    )
    assert list(found[0].set) == ["weight_decay", "lr"]
    assert [entry.why for entry in found] == ["at 600", "test_accuracy >= 0.5"]
    (asked,) = preset(tmp_path, "at = 600\nset = { lr = 2 }\nby_hand = true").interventions
    assert (asked.by_hand, asked.why) == (True, "")
    assert asked.to_toml() == {"at": 600, "set": {"lr": 2.0}, "moments": "kept", "by_hand": True}
    assert "by_hand" not in found[0].to_toml()
    with pytest.raises(UsageError, match=r"interventions\[0\].by_hand = 1 must be true or false"):
        preset(tmp_path, "at = 600\nset = { lr = 2 }\nby_hand = 1")
    assert isinstance(found[1].set["steps"], int)


def test_a_preset_without_them_has_none(tmp_path: Path) -> None:
    assert preset(tmp_path).interventions == ()
    assert "interventions" not in preset(tmp_path).to_toml()


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("test_accuracy >= 0.5", Condition("test_accuracy", ">=", 0.5)),
        (" grad_norm<1e-3 ", Condition("grad_norm", "<", 1e-3)),
        ("weight_norm_sq/W_E != 0", Condition("weight_norm_sq/W_E", "!=", 0.0)),
        ("key frequencies == 5", Condition("key frequencies", "==", 5.0)),
        ("train_loss <= inf", Condition("train_loss", "<=", math.inf)),
        ("logit_margin_min > -2.5", Condition("logit_margin_min", ">", -2.5)),
        ("test_accuracy => 0.5", None),
        ("test_accuracy = 0.5", None),
        ("test_accuracy >= half", None),
        ("test_accuracy >= nan", None),
        ("test_accuracy >= 0.5 > 0", None),
        ("test_accuracy >= 0.5 now", None),
        ("0.5", None),
        (">= 0.5", None),
        ("test_accuracy >=", None),
        ("", None),
    ],
)
def test_conditions(text: str, condition: Condition | None) -> None:
    assert condition_from(text) == condition
    assert condition is None or condition_from(str(condition)) == condition


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ("at = 3", "interventions[1] needs set = { KNOB = VALUE }, for instance set = { lr = 2e-3 }"),
        ("at = 3\nset = {}", "interventions[1] needs set"),
        ("at = 3\nset = 5", "interventions[1] needs set"),
        ("set = { lr = 1 }", 'interventions[1] needs either at = STEP or when = "NAME >= NUMBER", and not both'),
        ('at = 3\nwhen = "lr > 0"\nset = { lr = 1 }', "interventions[1] needs either at = STEP or when"),
        ("at = -1\nset = { lr = 1 }", "interventions[1].at = -1 must be a whole number from 0 to 1,000,000,000,000"),
        ("at = 2.5\nset = { lr = 1 }", "interventions[1].at = 2.5 must be a whole number"),
        ("at = true\nset = { lr = 1 }", "interventions[1].at = True must be a whole number"),
        ('at = "3"\nset = { lr = 1 }', "interventions[1].at = '3' must be a whole number"),
        (f"at = {10**13}\nset = {{ lr = 1 }}", "interventions[1].at = 10000000000000 must be a whole number"),
        (
            'when = "test_loss"\nset = { lr = 1 }',
            "interventions[1].when = 'test_loss' is no condition; write a recorded",
        ),
        ("when = 3\nset = { lr = 1 }", "interventions[1].when = 3 is no condition"),
        ('when = "step > 3"\nset = { lr = 1 }', "interventions[1].when = 'step > 3' names a step; write at = STEP"),
        ("at = 3\nsets = { lr = 1 }", "there is no key interventions[1].sets; did you mean 'set'?"),
        ("at = 3\nset = { lrr = 1 }", "interventions[1].set: there is no knob 'lrr'; did you mean 'lr'?"),
        ("at = 3\nset = { betas = [0.9, 0.98] }", "interventions[1].set: there is no knob 'betas'; did you mean 'beta"),
        ("at = 3\nset = { optimizer.lr = 1 }", "interventions[1].set: there is no knob 'optimizer'"),
        ("at = 3\nset = { p = 7 }", "interventions[1].set: there is no knob 'p'"),
        ("at = 3\nset = { lr = -1 }", "interventions[1].set: lr = -1: must be greater than or equal to 0"),
        ("at = 3\nset = { beta2 = 1.0 }", "interventions[1].set: beta2 = 1.0: must be less than 1"),
        ("at = 3\nset = { lr = inf }", "interventions[1].set: lr = inf: must be a finite number"),
        ('at = 3\nset = { lr = "fast" }', "interventions[1].set: lr = fast: must be a number"),
        (
            "at = 3\nset = { test_every = 0 }",
            "interventions[1].set: test_every = 0: must be a whole number of at least 1",
        ),
        ('at = 3\nset = { lr = 1 }\nmoments = "keep"', "interventions[1].moments = 'keep' must be 'kept' or 'reset'"),
        ("at = 3\nset = { lr = 1 }\nmoments = []", "interventions[1].moments = [] must be 'kept' or 'reset'"),
    ],
)
def test_an_entry_that_cannot_be_is_named(tmp_path: Path, entry: str, sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        preset(tmp_path, "at = 0\nset = { lr = 1 }", entry)
    assert str(caught.value).startswith(f"{tmp_path / 'small.toml'}: {sentence}")


@pytest.mark.parametrize("text", ["interventions = 3", "interventions = [1]", "[interventions]\nat = 3"])
def test_what_is_no_list_of_tables_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "small.toml"
    path.write_text(f"{text}\n{SMALL}")
    with pytest.raises(
        UsageError, match=r"small\.toml: interventions is no list of tables; begin each with a line \[\["
    ):
        read(path)
    path.write_text(SMALL)
    with pytest.raises(UsageError, match=r"^--set interventions\.at=3: interventions is no list of tables"):
        read(path, ["interventions.at=3"])


def test_a_run_toml_says_the_same(tmp_path: Path) -> None:
    told = preset(
        tmp_path,
        'at = 600\nset = { weight_decay = 0.1 }\nmoments = "reset"',
        'when = "test_accuracy >= 1e-7"\nset = { beta1 = 0.3, measure_every = 7 }',
    )
    more = {"format": 1, "preset": "small", "threads": 3, "device": "cpu", "started": 1.5, "seed": 0, "host": "x"}
    text = tomli_w.dumps({**more, "parent": {"run": "y", "step": 3}, **told.to_toml()})
    found = of_run(tomllib.loads(text), "here", Catalog())
    assert found.interventions == told.interventions
    assert (found.name, found.training.threads, found.training.device) == ("small", 3, "auto")
    assert (found.task, found.model, found.optimizer) == (told.task, told.model, told.optimizer)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"training": 3}, r"here: needs a section \[training\]"),
        ({"task": {"name": "modular", "p": 8}}, "here: task.p = 8 must be an odd prime; the nearest is 7 or 11"),
        ({"threads": 0}, "here: training.threads = 0 "),
        ({"interventions": [{"at": 3}]}, r"here: interventions\[0\] needs set"),
    ],
)
def test_a_run_toml_is_checked_as_a_preset_is(tmp_path: Path, changes: dict[str, object], sentence: str) -> None:
    config = {"preset": "small", "threads": 1, **preset(tmp_path).to_toml(), **changes}
    with pytest.raises(UsageError, match=f"^{sentence}"):
        of_run(config, "here", Catalog())
