"""Run directories: made, named, configured, held and discarded."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import pytest

from grokterm.errors import RunError, UsageError
from grokterm.run.directory import Lock, RunDirectory, create, is_alive

NOON = datetime(2027, 3, 4, 11, 30, 0)


def test_new_run_is_named_by_time_and_label(tmp_path: Path) -> None:
    names = [create(tmp_path / "deep" / "runs", "mod113", NOON).name for _ in range(3)]
    assert names == ["2027-03-04-113000-mod113", "2027-03-04-113000-mod113-2", "2027-03-04-113000-mod113-3"]


@pytest.mark.parametrize(
    ("label", "tail"),
    [
        ("../../etc", "etc"),
        ("a b/c\x1b[31m", "a-b-c-31m"),
        ("", "run"),
        ("..", "run"),
        ("é", "run"),
        ("x" * 300, "x" * 60),
    ],
)
def test_label_is_made_safe(tmp_path: Path, label: str, tail: str) -> None:
    run = create(tmp_path, label, NOON)
    assert run.path == tmp_path / f"2027-03-04-113000-{tail}"
    assert run.arrays.is_dir()
    assert run.checkpoints.is_dir()


def test_runs_directory_that_cannot_be_written_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(UsageError, match=r"the runs directory .*/runs cannot be written: ") as caught:
        create(tmp_path / "runs", "mod113")
    assert caught.value.exit_code == 2


def test_configuration_is_written_once(tmp_path: Path) -> None:
    run = create(tmp_path, "mod113")
    assert run.read_config() is None
    config = {"format": 1, "task": {"name": "modular", "p": 113}, "optimizer": {"betas": [0.9, 0.98], "lr": 1e-3}}
    run.write_config(config)
    assert run.read_config() == config
    with pytest.raises(RunError, match=r"run\.toml exists already"):
        run.write_config({})
    assert run.read_config() == config
    assert sorted(path.name for path in run.path.iterdir()) == ["arrays", "checkpoints", "run.toml"]


@pytest.mark.parametrize("content", [b"format = ", b"\xff", b"x = " + b"[" * 100_000])
def test_configuration_that_is_not_toml_is_named(tmp_path: Path, content: bytes) -> None:
    run = RunDirectory(tmp_path)
    run.config_path.write_bytes(content)
    with pytest.raises(RunError, match=r"run\.toml is not valid TOML"):
        run.read_config()


HOLD = """
import sys
from pathlib import Path
from grokterm.run.directory import Lock, RunDirectory
with Lock(RunDirectory(Path(sys.argv[1]))):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_lock_of_a_living_process_is_respected_and_dies_with_it(tmp_path: Path) -> None:
    run = create(tmp_path, "mod113")
    command = [sys.executable, "-c", HOLD, str(run.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            content = run.lock_path.read_bytes()
            for _ in range(2):
                assert is_alive(run)
                with (
                    pytest.raises(RunError, match=f"is being trained by process {holder.pid} on {os.uname().nodename}"),
                    Lock(run),
                ):
                    pytest.fail("two trainers hold one run")
            assert run.lock_path.read_bytes() == content
        finally:
            holder.send_signal(signal.SIGKILL)
    assert not is_alive(run)
    with Lock(run):
        assert is_alive(run)
        assert f'"pid": {os.getpid()}' in run.lock_path.read_text()
    assert not is_alive(run)


def test_asking_for_life_creates_nothing_and_does_not_lock(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    assert not is_alive(run)
    assert list(tmp_path.iterdir()) == []
    run.lock_path.touch()
    assert not is_alive(run)
    with Lock(run):
        assert is_alive(run)


def test_lock_outlasts_somebody_who_only_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = RunDirectory(tmp_path)
    run.lock_path.touch()
    asking = os.open(run.lock_path, os.O_RDONLY)
    fcntl.flock(asking, fcntl.LOCK_SH)
    waits: list[float] = []

    def let_go(seconds: float) -> None:
        waits.append(seconds)
        os.close(asking)

    monkeypatch.setattr(time, "sleep", let_go)
    with Lock(run):
        assert is_alive(run)
    assert len(waits) == 1


def test_holder_that_wrote_nothing_is_another_process(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    with Lock(run):
        run.lock_path.write_text("")
        with pytest.raises(RunError, match="is being trained by another process"), Lock(run):
            pytest.fail("two trainers hold one run")


def test_lock_in_a_missing_run_is_a_run_error(tmp_path: Path) -> None:
    with (
        pytest.raises(RunError, match="missing cannot be locked: No such file"),
        Lock(RunDirectory(tmp_path / "missing")),
    ):
        pytest.fail("locked nothing")


def test_run_without_records_is_discarded(tmp_path: Path) -> None:
    run = create(tmp_path, "mod113")
    run.events_path.write_text("{}\n")
    run.log_path.touch()
    with Lock(run):
        run.discard()
    assert not run.path.exists()


@pytest.mark.parametrize("recorded", ["run.toml", "steps.npy", "checkpoints/000000000.safetensors", "thesis.tex"])
def test_run_with_records_is_not_discarded(tmp_path: Path, recorded: str) -> None:
    run = create(tmp_path, "mod113")
    run.log_path.touch()
    (run.path / recorded).write_text("precious")
    with pytest.raises(RunError, match=f"is not removed: it holds {recorded}"):
        run.discard()
    assert (run.path / recorded).read_text() == "precious"
    assert run.log_path.exists()
