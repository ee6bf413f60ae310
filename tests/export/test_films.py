"""Recordings and animations as a person asks for them."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from asciinema import asciicast
from PIL.GifImagePlugin import GifImageFile
from typer.testing import CliRunner, Result

from grokterm.cli import app
from grokterm.errors import GroktermError, UsageError
from grokterm.export.choices import Choices
from grokterm.progress import Progress
from grokterm.run.directory import RunDirectory
from tests.saved_circuit import record_circuit


@pytest.fixture(autouse=True)
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunDirectory:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GROKTERM_RUNS", raising=False)
    return record_circuit(Path("runs"))


def export(*arguments: str) -> Result:
    result = CliRunner().invoke(app, ["export", "-", *arguments])
    if isinstance(result.exception, GroktermError):
        raise result.exception
    return result


def test_a_recording_of_the_size_and_length_that_was_asked_for(run: RunDirectory, tmp_path: Path) -> None:
    done = export("--to", "asciicast", "--size", "80x24", "--seconds", "1", "--from", "50%", "--colors", "all")
    assert done.stdout == f"{run.name}.cast: 1 s of 80×24 cells; `asciinema play` shows it\n"
    assert done.stderr == ""
    with asciicast.open_from_url(str(tmp_path / f"{run.name}.cast")) as cast:
        events = list(cast.events("o"))
        assert (cast.v2_header["width"], cast.v2_header["height"]) == (80, 24)
    assert "step 200 / 400" in events[0][2]
    assert "38;2;86;180;233" in events[0][2]
    assert events[-1][0] == 1


@pytest.mark.parametrize("kind", ["gif", "svg"])
def test_an_animation_of_the_pictures_and_the_circle_that_were_asked_for(kind: str, run: RunDirectory) -> None:
    done = export("--to", kind, "--frames", "3", "--seconds", "0.6", "--until", "300", "--frequency", "7")
    told = "3 pictures from step 0 to 300, 0.6 s a round; circle of frequency 7 from its first checkpoint on, step 100"
    assert (done.stdout, done.stderr) == (f"{run.name}.{kind}: {told}\n", "")
    path = Path(f"{run.name}.{kind}")
    if kind == "gif":
        with GifImageFile(path) as gif:
            assert (gif.n_frames, gif.info["duration"]) == (3, 100)
    else:
        texts = [text.text for text in ET.parse(path).getroot().iter("{http://www.w3.org/2000/svg}text")]
        assert "circle of frequency 7" in texts


@pytest.mark.parametrize(
    ("kind", "option"), [("csv", "--frames=3"), ("gif", "--size=80x24"), ("asciicast", "--frequency=3")]
)
def test_an_option_of_another_format_is_refused_and_nothing_is_written(kind: str, option: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"{option.partition('=')[0]} is not for --to {kind}; it is for --to"):
        export("--to", kind, option)
    assert [entry.name for entry in tmp_path.iterdir()] == ["runs"]


@pytest.mark.parametrize("kind", ["asciicast", "gif", "svg"])
def test_ctrl_c_leaves_nothing(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[int] = []

    def interrupted(self: Progress, more: int) -> None:
        written.append(more)
        if len(written) == 15:
            raise KeyboardInterrupt

    monkeypatch.setattr("grokterm.progress.Bar.advance", interrupted)
    done = export("--to", kind, "--out", "film")
    assert (done.exit_code, done.stdout, done.stderr) == (130, "", "interrupted: film was not written\n")
    assert [entry.name for entry in tmp_path.iterdir()] == ["runs"]


@pytest.mark.parametrize("kind", ["npz", "asciicast", "gif", "svg"])
def test_force_replaces_the_export_before_and_no_other_file(kind: str) -> None:
    for _ in range(2):
        assert export("--to", kind, "--out", "film", "--force").exit_code == 0
    Path("film").write_text("<svg xmlns='http://www.w3.org/2000/svg'></svg>\n")
    with pytest.raises(UsageError, match="film is not replaced"):
        export("--to", kind, "--out", "film", "--force")


def test_the_run_is_only_read(run: RunDirectory) -> None:
    before = {path: path.stat().st_mtime_ns for path in run.path.rglob("*")}
    for kind in ("asciicast", "gif", "svg"):
        assert export("--to", kind, "--seconds", "0.2").exit_code == 0
    assert {path: path.stat().st_mtime_ns for path in run.path.rglob("*")} == before


def test_choices_are_none_until_somebody_makes_them() -> None:
    assert Choices().made() == frozenset()
