"""`grokterm resume`: what it goes on with and from where, what it refuses, and that nothing of the run is lost."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner, Result

from grokterm.cli import app
from grokterm.errors import GroktermError, RunError, UsageError
from grokterm.run.directory import RunDirectory, create
from grokterm.run.lock import Lock, is_alive
from grokterm.run.table import read_table
from tests.run_equality import differences
from tests.terminal import TINY, kill_trainers
from tests.trained import trained
from tests.waiting import wait_for


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
    error = grokterm("resume", *arguments, expected=1).exception
    assert isinstance(error, GroktermError)
    return error


def tiny(runs: Path, steps: int, name: str = "tiny") -> RunDirectory:
    grokterm("run", "presets/mod113-quick", *TINY, "--runs", runs, "--steps", steps, "--name", name)
    (path,) = runs.glob(f"*-{name}")
    return RunDirectory(path)


def test_a_finished_run_is_trained_on_to_another_end(tmp_path: Path) -> None:
    run, other = tiny(tmp_path / "a", 60), tiny(tmp_path / "b", 90)
    said = grokterm("resume", "tiny", "--runs", tmp_path / "a", "--steps", 90).output.splitlines()
    assert said[0] == f"{run.name} goes on from step 60"
    assert said[1] == f"mod113-quick in {run.path}"
    assert said[2].startswith("step     60  state: resumed on cpu, 1 thread")
    assert said[3] == "step     60  edit: steps 60 → 90"
    assert "finished at step 90 of 90" in "\n".join(said)
    assert [text for text in differences(run, other) if "event" not in text] == []  # the edit of steps is one more


def test_a_run_that_was_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    whole, run = tiny(tmp_path / "a", 90), tiny(tmp_path / "b", 90)
    cut_off(run, at=40)
    said = grokterm("resume", run.path).output
    assert f"{run.name} goes on from step 0: the 40 steps after it are computed again\n" in said
    assert differences(run, whole) == []


def cut_off(run: RunDirectory, at: int) -> None:
    """As if the power had gone at a step: what came later is not there, and the table's last row is torn."""
    lines = run.events_path.read_text().splitlines(keepends=True)
    run.events_path.write_text("".join(line for line in lines if '"finished"' not in line))
    for path in run.checkpoints.iterdir():
        if int(path.stem) >= at:
            path.unlink()
    header = run.steps_path.stat().st_size - read_table(run.steps_path).nbytes
    with run.steps_path.open("r+b") as table:
        table.truncate(header + read_table(run.steps_path).itemsize * at + 7)


def test_a_finished_run_needs_a_later_end(tmp_path: Path) -> None:
    run = trained(tmp_path)
    error = refused(run.path)
    assert isinstance(error, UsageError)
    assert str(error) == f"{run.path} has finished at step 1,000; --steps N with a larger N trains it on"
    error = refused(run.path, "--steps", 1000)
    assert isinstance(error, UsageError)
    assert str(error) == f"--steps 1,000: {run.path} has reached step 1,000; a larger N trains it on"
    assert not run.inbox_path.exists()
    assert not run.lock_path.exists()


def test_a_run_that_was_stopped_can_only_end_ahead(tmp_path: Path) -> None:
    run = trained(tmp_path, steps=300, end="stopped")
    assert "has reached step 300" in str(refused(run.path, "--steps", 200))


def test_a_run_in_training_is_refused_with_its_holder(tmp_path: Path) -> None:
    run = trained(tmp_path, end="")
    with Lock(run):
        error = refused(run.path, "--steps", 2000)
    assert isinstance(error, RunError)
    assert f"is being trained by process {os.getpid()} on {socket.gethostname()}" in str(error)
    assert f"`grokterm attach {run.path}` shows it" in str(error)
    assert not run.inbox_path.exists()


def test_an_imported_run_has_no_optimizer_to_go_on_with(tmp_path: Path) -> None:
    run = trained(tmp_path, config={"source": {"file": "a.pt"}})
    error = refused(run.path)
    assert isinstance(error, RunError)
    assert str(error) == f"{run.path} was imported: its file says nothing of the optimizer, so it cannot go on"


def test_a_directory_in_which_nothing_was_recorded_is_no_run(tmp_path: Path) -> None:
    empty = create(tmp_path, "empty")
    assert "has no run.toml" in str(refused(empty.path))


def test_what_is_not_as_it_was_is_told_on_stderr(tmp_path: Path) -> None:
    config = {"torch": "1.13.1", "host": "far\x1baway"}
    run = trained(tmp_path, steps=30, end="stopped", config=config)
    result = grokterm("resume", run.path, expected=1)  # the checkpoint of a formula holds no transformer
    line = result.stderr.splitlines()[0]
    assert line.startswith("grokterm: torch was 1.13.1 and is ")
    assert line.endswith(f"host was faraway and is {socket.gethostname()}: the last digits may differ")


def test_detached_it_goes_on_without_anybody(tmp_path: Path) -> None:
    run = tiny(tmp_path, 30)
    try:
        said = grokterm("resume", run.path, "--steps", 60, "--detach").output
        assert said.splitlines() == [
            f"{run.name} goes on from step 30",
            f"{run.name} goes on in the background; `grokterm attach {run.path}` comes back",
        ]
        wait_for(lambda: not is_alive(run), 60, "its end")
        assert read_table(run.steps_path)["step"].tolist() == list(range(60))
        assert run.log_path.read_text() == ""
    finally:
        kill_trainers(tmp_path)


def test_what_only_this_program_says_is_not_in_its_help() -> None:
    for command in ("run", "resume"):
        said = grokterm(command, "--help").output
        assert "--on-hangup" in said
        assert not any(option in said for option in ("--lock-fd", "--detached", "--into"))
