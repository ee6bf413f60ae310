"""The words that pick runs: what each of them holds for, and what is said of those that mean nothing."""

import math
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from grokterm.errors import UsageError
from grokterm.run.directory import RunDirectory
from grokterm.run_filter import read, understand, without_begun_key
from grokterm.summary import Summary

SETTINGS = ("device", "task.name", "task.p", "optimizer.lr", "optimizer.weight_decay", "training.device", "training.p2")
RUN = Summary(
    RunDirectory(Path("runs/2027-01-15-mod113-quick")),
    "2027-01-15-mod113-quick",
    "finished",
    preset="mod113-quick",
    seed=3,
    step=12_000,
    steps=12_000,
    train_loss=1.5e-7,
    test_loss=math.nan,
    test_accuracy=0.995,
    phase="circuit formation",
    memorized_at=1_400,
    started=datetime(2027, 1, 15, 8, 0).timestamp(),
    tags=("good", "Seed Sweep"),
    config={
        "device": "cpu",
        "task": {"name": "modular", "p": 113},
        "optimizer": {"lr": 1e-3, "weight_decay": 1.0, "betas": [0.9, 0.98], "huge": 10**400, "fast": True},
    },
)


def test_a_short_name_means_what_the_run_was_told_before_where_it_came_from() -> None:
    settings = ["source.operation", "task.operation", "source.layout"]
    imported = replace(RUN, config={"task": {"operation": "add"}, "source": {"operation": "x", "layout": "nanda"}})
    assert read("operation:add source.operation:x layout:nanda", settings).holds(imported)
    with pytest.raises(UsageError, match=r"kind could be model\.kind or task\.kind"):
        read("kind:x", ["task.kind", "model.kind", "source.kind"])


def holds(words: str) -> bool:
    return read(words, [*SETTINGS, "optimizer.betas", "optimizer.huge", "optimizer.fast"]).holds(RUN)


@pytest.mark.parametrize(
    "words",
    [
        "",
        "   ",
        "state:done",
        "state:finished",
        "state=DONE",
        "state:fin",
        "lr>=1e-3",
        "lr<=1e-3",
        "lr=0.001",
        "lr==.001",
        "lr:1E-3",
        "optimizer.lr>1e-4",
        "lr<2e-3",
        "lr!=2e-3",
        "p:113",
        "task.p=113",
        "wd:1",
        "weight_decay=1.0",
        "seed:3",
        "step>10k",
        "step>=12_000",
        "steps<1M",
        "phase:circuit",
        'phase:"circuit formation"',
        'phase="Circuit Formation"',
        "tag:good",
        "tags:sweep",
        'tag="seed sweep"',
        "betas:0.98",
        "betas>0.95",
        "huge>1e300",
        "fast:yes",
        "fast:true",
        "-fast:no",
        "test_loss:nan",
        "imported:no",
        "device:cpu",
        "name:quick",
        "preset:113",
        "quick",
        "MOD113",
        "2027-01-15",
        "goo",
        '"Seed S"',
        "-mod97",
        "!mod97",
        "--mod113",
        "memorized_at<2000",
        "-grokked_at>0",
        "grokked_at!=3",
        "started>=2027-01-15",
        "started<=2027-01-15",
        "started<2027-01-16",
        "started>2027-01-14",
        "started:2027-01-15",
        "when:2027-01-15T08:00",
        "started!=2027-01-14",
        "started>1000",
        "state:done lr>=1e-3 p:113",
        "path:runs",
    ],
)
def test_words_that_hold(words: str) -> None:
    assert holds(words)


@pytest.mark.parametrize(
    "words",
    [
        "state:running",
        "state:training",
        "state=fin",
        "lr>1e-3",
        "lr<1e-3",
        "lr:1",
        "lr=0.0011",
        "p:11",
        "p:abc",
        "p!=113",
        "name=quick",
        "-quick",
        "!quick",
        "quick -good",
        "mod97",
        "tag:bad",
        "tag=sweep",
        "fast:no",
        "fast>0",
        "grokked_at>0",
        "grokked_at:1",
        "grokked_at<=1",
        "test_loss>0",
        "test_loss<=0",
        "test_loss=1",
        "started>2027-01-15",
        "started<2027-01-15",
        "started:2027-01-14",
        "started!=2027-01-15",
        "started:2027-01-15T08:01",
        "state:done p:97",
        "training.device:auto",
    ],
)
def test_words_that_do_not_hold(words: str) -> None:
    assert not holds(words)


def test_a_day_ends_where_the_next_begins() -> None:
    midnight = replace(RUN, started=datetime(2027, 1, 15).timestamp())
    for words, expected in (
        ("started>2027-01-14", True),
        ("started<=2027-01-14", False),
        ("started:2027-01-14", False),
        ("started:2027-01-15", True),
        ("started>=2027-01-15", True),
        ("started<2027-01-15", False),
    ):
        assert read(words, SETTINGS).holds(midnight) == expected, words


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("statt:done", "statt:done: there is no key 'statt'; did you mean 'state'?"),
        ("quick learning_rate>1", "learning_rate>1: there is no key 'learning_rate'; "),
        ("zzz=1", "zzz=1: there is no key 'zzz'; fields: name, path, state, "),
        ("wieght_decay:1", "did you mean 'weight_decay'?"),
        ("lr>=", "lr>=: a value is missing after >="),
        ("lr:", "lr:: a value is missing after :"),
        ("-lr>fast", "lr>fast: > needs a number, and 'fast' is none"),
        ("state>done", "state>done: > needs a number, and 'done' is none"),
        ("started>soon", "started>soon: > needs a day such as 2027-03-04, and 'soon' is none"),
        ("started:soon", "started:soon: started is compared with a day such as 2027-03-04, and 'soon' is none"),
        ("started>2027-13-40", "needs a day such as 2027-03-04"),
    ],
)
def test_a_word_that_means_nothing_is_explained(words: str, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        holds(words)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_the_last_part_of_a_setting_must_be_that_of_one() -> None:
    settings = ("model.lr", "optimizer.lr", "device", "training.device")
    with pytest.raises(UsageError, match=r"lr>1: lr could be model\.lr or optimizer\.lr"):
        read("lr>1", settings)
    read("model.lr>1 device:cpu", settings)  # a whole path is never unclear


def test_a_filter_that_is_being_typed_goes_as_far_as_it_is_understood() -> None:
    found = understand("state:done lr>= statt:x", SETTINGS)
    assert found.holds(RUN)
    assert [problem.partition(":")[0] for problem in found.problems] == ["lr>=", "statt"]
    assert not understand("state:failed lr>=", SETTINGS).holds(RUN)


def test_half_a_key_can_be_left_out_while_it_is_typed() -> None:
    for key in ("state", "lr", "-test_accuracy", "WD", "optimizer.lr", "tag"):
        for end in range(1 + key.startswith("-"), len(key) + 1):
            assert without_begun_key(f"state:done {key[:end]}", SETTINGS) == "state:done "
    for kept in ("state:done quick", "state:done ", "zzz", '"lr', ""):
        assert without_begun_key(kept, SETTINGS) == kept


@pytest.mark.parametrize("words", ['"', '""', '"open', "-", "!", ":", ">=3", "=", "a:\x1b", "\\", "(", '-"', "1e400>2"])
def test_half_words_are_no_crash(words: str) -> None:
    understand(words, SETTINGS).holds(RUN)
