"""`grokterm measure`, and the measuring of a run that has finished: inline without a screen, else in the background."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner, Result

from grokterm.cli import app
from grokterm.engine import hindsight, workers
from grokterm.errors import GroktermError, RunError, UsageError
from grokterm.run.checkpoint import list_checkpoints
from grokterm.run.directory import RunDirectory
from grokterm.run.hindsight import is_being_measured, read_about, rows_in
from tests.terminal import TINY, Terminal
from tests.waiting import wait_for

AT_THE_END = ("--set", "training.measure_on_end=true", "--set", "training.checkpoint_every=20")


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def grokterm(*arguments: object, expected: int = 0) -> Result:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == expected, (result.output, result.exception)
    return result


def tiny(runs: Path, *more: str, expected: int = 0) -> tuple[RunDirectory, str]:
    """A run of 40 steps and three checkpoints, and what it printed."""
    arguments = ("--runs", runs, "--steps", 40, "--name", "tiny", *more)
    said = grokterm("run", "presets/mod113-quick", *TINY, *arguments, expected=expected).stdout
    (path,) = runs.glob("*-tiny")
    return RunDirectory(path), said


def measuring_fails(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(hindsight, "measure", fail)


def test_a_run_that_finishes_is_measured_and_again_only_when_asked(tmp_path: Path) -> None:
    run, said = tiny(tmp_path, *AT_THE_END)
    *_, rows, keys = said.splitlines()
    assert rows == "hindsight     3 checkpoints"
    assert keys.startswith(("              key frequencies ", "              no key frequency: none has a cluster"))
    assert keys.endswith("step 40")
    about = read_about(run)
    assert about is not None
    assert about.complete
    told = grokterm("measure", "--runs", tmp_path).stdout.splitlines()
    assert told[0].startswith(f"measured   {run.name}: 3 checkpoints (before; --again does it anew), ")
    assert told[-1] == f"next       grokterm replay {run.path}"
    told = grokterm("measure", "tiny", "--again", "--runs", tmp_path).stdout.splitlines()
    assert told[0].startswith(f"measured   {run.name}: 3 checkpoints, ")
    assert "in one process" in told[2]


def test_a_run_that_does_not_want_it_or_fails_is_not_measured(tmp_path: Path) -> None:
    run, said = tiny(tmp_path / "a")
    assert "hindsight" not in said
    assert not run.hindsight_path.exists()
    runs = tmp_path / "b"
    run, _ = tiny(runs, *AT_THE_END, "--set", "optimizer.lr=1e30", expected=1)
    assert '"state": "failed"' in run.events_path.read_text()
    assert not run.hindsight_path.exists()


def test_what_goes_wrong_at_the_end_is_told_and_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measuring_fails(monkeypatch, RunError("the disk is full"))
    run, said = tiny(tmp_path, *AT_THE_END)
    again = f"`grokterm measure {run.path}` tries again"
    assert said.splitlines()[-1] == f"hindsight     not measured: the disk is full; {again}"


def test_a_measure_of_ones_own_that_fails_is_told_and_training_has_ended_well(tmp_path: Path) -> None:
    (tmp_path / "parts" / "measures").mkdir(parents=True)
    mine = "from grokterm.catalog import part\n@part\ndef mine(circuit):\n    return 1 / 0\n"
    (tmp_path / "parts" / "measures" / "mine.py").write_text(mine)
    _, said = tiny(tmp_path / "runs", *AT_THE_END, "--parts", str(tmp_path / "parts"))
    last = said.splitlines()[-1]
    assert last.startswith("hindsight     not measured: the measure mine fails at step 40: ZeroDivisionError: division")


def test_at_the_end_another_measurer_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.nice", lambda _: 0)  # of the process that runs the tests
    patiences = []

    def fail(*_: Any, patience: float = 0.0, **__: Any) -> None:
        patiences.append(patience)
        raise RunError("enough")

    monkeypatch.setattr(hindsight, "measure", fail)
    tiny(tmp_path, *AT_THE_END)
    grokterm("measure", "--runs", tmp_path, "--detached", expected=1)
    grokterm("measure", "--runs", tmp_path, expected=1)
    assert patiences == [30.0, 30.0, 0.0]


@pytest.mark.parametrize(
    ("error", "code"), [(KeyboardInterrupt(), 130), (SystemExit(128 + signal.SIGTERM), 143)], ids=["ctrl-c", "sigterm"]
)
def test_an_interruption_keeps_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int
) -> None:
    measuring_fails(monkeypatch, error)
    run, said = tiny(tmp_path, *AT_THE_END, expected=code)
    assert "finished at step 40 of 40" in said
    kept = "interrupted: what was measured, 0 checkpoints, is kept"
    last = [f"hindsight     {kept};", f"              `grokterm measure {run.path}` goes on"]
    assert said.splitlines()[-2:] == last
    told = grokterm("measure", "--runs", tmp_path, expected=code).stderr
    assert told == f"{kept}; the same command goes on\n"


def test_an_interrupted_again_keeps_the_finished_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, _ = tiny(tmp_path, *AT_THE_END)
    before = run.hindsight_path.read_bytes()
    with monkeypatch.context() as patched:
        take, rows = hindsight._take, list[None]()

        def interrupted(*arguments: Any) -> None:
            if rows:
                raise KeyboardInterrupt
            rows.append(take(*arguments))

        patched.setattr(hindsight, "_take", interrupted)
        told = grokterm("measure", "--again", "--runs", tmp_path, expected=130).stderr
    kept = "the measurement of before, 3 checkpoints, is still there"
    assert told == f"interrupted: {kept}; the same command begins anew, and replaces it when all is measured\n"
    assert run.hindsight_path.read_bytes() == before
    assert "(before; --again does it anew)" in grokterm("measure", "--runs", tmp_path).stdout


def test_checkpoints_that_are_left_out_are_told(tmp_path: Path) -> None:
    run, _ = tiny(tmp_path, "--set", "training.checkpoint_every=20")
    torn = list_checkpoints(run.checkpoints)[1].path
    torn.write_bytes(b"torn")
    done = grokterm("measure", run.path)
    assert done.stderr.startswith(f"left out: {torn} cannot be read")
    assert done.stdout.startswith(f"measured   {run.name}: 2 of 3 checkpoints, ")


def test_what_cannot_be_measured_is_a_sentence(tmp_path: Path) -> None:
    error = grokterm("measure", "--runs", tmp_path, expected=1).exception
    assert isinstance(error, RunError)
    assert "there is no run in" in str(error)
    error = grokterm("measure", "--parts", tmp_path / "none", "--runs", tmp_path, expected=1).exception
    assert isinstance(error, GroktermError)
    grokterm("measure", "--workers", 0, expected=2)


def test_a_finished_screen_has_it_measured_by_a_process_that_outlives_it(tmp_path: Path) -> None:
    arguments = ["presets/mod113-quick", *TINY, *AT_THE_END, "--steps", "40"]
    with Terminal(tmp_path / "runs", arguments) as terminal:
        terminal.see("finished")
        terminal.press("q")
        assert terminal.end() == 0
        run = terminal.run
        wait_for(lambda: (about := read_about(run)) is not None and about.complete, 60, "the end of the measuring")
        wait_for(lambda: not is_being_measured(run), 10, "the end of its process")
        assert rows_in(run) == 3
        assert not run.log_path.exists() or not run.log_path.read_text()


def test_the_setting_is_checked(tmp_path: Path) -> None:
    error = grokterm(
        "run", "mod113-quick", "--set", "training.measure_on_end=maybe", "--runs", tmp_path, expected=1
    ).exception
    assert isinstance(error, UsageError)
    assert "training.measure_on_end = 'maybe'" in str(error)


def test_fewer_processes_than_were_asked_for_are_told_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "processors", lambda: 2)
    tiny(tmp_path)
    done = grokterm("measure", "--workers", 50, "--runs", tmp_path)
    assert done.stderr == "--workers 50: 4 at most are begun here, two a processor\n"
    assert grokterm("measure", "--workers", 4, "--runs", tmp_path).stderr == ""


def test_processes_for_which_there_was_no_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "processors", lambda: 2)
    monkeypatch.setattr(hindsight, "HERE_SECONDS", 0.0)
    tiny(tmp_path, "--set", "training.checkpoint_every=40")
    took = grokterm("measure", "--workers", 4, "--runs", tmp_path).stdout.splitlines()[2]
    assert "in one process (there was no checkpoint for more), " in took
