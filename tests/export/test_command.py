"""`grokterm export` as a person calls it."""

import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from grokterm.cli import app
from grokterm.errors import GroktermError, RunError, UsageError
from grokterm.export.formats import FORMATS, Format, format_named, writer_of
from grokterm.progress import Progress
from grokterm.run.directory import RunDirectory
from tests.odd_run import record_odd

NAME = "2027-03-04-113000-odd"


@pytest.fixture(autouse=True)
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunDirectory:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GROKTERM_RUNS", raising=False)
    return record_odd(Path("runs"))


def export(*arguments: str) -> Result:
    result = CliRunner().invoke(app, ["export", *arguments])
    if isinstance(result.exception, GroktermError):
        raise result.exception
    return result


@pytest.mark.parametrize("name", ["csv", "parquet", "npz", "tensorboard"])
def test_every_format_is_written_beside_the_caller_by_default(name: str, tmp_path: Path) -> None:
    chosen = format_named(name)
    result = export("odd", "--to", name)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith(f"{NAME}{chosen.suffix}: ")
    path = tmp_path / f"{NAME}{chosen.suffix}"
    assert path.is_dir() == bool(chosen.inside)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == sorted([path.name, "runs"])
    assert export("odd", "--to", name, "--force").exit_code == 0  # it recognises what it wrote


def test_every_format_has_its_writer_and_a_line_of_help() -> None:
    text = CliRunner().invoke(app, ["export", "--help"], terminal_width=200).stdout
    for name, chosen in FORMATS.items():
        assert callable(writer_of(chosen))
        assert chosen.about in " ".join(text.split())
        assert name in text
        assert chosen.suffix.startswith(".")


def test_out_names_the_place_and_the_newest_run_is_the_default(tmp_path: Path) -> None:
    assert export("--to", "npz", "--out", "here").stdout == "here: 5 tables, 15 rows, 7 events\n"
    assert len(np.load(tmp_path / "here")["steps"]) == 4


def test_inside_a_run_it_is_that_run(run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(run.path)
    assert export(".", "--to", "npz", "--out", "../../out.npz").exit_code == 0


def test_an_existing_place_is_refused_by_name() -> None:
    export("odd", "--to", "csv")
    with pytest.raises(UsageError, match=rf"{NAME}\.csv exists already; --force replaces it"):
        export("odd", "--to", "csv")


def test_an_unknown_format_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="--to parket: there is no such format; did you mean 'parquet'"):
        export("odd", "--to", "parket")
    assert export("odd").exit_code == 2  # --to is missing


@pytest.mark.parametrize(("name", "package", "how"), [
    ("parquet", "pyarrow", r"'grokterm\[export\]'"),
    ("tensorboard", "tensorboard", r"'grokterm\[export\]'"),
    ("wandb", "wandb", "wandb"),
])  # fmt: skip
def test_a_missing_package_is_named_with_how_to_get_it(
    name: str, package: str, how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in [module for module in sys.modules if module.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UsageError, match=f"--to {name} needs the package {package}; `pip install {how}` brings it"):
        export("odd", "--to", name)
    assert [entry.name for entry in tmp_path.iterdir()] == ["runs"]


def test_a_broken_run_is_named_and_leaves_nothing(run: RunDirectory, tmp_path: Path) -> None:
    run.config_path.write_bytes(b"no [toml")
    with pytest.raises(RunError, match=r"run\.toml is not valid TOML"):
        export("odd", "--to", "csv")
    assert [entry.name for entry in tmp_path.iterdir()] == ["runs"]


def test_a_file_that_is_no_table_is_left_out_and_named(run: RunDirectory, tmp_path: Path) -> None:
    (run.arrays / "mine.npy").write_bytes(b"no table")
    said = export("odd", "--to", "npz").stdout
    assert "left out: runs" in said
    assert "mine.npy does not begin with a .npy header that can be read\n" in said
    with np.load(tmp_path / f"{NAME}.npz") as written:
        assert "arrays/spectrum" in written
        assert "arrays/mine" not in written


def test_ctrl_c_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(run: RunDirectory, path: Path, progress: Progress) -> str:
        (path / "steps.csv").write_text("half")
        raise KeyboardInterrupt

    monkeypatch.setattr("grokterm.export.csv.write", interrupted)
    result = export("odd", "--to", "csv")
    assert (result.exit_code, result.stdout) == (130, "")
    assert result.stderr == f"interrupted: {NAME}.csv was not written\n"
    assert [entry.name for entry in tmp_path.iterdir()] == ["runs"]


def test_a_format_is_one_file_and_one_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "grokterm.export.shout", sys.modules[__name__])
    monkeypatch.setattr("grokterm.export.formats.FORMATS", {**FORMATS, "shout": Format("loud", "shout", ".txt")})
    assert export("odd", "--to", "shout").stdout == f"{NAME}.txt: 1 word\n"
    assert (tmp_path / f"{NAME}.txt").read_text() == NAME.upper()


def write(run: RunDirectory, path: Path, progress: Progress) -> str:
    progress.begin(1)
    path.write_text(run.name.upper())
    progress.advance(1)
    return "1 word"
