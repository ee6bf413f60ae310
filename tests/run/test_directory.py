"""Run directories: made, named, configured and discarded."""

from datetime import datetime
from pathlib import Path

import pytest

from grokterm.errors import RunError, UsageError
from grokterm.run.directory import RunDirectory, create
from grokterm.run.lock import Lock
from grokterm.run.table import TableWriter

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


def test_run_without_records_is_discarded(tmp_path: Path) -> None:
    run = create(tmp_path, "mod113")
    run.events_path.write_text("{}\n")
    run.log_path.touch()
    with Lock(run):
        run.discard()
    assert not run.path.exists()


def test_run_whose_tables_have_no_rows_is_discarded(tmp_path: Path) -> None:
    run = create(tmp_path, "mod113")
    TableWriter(run.steps_path, [("step", "<i8")]).close()
    (run.path / ".tests.npy.part").write_text("half a header")
    run.discard()
    assert not run.path.exists()


def test_run_with_a_row_is_not_discarded(tmp_path: Path) -> None:
    run = create(tmp_path, "mod113")
    with TableWriter(run.steps_path, [("step", "<i8")]) as table:
        table.append(0)
    with pytest.raises(RunError, match=r"is not removed: it holds steps\.npy"):
        run.discard()
    assert run.steps_path.exists()


@pytest.mark.parametrize("recorded", ["run.toml", "steps.npy", "checkpoints/000000000.safetensors", "thesis.tex"])
def test_run_with_records_is_not_discarded(tmp_path: Path, recorded: str) -> None:
    run = create(tmp_path, "mod113")
    run.log_path.touch()
    (run.path / recorded).write_text("precious")
    with pytest.raises(RunError, match=f"is not removed: it holds {recorded}"):
        run.discard()
    assert (run.path / recorded).read_text() == "precious"
    assert run.log_path.exists()
