"""Trainers in a session of their own: what they are started as, and how one learns why they failed."""

import os
import sys
from pathlib import Path

import pytest

from grokterm import detached
from grokterm.detached import Successor, goes_on, going_on
from grokterm.errors import RunError, UsageError
from grokterm.run.directory import RunDirectory, create

SAYS_ITS_ARGUMENTS = "import os, sys; os.write(2, ' '.join(sys.argv[1:]).encode())"
"""A program in place of this one; the last descriptor must be open, and those of the test are not."""


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return create(tmp_path, "mine")


def started(run: RunDirectory, successor: Successor, lock: int | None, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(detached, "_this_program", lambda: [sys.executable, "-c", SAYS_ITS_ARGUMENTS])
    with successor.start(run, lock) as trainer:
        trainer.wait(30)
        assert not trainer.is_alive()
        assert trainer.error is None
    return run.log_path.read_text()


def test_where_nothing_is_recorded_it_is_run_again(run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    successor = Successor(["--set=a.b=1", "--", "mod113"], ["--parts", "mine"])
    said = started(run, successor, None, monkeypatch)
    assert said == f"run --into {run.path} --headless --detached --parts mine --set=a.b=1 -- mod113"


def test_a_run_is_resumed_with_its_lock(run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    run.config_path.touch()
    lock = os.open(run.lock_path, os.O_RDWR | os.O_CREAT)
    try:
        said = started(run, Successor(["mod113"], ["--device", "cpu"]), lock, monkeypatch)
    finally:
        os.close(lock)
    assert said == f"resume --headless --detached --device cpu --lock-fd {lock} {run.path}"


def test_its_error_is_the_sentence_in_the_log_even_when_the_run_is_gone(run: RunDirectory) -> None:
    run.log_path.write_text("grokterm: an older sentence\n")
    with Successor(["nowhere"]).start(run) as trainer:
        run.discard()
        trainer.wait(30)
        error = trainer.error
    assert isinstance(error, UsageError)
    assert str(error).startswith("there is no preset 'nowhere'; valid names: ")


def test_a_trainer_that_was_killed_says_so(run: RunDirectory) -> None:
    with Successor(["mod113-quick"]).start(run) as trainer:
        assert os.getsid(trainer.pid) == trainer.pid
        os.kill(trainer.pid, 9)
        trainer.wait(30)
        assert str(trainer.error) == "the trainer has failed: signal 9 ended it"


def test_a_log_that_cannot_be_written_does_not_keep_it_from_training(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.log_path.mkdir()
    monkeypatch.setattr(detached, "_this_program", lambda: [sys.executable, "-c", "print('odd')"])
    with Successor().start(run) as trainer:
        trainer.wait(30)
        assert trainer.error is None


def test_a_program_that_cannot_be_started_is_a_run_error(run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detached, "_this_program", lambda: [str(run.path / "nothing")])
    with pytest.raises(RunError, match=r"no trainer can be started for .*: No such file or directory"):
        Successor().start(run)


def test_the_working_directory_is_searched_only_where_this_program_was_found_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    assert detached._this_program() == [sys.executable, "-m", "grokterm"]
    monkeypatch.setattr(sys, "path", ["/somewhere/bin", *sys.path])
    assert detached._this_program() == [sys.executable, "-P", "-m", "grokterm"]


def test_a_run_is_named_so_that_a_shell_understands_it() -> None:
    run = RunDirectory(Path("my runs/2027-a"))
    assert goes_on(run) == "2027-a goes on in the background; `grokterm attach 'my runs/2027-a'` comes back"
    assert going_on(run) == "`grokterm resume 'my runs/2027-a'` goes on with it"
