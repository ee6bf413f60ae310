"""`grokterm report` as a person types it."""

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from grokterm.cli import app
from grokterm.errors import GroktermError, UsageError
from grokterm.run.directory import RunDirectory
from grokterm.run.lock import Lock
from tests.recorded import record


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunDirectory:
    """A run in the folder runs/ of an otherwise empty current folder."""
    monkeypatch.chdir(tmp_path)
    return record(Path("runs"), state="training")


def report(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["report", *arguments])


def test_the_page_is_called_as_the_run_and_lies_in_the_current_folder(run: RunDirectory, tmp_path: Path) -> None:
    result = report()
    assert result.exit_code == 0, result.exception
    assert result.stdout == f"wrote {run.name}.html\n"
    assert {path.name for path in tmp_path.iterdir()} == {"runs", f"{run.name}.html"}
    text = (tmp_path / f"{run.name}.html").read_text(encoding="utf-8")
    assert text.startswith("<!DOCTYPE html>")
    assert "nobody trains it any more" in text


def test_a_living_run_is_reported_as_it_stands(run: RunDirectory, tmp_path: Path) -> None:
    with Lock(run):
        assert report("recorded", "--out", "x.md").exit_code == 0
    text = (tmp_path / "x.md").read_text(encoding="utf-8")
    assert "training at step 400 of 400, 0:19 after it began; it goes on" in text


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--out", "x.txt"), "x.txt ends in '.txt'; a report is .html or .md"),
        (("--out", "."), "has no ending; a report is .html or .md"),
        (("--out", "nowhere/x.md"), "nowhere/x.md cannot be written: there is no folder nowhere"),
        (("--out", "folder.md"), "folder.md cannot be written: "),
        (("nosuch",), "there is no run 'nosuch' in runs"),
    ],
)
def test_what_cannot_be_written_is_one_sentence(arguments: tuple[str, ...], said: str, tmp_path: Path) -> None:
    (tmp_path / "folder.md").mkdir()
    result = report(*arguments)
    assert isinstance(result.exception, GroktermError)
    assert said in str(result.exception)
    assert {path.name for path in tmp_path.iterdir()} == {"runs", "folder.md"}


@pytest.mark.usefixtures("run")
def test_without_matplotlib_markdown_still_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    result = report("--out", "x.html")
    assert isinstance(result.exception, UsageError)
    assert "x.html (one in a .md does without) needs the package matplotlib" in str(result.exception)
    assert report("--out", "x.md").exit_code == 0
