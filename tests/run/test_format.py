"""Runs of other formats: a newer one is refused with one sentence, an older one is put into today's terms."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import grokterm
from grokterm.cli import app
from grokterm.errors import RunError
from grokterm.history import History
from grokterm.run import format as run_format
from grokterm.run.configuration import read_configuration
from grokterm.run.directory import RunDirectory
from grokterm.run.format import FORMAT, UPGRADES, upgraded
from grokterm.summary import summarize
from tests.small_runs import small_run

READERS: dict[str, Callable[[Path], Any]] = {
    "the run directory": lambda path: RunDirectory(path).read_config(),
    "lists": lambda path: read_configuration(path / "run.toml"),
    "viewers": lambda path: History(RunDirectory(path)).poll(),
    "Python": lambda path: grokterm.open_run(path).config,
}


def run_of_format(folder: Path, said: str) -> RunDirectory:
    """A run whose run.toml says this of its format; "" for nothing."""
    run = small_run(folder, "a")
    text = run.config_path.read_text()
    assert "format = 1\n" in text
    run.config_path.write_text(text.replace("format = 1\n", said and f"format = {said}\n"))
    return run


def test_every_format_before_todays_can_be_read() -> None:
    assert set(UPGRADES) == set(range(1, FORMAT))


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("2", "run.toml was written by a newer grokterm (format 2); this one reads up to 1"),
        ("999", "run.toml was written by a newer grokterm (format 999); this one reads up to 1"),
        *(
            (wrong, "run.toml: format must be a whole number; this grokterm reads 1 to 1")
            for wrong in ("0", "-1", "1.0")
        ),
        *((wrong, "run.toml: format must be a whole number") for wrong in ('"1"', "true", "[1]", "{a = 1}", "nan")),
        ("0x" + "f" * 10_000, "run.toml: format must be a whole number"),
    ],
)
def test_what_cannot_be_understood_is_refused(tmp_path: Path, reader: str, said: str, sentence: str) -> None:
    run = run_of_format(tmp_path, said)
    with pytest.raises(RunError) as raised:
        READERS[reader](run.path)
    assert sentence in str(raised.value)


def test_a_list_shows_a_newer_run_as_damaged_and_says_why(tmp_path: Path) -> None:
    summary = summarize(run_of_format(tmp_path, "2"))
    assert summary is not None
    assert (summary.state, summary.step) == ("damaged", 3)
    assert summary.problem.endswith("was written by a newer grokterm (format 2); this one reads up to 1")


@pytest.mark.parametrize(
    "arguments",
    [
        *(["report", "runs/a"], ["export", "runs/a", "--to", "csv"], ["plot", "runs/a", "train_loss"]),
        *(["compare", "runs/a", "runs/b", "--json"], ["resume", "runs/a"], ["fork", "runs/a@1"]),
    ],
)
def test_every_command_refuses_a_newer_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    run_of_format(tmp_path / "runs", "2")
    small_run(tmp_path / "runs", "b")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").rglob("*")}
    result = CliRunner().invoke(app, arguments)
    assert "was written by a newer grokterm (format 2)" in str(result.exception)
    assert {path: path.stat().st_mtime_ns for path in before} == before


@pytest.mark.parametrize("said", ["", "1"])
@pytest.mark.parametrize("reader", READERS)
def test_a_run_that_does_not_say_its_format_is_of_format_1(tmp_path: Path, reader: str, said: str) -> None:
    assert READERS[reader](run_of_format(tmp_path, said).path)


def test_an_older_run_is_put_into_todays_terms_format_by_format(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lr_was_called_decay(config: Mapping[str, Any]) -> dict[str, Any]:
        optimizer = dict(config["optimizer"])
        optimizer["decay"] = optimizer.pop("lr")
        return {**config, "optimizer": optimizer}

    def decay_was_halved(config: Mapping[str, Any]) -> dict[str, Any]:
        return {**config, "optimizer": {**config["optimizer"], "decay": 2 * config["optimizer"]["decay"]}}

    monkeypatch.setattr(run_format, "FORMAT", 3)
    monkeypatch.setattr(run_format, "UPGRADES", {1: lr_was_called_decay, 2: decay_was_halved})
    old = {"format": 1, "optimizer": {"name": "adamw", "lr": 0.5}}
    assert upgraded(old, tmp_path) == {"format": 3, "optimizer": {"name": "adamw", "decay": 1.0}}
    assert old == {"format": 1, "optimizer": {"name": "adamw", "lr": 0.5}}
    assert upgraded(old | {"format": 3}, tmp_path)["optimizer"] == {"name": "adamw", "lr": 0.5}
    run = run_of_format(tmp_path, "")
    for _ in range(2):  # what lists keep of a section stays as it was read
        for config in (run.read_config(), read_configuration(run.config_path)):
            assert config is not None
            assert (config["format"], config["optimizer"]["decay"]) == (3, 2e-3)
            assert config["task"]["p"] == 113
    assert upgraded({"format": 2, "optimizer": {"decay": 3}}, tmp_path) == {"format": 3, "optimizer": {"decay": 6}}
    with pytest.raises(RunError, match=r"newer grokterm \(format 4\); this one reads up to 3"):
        upgraded({"format": 4}, tmp_path)
