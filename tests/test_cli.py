"""The command line's errors: one clear sentence, the right exit code, nothing left half-written."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from grokterm.catalog import Catalog
from grokterm.cli import app
from grokterm.errors import UsageError
from grokterm.preset import Preset, read
from grokterm.preset_files import find
from grokterm.run.directory import create
from tests.recorded import record

ROOT = Path(__file__).parent.parent


def grokterm(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "grokterm", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
        env={**os.environ, **environment},
    )


def chosen(*overrides: str, preset: str = "mod113-quick") -> Preset:
    return read(find(preset), overrides, Catalog())


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("task.p=112", "task.p = 112 must be an odd prime; the nearest is 109 or 113"),
        ("task.p=2", "must be an odd prime; the nearest is 3"),
        ("task.p=263", "task.p = 263 must be an odd prime of at most 257"),
        ("task.p=99999999999999999999", "must be an odd prime of at most 257"),
        ("task.train_fraction=0", "task.train_fraction = 0 must be greater than 0"),
        ("task.train_fraction=1", "task.train_fraction = 1 must be less than 1"),
        ("task.train_fraction=nan", "task.train_fraction = nan must be"),
        ("task.operation=ad", "must be 'add' or 'subtract'"),
        ("task.name=moduler", "there is no task 'moduler'; did you mean 'modular'?"),
        ("task.name=3", "[task] needs name = one of modular"),
        ("model.name=gru", "there is no model 'gru'; valid names: "),
        ("optimizer.name=adamw2", "there is no optimizer 'adamw2'; did you mean 'adamw'?"),
        ("optimizer.weight_deccay=1", "there is no key optimizer.weight_deccay; did you mean 'weight_decay'?"),
        ("optimizer.lr=-1", "optimizer.lr = -1 must be greater than or equal to 0"),
        ("optimizer.lr=inf", "optimizer.lr = inf must be a finite number"),
        ("optimizer.lr=fast", "optimizer.lr = 'fast' must be a valid number"),
        ("optimizer.betas=[0.9]", "optimizer.betas = [0.9] must have more values"),
        ("optimizer.betas=[0.9,1]", "must be less than 1"),
        ("training.steps=0", "training.steps = 0 must be greater than or equal to 1"),
        ("training.steps=1000000000001", "must be less than or equal to 1000000000000"),
        pytest.param("training.steps=" + "9" * 5000, "is not valid: unable to parse", id="5000 digits"),
        ("training.warmup_steps=1000000000001", "must be less than or equal to 1000000000000"),
        ("training.seed=9223372036854775808", "must be less than 9223372036854775808"),
        ("model.d_model=1000000000001", "must be less than or equal to 1000000000000"),
        ("training.steps=ten", "training.steps = 'ten' must be a valid integer"),
        ("training.sted=1", "there is no key training.sted; did you mean 'seed'?"),
        ("training.seed=-1", "training.seed = -1 must be greater than or equal to 0"),
        ("training.device=gpu", "training.device = 'gpu' must be 'auto', 'cpu' or 'cuda'"),
        ("trainin.steps=1", "there is no key trainin; did you mean 'training'?"),
        ("steps=1", "write it as section.key=value, for instance optimizer.lr=2e-3"),
        ("task.p", "write it as section.key=value"),
    ],
)
def test_a_wrong_setting_names_itself_and_what_would_be_right(override: str, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        chosen(override)
    sentence = str(raised.value)
    assert sentence.startswith(f"--set {override}: ")
    assert said in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[task\n", "is not valid TOML: "),
        ("\xff", "is not valid TOML: "),
        ("", "needs a section [task]"),
        ("task = 3\n", "needs a section [task]"),
        ("[tasks]\n", "there is no key tasks; did you mean 'task'?"),
        ("[task]\n[model]\n[optimizer]\n[training]\n", "[task] needs name = one of modular"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(UsageError) as raised:
        chosen(preset=str(tmp_path / "mine"))
    sentence = str(raised.value)
    assert sentence.startswith(f"{file}")
    assert said in sentence
    assert "\n" not in sentence


def test_the_file_is_named_where_the_setting_came_from_it(tmp_path: Path) -> None:
    text = (ROOT / "presets" / "mod113-quick.toml").read_text()
    file = tmp_path / "mine.toml"
    file.write_text(text.replace("p = 113\n", "p = 114\n"))
    with pytest.raises(UsageError, match="the nearest is 113 or 127") as raised:
        chosen("task.train_fraction=0.5", preset=str(file))
    assert str(raised.value).startswith(f"{file}: task.p = 114 ")


@pytest.mark.parametrize("preset", ["mod131", "presets/mod131", "mod131.toml"])
def test_an_unknown_preset_names_the_nearest(preset: str) -> None:
    with pytest.raises(UsageError, match="did you mean 'mod113'"):
        find(preset)


@pytest.mark.parametrize("preset", ["mod113", "mod113.toml", "presets/mod113", "presets/mod113.toml"])
def test_a_preset_is_found_by_name_and_by_path(preset: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for folder in (ROOT, tmp_path):
        monkeypatch.chdir(folder)
        assert find(preset).resolve() == ROOT / "presets" / "mod113.toml"


def test_a_part_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no such folder"):
        Catalog(tmp_path / "missing")


def test_an_unwritable_runs_directory_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"the runs directory .*file/runs cannot be written: Not a directory"):
        create(tmp_path / "file" / "runs", "mine")


@pytest.mark.parametrize(
    "arguments",
    [
        ["run"],
        ["run", "mod113", "--steps", "0"],
        ["run", "mod113", "--seed=-1"],
        ["run", "mod113", "--device", "gpu"],
        ["run", "mod113", "--frame-budget", "2"],
        ["run", "mod113", "--bogus"],
        ["rum"],
    ],
)
def test_a_wrong_command_line_is_exit_2(arguments: list[str], tmp_path: Path) -> None:
    result = CliRunner().invoke(app, arguments, env={"GROKTERM_RUNS": str(tmp_path / "runs")})
    assert result.exit_code == 2
    assert "Error: " in result.stderr
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["mod131"], "there is no preset 'mod131'; did you mean 'mod113'?"),
        (["mod113", "--set", "task.p=112"], "--set task.p=112: task.p = 112 must be an odd prime"),
        (
            ["mod113", "--steps", "99999999999999999999"],
            "--set training.steps=99999999999999999999: training.steps = 99999999999999999999 must be less than",
        ),
        (["mod113", "--parts", "/nowhere"], "--parts /nowhere: there is no such folder"),
    ],
)
def test_an_error_is_one_line_and_nothing_is_created(tmp_path: Path, arguments: list[str], said: str) -> None:
    done = grokterm("run", *arguments, "--headless", GROKTERM_RUNS=str(tmp_path / "runs"))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"grokterm: {said}")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--device=cuda"], "training.device = 'cuda': torch finds no CUDA device on this machine; use cpu or auto"),
        (["--set", "model.d_model=15"], "mod113-quick: d_model = 15 must be a multiple of n_heads = 4"),
    ],
)
def test_a_run_that_cannot_begin_leaves_no_directory(tmp_path: Path, arguments: list[str], said: str) -> None:
    done = grokterm("run", "mod113-quick", "--headless", f"--runs={tmp_path}", *arguments, CUDA_VISIBLE_DEVICES="")
    assert done.returncode == 2
    assert done.stderr == f"grokterm: {said}\n"
    assert list(tmp_path.iterdir()) == []


def test_debug_shows_the_traceback() -> None:
    done = grokterm("run", "mod131", "--headless", "--debug")
    assert done.returncode != 0
    assert "Traceback" in done.stderr


def test_escape_codes_of_names_and_files_stay_out_of_the_terminal(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    record(runs, 40).path.rename(runs / "evil\x1b]0;pwned\x07\x9b31m\u202e")
    attempts = [
        ["report", "-", "--out", str(tmp_path / "r\x1b]0;x\x07.md")],
        ["report", "nosuch"],
        ["plot", "-", "nosuch"],
        ["plot", "-", "--width", "100"],
        ["compare", "-", "-"],
        ["compare", "--json", "-", str(_another(tmp_path))],
        ["compare", "-", str(_another(tmp_path))],
        ["export", "-", "--to", "npz", "--out", str(tmp_path / "x\x1b]0;x\x07.npz")],
        ["runs", "--list"],
    ]
    for arguments in attempts:
        done = grokterm(*arguments, GROKTERM_RUNS=str(runs))
        assert "Traceback" not in done.stderr
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & {*done.stdout, *done.stderr}, arguments
    (next(runs.iterdir()) / "run.toml").write_text("[evil")
    done = grokterm("report", "-", GROKTERM_RUNS=str(runs))
    assert (done.returncode, "pwned" in done.stderr, "\x1b" in done.stderr) == (3, True, False)


def _another(folder: Path) -> Path:
    name = folder / "another"
    if not name.exists():
        record(folder / "others", 40).path.rename(name)
    return name


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_name_that_the_terminal_has_no_letters_for_is_no_traceback(tmp_path: Path, encoding: str) -> None:
    runs = tmp_path / "runs"
    record(runs, 40).path.rename(runs / "grün-グロック")
    page = str(tmp_path / "グ.md")
    for arguments in (["plot"], ["runs", "--list"], ["report", "--out", page], ["report", "グロ-no"]):
        done = subprocess.run(
            [sys.executable, "-m", "grokterm", *arguments],
            cwd=ROOT,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=60,
            env={**os.environ, "PYTHONIOENCODING": encoding, "GROKTERM_RUNS": str(runs)},
        )
        assert b"Traceback" not in done.stderr, done.stderr
        assert done.returncode == (3 if "no" in arguments[-1] else 0)


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["--version"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    heavy = {"torch", "numpy", "textual", "rich", "plotext", "safetensors"}
    script = f"""
import sys
from grokterm.cli import app
app({arguments!r}, prog_name="grokterm", standalone_mode=False)
print(sorted({heavy!r} & sys.modules.keys()), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr.strip() == "[]"
    assert "grokterm" in done.stdout


def test_a_runs_directory_made_for_a_run_that_could_not_begin_goes_again(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    command = [sys.executable, "-m", "grokterm", "run", "mod113", "--headless", "--device", "cuda", "--runs", str(runs)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, "no CUDA device" in done.stderr) == (2, True)
    assert not runs.exists()
