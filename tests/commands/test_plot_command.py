"""`grokterm plot` as a person types it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from grokterm.cli import app
from grokterm.errors import GroktermError, RunError, UsageError
from grokterm.run.directory import RunDirectory, create
from tests.forked import parent_and_fork
from tests.recorded import record

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    return record(tmp_path_factory.mktemp("runs"))


def plot(run: RunDirectory, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["plot", *arguments, "--runs", str(run.path.parent)], env={"COLUMNS": "80"})


def error_of(run: RunDirectory, *arguments: str) -> GroktermError:
    result = plot(run, *arguments)
    assert isinstance(result.exception, GroktermError), result.output
    assert not result.stdout
    return result.exception


def test_in_a_pipe_it_is_text_of_eighty_columns(run: RunDirectory) -> None:
    environment = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "LINES")}
    command = [sys.executable, "-m", "grokterm", "plot", "--runs", str(run.path.parent)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    lines = done.stdout.split("\n")
    assert lines[0] == f"{run.name}: loss, log y   ⣿ train   ▞ test"
    assert max(map(len, lines)) == 80
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize(("width", "height"), [(50, 9), (120, 40), (20, 6)])
def test_the_chart_is_as_large_as_asked(run: RunDirectory, width: int, height: int) -> None:
    result = plot(run, "--width", str(width), "--height", str(height))
    assert result.exit_code == 0
    lines = result.stdout.rstrip("\n").split("\n")
    assert width - 1 <= max(map(len, lines)) <= width  # where nothing is drawn at the edge, a blank is left out
    assert len(lines) == height


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-", "gini_embedding", "lr"), "gini_embedding   ▞ lr"),
        (("recorded", "excluded_loss_k/3"), "log y   ⣿ excluded_loss_k/3"),
        (("-", "test_loss", "--no-log-y", "--log-x"), ", log x   ⣿ test_loss"),
        (("-", "fourier_embedding"), "fourier_embedding, step 380"),
        (("-", "fourier_embedding", "--until", "45"), "fourier_embedding, step 40"),
    ],
)
def test_measures_are_drawn(run: RunDirectory, arguments: tuple[str, ...], said: str) -> None:
    result = plot(run, *arguments)
    assert result.exit_code == 0, result.exception
    assert said in result.stdout


def test_the_steps_shown_are_those_asked_for(run: RunDirectory) -> None:
    axis = plot(run, "--from", "120", "--until", "160").stdout.split("\n")[-2].split()
    assert (axis[0], axis[-1]) == ("120", "155")


@pytest.mark.parametrize(
    ("arguments", "kind", "said"),
    [
        (("test_loss",), UsageError, "'test_loss' is a measure, and the run comes first: `grokterm plot - test_loss`"),
        (("excluded_loss_k/3", "lr"), UsageError, "`grokterm plot - excluded_loss_k/3 lr` draws the newest"),
        (("nosuch",), RunError, "there is no run 'nosuch'"),
        (("-", "tst_loss"), UsageError, "did you mean 'test_loss'?"),
        (("-", "fourier_embedding", "lr"), UsageError, "fourier_embedding is a spectrum and is drawn alone"),
        (("-", "fourier_embedding", "--log-y"), UsageError, "is drawn as bars: --log-x, --log-y and --from are for"),
        (("--save", "x.gif"), UsageError, "x.gif ends in '.gif'; a figure is .png, .svg or .pdf"),
        (("--save", "x.png", "--width", "40"), UsageError, "--width and --height are cells of a chart on stdout"),
    ],
)
def test_what_cannot_be_drawn_is_one_sentence(
    run: RunDirectory, arguments: tuple[str, ...], kind: type[GroktermError], said: str
) -> None:
    error = error_of(run, *arguments)
    assert type(error) is kind
    assert said in str(error)
    assert "\n" not in str(error)


def test_a_second_run_is_sent_to_compare(tmp_path: Path) -> None:
    run, other = record(tmp_path, steps=3), record(tmp_path, steps=3)
    assert f"`grokterm compare {run.name} {other.name}` shows both" in str(error_of(run, run.name, other.name))


def test_a_run_without_rows_is_a_sentence(tmp_path: Path) -> None:
    run = create(tmp_path, "begun")
    run.write_config({"format": 1})
    assert str(error_of(run)).endswith("has recorded nothing yet")


def test_save_writes_a_figure_and_says_where(run: RunDirectory, tmp_path: Path) -> None:
    path = tmp_path / "loss.png"
    path.write_text("an older file")
    result = plot(run, "--save", str(path))
    assert result.exit_code == 0, result.exception
    assert result.stdout == f"wrote {path}\n"
    with Image.open(path) as image:
        assert image.format == "PNG"
    assert [entry.name for entry in tmp_path.iterdir()] == ["loss.png"]


def test_a_fork_is_drawn_from_step_0(tmp_path: Path) -> None:
    fork = parent_and_fork(tmp_path)[1]
    text = plot(fork, fork.name, "test_loss", "--until", "100").stdout
    assert "no step" not in text
    assert "test_loss" in text.split("\n")[0]
    assert plot(fork, fork.name, "--save", str(tmp_path / "a.svg")).exit_code == 0
    spectrum = plot(fork, fork.name, "fourier_embedding", "--until", "100").stdout
    assert "step 100" in spectrum
