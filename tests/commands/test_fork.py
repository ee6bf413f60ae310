"""`grokterm fork`: the branch that is made and trained, and the sentences about what cannot be."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner, Result

from grokterm.cli import app
from grokterm.errors import GroktermError, RunError, UsageError
from grokterm.run.directory import RunDirectory
from grokterm.run.table import read_table
from tests.run_equality import differences
from tests.terminal import TINY
from tests.trained import trained


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def grokterm(*arguments: object, expected: int = 0) -> Result:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == expected, (result.output, result.exception)
    return result


def refused(*arguments: object) -> GroktermError:
    error = grokterm("fork", *arguments, expected=1).exception
    assert isinstance(error, GroktermError)
    return error


def forks(runs: Path) -> list[RunDirectory]:
    return [RunDirectory(path) for path in runs.glob("*-from-*")]


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    grokterm("run", "presets/mod113-quick", *TINY, "--runs", tmp_path / "runs", "--steps", 60, "--name", "tiny")
    (path,) = (tmp_path / "runs").iterdir()
    return RunDirectory(path)


def test_a_fork_is_made_and_trained(run: RunDirectory) -> None:
    runs = run.path.parent
    said = grokterm("fork", "tiny@30", "--set", "optimizer.lr=1e-3", "--runs", runs, "--steps", 50).output
    (fork,) = forks(runs)
    assert said.splitlines()[0] == f"{fork.name}: fork of {run.name} at step 30 (goes on from its checkpoint at step 0)"
    assert "finished at step 50 of 50" in said
    config = tomllib.loads(fork.config_path.read_text())
    assert config["parent"]["run"] == run.name
    ours, theirs = read_table(fork.steps_path), read_table(run.steps_path)
    assert ours["train_loss"][:31].tolist() == theirs["train_loss"][:31].tolist()
    assert ours["lr"][29:31].tolist() == [0.005, 0.001]
    assert len(ours) == 50


def test_a_fork_without_a_change_is_its_parent_again(run: RunDirectory) -> None:
    grokterm("fork", f"{run.path}@50%", "--name", "same")
    (same,) = run.path.parent.glob("*-same")
    assert differences(RunDirectory(same), run) == []


def test_steps_and_percentages_are_understood(tmp_path: Path) -> None:
    run = trained(tmp_path)
    error = refused(f"{run.path}@soon")
    assert isinstance(error, UsageError)
    assert str(error) == f"{run.path}@soon: 'soon' is no step and no percentage; write 1200, 12k or 40%"
    assert f"{run.name} has no step 2,000: it ends at step 1,000" in str(
        refused(f"{run.path}@2k", "--set", "steps=5000")
    )
    assert isinstance(refused("nobody@30", "--runs", tmp_path), RunError)
    assert forks(tmp_path) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("@1001",), "has no step 1,001: it ends at step 1,000"),
        (("@600.5",), "'600.5' is no step and no percentage"),
        (("@600", "--moments", "reset"), "--moments reset is about knobs that turn: --set KNOB=V says which"),
        (("@600", "--moments", "reset", "--steps", "2000"), "--moments reset is about knobs that turn"),
        (("@600", "--set", "lr=1", "--set", "lr=2"), "--set lr=2: lr is set twice"),
        (("@600", "--set", "lr=1 optimizer.lr=2"), "lr is set twice"),
        (("@600", "--set", "steps=2000", "--steps", "3000"), "--steps 3000: --set has steps too"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    run = trained(tmp_path)
    assert said in str(refused(f"{run.path}{arguments[0]}", *arguments[1:]))
    assert forks(tmp_path) == []


def test_a_run_may_have_an_at_sign_in_its_name(tmp_path: Path) -> None:
    run = trained(tmp_path, "mod@home")
    assert f"{run.path} is planned to end at step 1,000" in str(refused(run.path))


def test_a_fork_needs_something_left_to_train(tmp_path: Path) -> None:
    run = trained(tmp_path)
    error = refused(run.path)
    assert isinstance(error, UsageError)
    assert str(error) == (
        f"{run.path} is planned to end at step 1,000, and so would a fork at step 1,000; "
        "--steps N with a larger N trains it on"
    )


@pytest.mark.parametrize(
    ("set_", "said"),
    [
        ("lrr=1", "--set lrr=1: there is no knob 'lrr'; did you mean 'lr'?"),
        ("lr", "--set lr: 'lr': write KNOB=VALUE"),
        ("lr=-1", "lr = -1: must be greater than or equal to 0"),
        ("task.p=7", "--set task.p=7: there is no knob 'task.p'"),
    ],
)
def test_a_knob_that_cannot_be_turned_is_named(tmp_path: Path, set_: str, said: str) -> None:
    error = refused(f"{trained(tmp_path).path}@600", "--set", set_)
    assert isinstance(error, UsageError)
    assert said in str(error)
    assert forks(tmp_path) == []
