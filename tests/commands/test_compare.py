"""`grokterm compare` without a terminal: the table, the differing settings, JSON, and its errors."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from grokterm.cli import app
from grokterm.errors import RunError, UsageError
from tests.several_runs import configuration, recorded_runs

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    recorded_runs(folder, configuration(0), configuration(1, lr=2e-3), steps=40)
    return folder


def printed(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["compare", *arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0
    return result.stdout


def test_prints_the_table_and_what_differs(runs: Path) -> None:
    text = printed("--runs", str(runs), "2027-03-04-113000", "2027-03-04-113001")
    lines = text.splitlines()
    assert " ".join(lines[0].split()) == "memorised grokked delay train loss test loss keys state step"
    assert lines[1].split()[:8] == ["1", "lr", "0.001", "seed", "0", "20", "200", "180"]
    assert [line.split() for line in lines if line.startswith("optimizer.lr")] == [["optimizer.lr", "0.001", "0.002"]]
    assert "2 lr 0.002 seed 1: knobs turned during the run" in lines


def test_json_is_strict_and_complete(runs: Path) -> None:
    told = json.loads(printed("--runs", str(runs), "--json", "2027-03-04-113000", "2027-03-04-113001"))
    first = told["runs"][0]
    assert first["memorized_at"] == 20
    assert first["delay"] == 180
    assert first["state"] == "finished"
    assert first["edits"] == [{"step": 20, "knob": "weight_decay", "new": 2.0}]
    assert told["settings"] == {"optimizer.lr": ["0.001", "0.002"], "training.seed": ["0", "1"]}
    assert told["circumstances"] == {}


@pytest.mark.parametrize(
    ("named", "said"),
    [
        (["2027-03-04-113000"], "at least two runs"),
        (["2027-03-04-113000", "2027-03-04-113000"], "was named 2 times"),
        (["-"] * 17, "at most 16 runs, and 17 were named"),
    ],
)
def test_what_cannot_be_compared_is_one_sentence(runs: Path, named: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        printed("--runs", str(runs), *named)


def test_a_run_that_is_not_there_is_named(runs: Path) -> None:
    with pytest.raises(RunError, match="nothing"):
        printed("--runs", str(runs), "-", "nothing")


def test_the_real_program_ends_with_the_right_code_and_loads_no_torch(runs: Path) -> None:
    code = (
        "import sys\nfrom grokterm.cli import main\ntry: main()\nfinally: sys.stderr.write(str('torch' in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "compare", "--runs", str(runs), "2027-03-04-113000", "2027-03-04-113001"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
        env={**os.environ, "COLUMNS": "100"},
    )
    assert done.returncode == 0
    assert "memorised" in done.stdout
    assert done.stderr == "False"
