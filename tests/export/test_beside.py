"""What is written appears whole under its name, or not at all."""

import os
import signal
import zipfile
from pathlib import Path

import pytest

from grokterm.errors import UsageError
from grokterm.export.beside import beside
from grokterm.export.formats import Format

FILE = Format("a file", "npz", ".npz")
FOLDER = Format("a folder", "csv", ".csv", ("*.csv", "arrays"))


def write_folder(path: Path, text: str, *, force: bool = False) -> None:
    with beside(path, FOLDER, force=force) as written:
        assert not path.exists() or force
        (written / "steps.csv").write_text(text)


def test_a_file_and_a_folder_appear_when_they_are_complete(tmp_path: Path) -> None:
    with beside(tmp_path / "a.npz", FILE, force=False) as written:
        written.write_text("whole")
        assert written.parent == tmp_path
        assert written.name.startswith(".")
        assert not (tmp_path / "a.npz").exists()
    assert (tmp_path / "a.npz").read_text() == "whole"
    write_folder(tmp_path / "a.csv", "rows")
    assert (tmp_path / "a.csv/steps.csv").read_text() == "rows"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "a.npz"]


def write_half(path: Path, chosen: Format, error: BaseException, *, force: bool = False) -> None:
    with beside(path, chosen, force=force) as written:
        (written / "steps.csv" if chosen is FOLDER else written).write_text("half")
        raise error


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError(), OSError(28, "No space left on device")])
@pytest.mark.parametrize("chosen", [FILE, FOLDER])
def test_nothing_is_left_of_what_was_interrupted(tmp_path: Path, chosen: Format, error: BaseException) -> None:
    with pytest.raises((KeyboardInterrupt, ValueError, UsageError)):
        write_half(tmp_path / "out", chosen, error)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_nothing_is_left_when_it_is_asked_to_end(tmp_path: Path, number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with pytest.raises(SystemExit) as ended, beside(tmp_path / "out", FOLDER, force=False):
        os.kill(os.getpid(), number)
    assert ended.value.code == 128 + number
    assert list(tmp_path.iterdir()) == []
    assert signal.getsignal(number) == before


def test_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"out cannot be written: No space left on device"):
        write_half(tmp_path / "out", FILE, OSError(28, "No space left on device"))


def test_what_is_there_stays_without_force(tmp_path: Path) -> None:
    write_folder(tmp_path / "out", "old")
    with pytest.raises(UsageError, match="out exists already; --force replaces it"):
        write_folder(tmp_path / "out", "new")
    assert (tmp_path / "out/steps.csv").read_text() == "old"


def test_force_replaces_a_whole_folder(tmp_path: Path) -> None:
    with beside(tmp_path / "out", FOLDER, force=False) as written:
        (written / "arrays").mkdir()
        (written / "tests.csv").write_text("old")
    write_folder(tmp_path / "out", "new", force=True)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["steps.csv"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_the_old_one_stays_when_its_replacement_fails(tmp_path: Path) -> None:
    write_folder(tmp_path / "out", "old")
    with pytest.raises(KeyboardInterrupt):
        write_half(tmp_path / "out", FOLDER, KeyboardInterrupt(), force=True)
    assert (tmp_path / "out/steps.csv").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_the_old_one_comes_back_when_it_cannot_be_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: Path, target: Path) -> Path:
        assert not target.exists()
        raise KeyboardInterrupt

    write_folder(tmp_path / "out", "old")
    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_folder(tmp_path / "out", "new", force=True)
    assert (tmp_path / "out/steps.csv").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_force_never_removes_what_no_export_wrote(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home/thesis.tex").touch()
    with pytest.raises(UsageError, match=r"home is not replaced: it holds thesis\.tex, which no such export has"):
        write_folder(tmp_path / "home", "", force=True)
    assert (tmp_path / "home/thesis.tex").exists()


def test_force_replaces_no_file_that_is_not_such_an_export(tmp_path: Path) -> None:
    documents = {"env.sh": b"export KEY=1\n", "thesis.docx": b"", "other.gif": b"GIF89a"}
    for name, content in documents.items():
        (tmp_path / name).write_bytes(content)
    with zipfile.ZipFile(tmp_path / "thesis.docx", "w") as archive:
        archive.writestr("word/document.xml", "mine")
    for name in documents:
        before = (tmp_path / name).read_bytes()
        with pytest.raises(UsageError, match=f"{name} is not replaced: it is no file that such an export writes"):
            write_half(tmp_path / name, FILE, KeyboardInterrupt(), force=True)
        assert (tmp_path / name).read_bytes() == before


def test_force_asks_nothing_of_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")  # nobody writes into it: reading would wait for ever
    with pytest.raises(UsageError, match="pipe is not replaced"):
        write_half(tmp_path / "pipe", FILE, KeyboardInterrupt(), force=True)


def test_a_folder_never_becomes_a_file_nor_a_file_a_folder(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with (
        pytest.raises(UsageError, match="is a folder and would become a file"),
        beside(tmp_path / "folder", FILE, force=True),
    ):
        pass
    with pytest.raises(UsageError, match="is a file and would become a folder"):
        write_folder(tmp_path / "file", "", force=True)
    assert (tmp_path / "file").is_file()


def test_what_comes_to_stand_there_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    def write_while_somebody_else_does() -> None:
        with beside(tmp_path / "out", FILE, force=False) as written:
            written.write_text("mine")
            (tmp_path / "out").write_text("somebody else's")

    with pytest.raises(UsageError, match="exists already"):
        write_while_somebody_else_does()
    assert (tmp_path / "out").read_text() == "somebody else's"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(UsageError, match=r"missing/out cannot be written: there is no folder .*missing"),
        beside(tmp_path / "missing/out", FILE, force=False),
    ):
        pass


def test_a_link_is_followed(tmp_path: Path) -> None:
    write_folder(tmp_path / "real", "old")
    (tmp_path / "link").symlink_to("real")
    write_folder(tmp_path / "link", "new", force=True)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real/steps.csv").read_text() == "new"
