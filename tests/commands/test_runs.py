"""`grokterm runs` as a person and a script meet it: the table, the JSON, the sentences, the pipe."""

import json
import os
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from grokterm.cli import app
from tests.small_runs import STARTED, small_run
from tests.terminal import Terminal
from tests.waiting import wait_for

ROOT = Path(__file__).parents[2]
TABLE = """\
name          preset  seed  state     step  train loss  test loss  test acc  phase         memorised at  grokked at  \
started              size  tags
2027-b        mod97      5  stopped      3       1.333       0.01     0.250  grokked                  1           3  \
2027-01-15 08:01  1.55 kB  -
2027-a[31m é  mod113     0  finished     3       1.333        0.5     0.250  memorization             -           -  \
2027-01-15 08:00  1.37 kB  good, odd
"""


def runs(*arguments: object, expected: int = 0) -> Result:
    result = CliRunner().invoke(app, ["runs", *map(str, arguments)])
    assert result.exit_code == expected, result.output
    return result


def grokterm(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "grokterm", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
        env={**os.environ, "TZ": "UTC"},
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    small_run(tmp_path, "2027-a\x1b[31m é", tags=("good", "odd"))
    marks = {"memorized_at": 1, "grokked_at": 3}
    small_run(
        tmp_path,
        "2027-b",
        started=STARTED + 60,
        state="stopped",
        planned=9,
        phase="grokked",
        marks=marks,
        p=97,
        lr=2e-3,
        seed=5,
        preset="mod97",
        test_loss=0.01,
    )
    return tmp_path


def test_in_a_pipe_the_table_is_complete_and_literal(folder: Path) -> None:
    done = grokterm("runs", "--runs", folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == TABLE


def test_json_is_one_strict_array_with_everything(folder: Path) -> None:
    told = json.loads(runs("--runs", folder, "--json").stdout, parse_constant=pytest.fail)
    assert [run["name"] for run in told] == ["2027-b", "2027-a\x1b[31m é"]
    assert told[0]["config"]["task"]["p"] == 97
    assert (told[0]["state"], told[0]["steps"], told[0]["delay"]) == ("stopped", 9, 2)
    assert told[0]["key_frequencies"] == [2, 5]


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("lr>=1e-3 state:done p:113", ["2027-a"]),
        ("lr>1e-3", ["2027-b"]),
        ("2027", ["2027-b", "2027-a"]),
        ("tag:good", ["2027-a"]),
        ("-tag:good", ["2027-b"]),
    ],
)
def test_a_filter_chooses(folder: Path, words: str, names: list[str]) -> None:
    told = json.loads(runs("--runs", folder, "--json", "--filter", words).stdout)
    assert [run["name"][:6] for run in told] == names
    lines = runs("--runs", folder, "--list", "--filter", words).stdout.splitlines()
    assert [line[:6] for line in lines[1:]] == names


def test_a_wrong_filter_is_one_sentence(folder: Path) -> None:
    done = grokterm("runs", "--runs", folder, "--filter", "statt:done")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "grokterm: statt:done: there is no key 'statt'; did you mean 'state'?\n"


def test_where_nothing_fits_or_nothing_is_there_a_sentence_says_so(folder: Path, tmp_path: Path) -> None:
    result = runs("--runs", folder, "--filter", "p:3")
    assert (result.stdout, result.stderr) == ("", f"none of the 2 runs in {folder} fits 'p:3'\n")
    assert runs("--runs", folder, "--filter", "p:3", "--json").stdout == "[]\n"
    result = runs("--runs", tmp_path / "nowhere")
    assert result.stdout == ""
    assert result.stderr == f"there is no run in {tmp_path / 'nowhere'}; `grokterm run mod113-quick` makes one\n"
    assert runs("--runs", tmp_path / "nowhere", "--json").stdout == "[]\n"
    assert not (tmp_path / "nowhere").exists()


def test_a_folder_that_is_none_is_refused(folder: Path) -> None:
    for path, said in ((folder / "2027-b", "that is a run itself"), (folder / "2027-b" / "run.toml", "that is a file")):
        done = grokterm("runs", "--runs", path)
        assert done.returncode == 2
        assert f"--runs {path}: {said}; name the folder that runs are kept in" in done.stderr


def test_a_folder_that_no_system_could_have_is_one_sentence(tmp_path: Path) -> None:
    done = grokterm("runs", "--runs", tmp_path / ("x" * 5000))
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.endswith(" cannot be read: File name too long\n")


def test_damaged_runs_are_listed_with_the_reason(folder: Path) -> None:
    (folder / "2027-b" / "run.toml").write_text("[task\n")
    lines = runs("--runs", folder).stdout.splitlines()
    assert lines[0].endswith("problem")
    (broken,) = [line for line in lines if line.startswith("2027-b")]
    assert "damaged" in broken
    assert "run.toml is not valid TOML" in broken
    assert [run["state"] for run in json.loads(runs("--runs", folder, "--json", "--filter", "2027-b").stdout)] == [
        "damaged"
    ]


@pytest.mark.parametrize("flag", ["--list", "--json"])
def test_a_reader_that_goes_away_is_no_error(tmp_path: Path, flag: str) -> None:
    small_run(tmp_path, "a")
    command = [sys.executable, "-m", "grokterm", "runs", "--runs", str(tmp_path), flag]
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(command, cwd=ROOT, stdout=writer, stderr=subprocess.PIPE, text=True, check=False, timeout=60)
    os.close(writer)
    assert done.stderr == ""


def test_on_a_terminal_the_browser_opens_a_run_and_comes_back(tmp_path: Path) -> None:
    small_run(tmp_path, "first", started=STARTED)
    small_run(tmp_path, "second", started=STARTED + 60)
    with Terminal(tmp_path, [], command="runs", width=80, height=24) as terminal:
        terminal.see("2 runs")
        terminal.press("j")
        wait_for(
            lambda: "first" in [line.rstrip() for line in terminal.text.splitlines()], 60, "the facts of the first"
        )
        terminal.press("\r")
        terminal.see("replay first")
        terminal.press("q")
        terminal.see("  2 runs  by started")
        terminal.press("q")
        assert terminal.end() == 0
        assert termios.tcgetattr(terminal.worker) == terminal.before
        assert terminal.raw.rfind(b"\x1b[?1049l") > terminal.raw.rfind(b"\x1b[?1049h") >= 0


def test_on_a_terminal_a_list_fits_its_width(tmp_path: Path) -> None:
    small_run(tmp_path, "a" * 40, started=STARTED)
    broken = small_run(tmp_path, "broken", started=STARTED + 60)
    broken.steps_path.write_bytes(b"what?")
    with Terminal(tmp_path, ["--list"], command="runs", width=60, height=24) as terminal:
        assert terminal.end() == 0
        lines = [line.rstrip() for line in terminal.text.splitlines()]
    assert lines[0] == "name                                      state     step"
    assert lines[1] == "broken                                    damaged      3"
    assert lines[2] == f"{'a' * 40}  finished     3"
    assert lines[4].startswith("broken: ")
    assert "steps.npy does not begin with" in "".join(lines)
