"""`grokterm import` as a person meets it: what it prints, how it fails, and what every viewer makes of its runs."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from grokterm.catalog import Catalog
from grokterm.cli import app
from grokterm.errors import UsageError
from grokterm.history import History
from grokterm.report import closing, event_line, progress_line
from grokterm.run.directory import RunDirectory
from grokterm.run.events import EventLog
from grokterm.run.finding import runs_in
from grokterm.tui.looks import Looks
from grokterm.tui.panel import Panel
from grokterm.tui.status import header
from tests import foreign

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Enough for p = 13."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def lines_of(*arguments: str | Path) -> dict[str, str]:
    """What the command printed, by its labels."""
    done = CliRunner().invoke(app, ["import", *map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == 0
    return {line[:11].strip(): line[11:] for line in done.stdout.splitlines()}


def polled(run: RunDirectory) -> History:
    history = History(run)
    history.poll()
    return history


def test_what_was_found_is_told(tmp_path: Path) -> None:
    runs = tmp_path / "my runs"
    told = lines_of(foreign.saved(tmp_path, foreign.nanda(foreign.trained())), "--runs", runs, "--name", "mine")
    (run,) = runs_in(runs)
    assert run.name.endswith("-mine")
    assert list(told) == [
        *("imported", "layout", "task", "split", "losses", "weights", "assumed", "computed", "next"),
    ]
    assert told["imported"] == f"run.pth as {run.name}"
    assert told["layout"] == "Nanda's own, without the column of = in W_U"
    assert told["task"].startswith("a + b mod 13: the weights are right about a + b on ")
    assert told["split"].startswith(
        "torch:598, 0.6 of the pairs (101 of 169): its training pairs have the lower losses"
    )
    assert told["losses"] == "200 train losses and 20 test losses, every 10 epochs"
    assert told["weights"] == "of step 200"
    assert (
        "lr 0.001, weight_decay 1, betas (0.9, 0.98), eps 1e-08: the paper's, for the file does not" in told["assumed"]
    )
    train, test = foreign.trained().losses[199][0], foreign.trained().losses[190][1]
    assert f"(recorded at step 199: {train:.4g})" in told["computed"]
    assert f"(recorded at step 190: {test:.4g})" in told["computed"]
    assert told["next"] == f"grokterm replay {run.name} --runs '{runs}'"


def test_losses_of_another_model_are_noticed(tmp_path: Path) -> None:
    values = foreign.nanda(foreign.trained())
    values["train_losses"] = [50.0] * 200
    told = lines_of(foreign.saved(tmp_path, values), "--runs", tmp_path / "runs")
    assert "(recorded at step 199: 50, far from it: the losses may be another model's)" in told["computed"]


def test_flags_reach_the_run(tmp_path: Path) -> None:
    path = foreign.saved(tmp_path, foreign.in_layout("TransformerLens", foreign.trained().states[0]))
    runs = tmp_path / "runs"
    flags = ("--p", "13", "--operation", "subtract", "--split", "python:5", "--fraction", "0.4")
    told = lines_of(path, "--runs", runs, *flags, "--lr", "0.002", "--weight-decay", "0.5")
    assert told["task"].startswith("a − b mod 13: from --operation; the weights do not show it")
    assert told["split"].startswith("python:5, 0.4 of the pairs (67 of 169): from --split; the weights neither")
    config = runs_in(runs)[0].read_config()
    assert config is not None
    assert config["task"] == {
        "name": "modular", "p": 13, "operation": "subtract", "train_fraction": 0.4, "split": "python", "split_seed": 5,
    }  # fmt: skip
    assert (config["optimizer"]["lr"], config["optimizer"]["weight_decay"]) == (0.002, 0.5)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--split", "torch"], "--split torch: write it as PROCEDURE:SEED"),
        (["--p", "12"], "--p 12: must be an odd prime; the nearest is 11 or 13"),
        (["--fraction", "1.5"], "--fraction 1.5: must be less than 1"),
        ([], "nothing.pth"),
    ],
)
def test_errors_are_one_sentence_and_exit_code_2(tmp_path: Path, arguments: list[str], said: str) -> None:
    command = ["import", str(tmp_path / "nothing.pth"), "--runs", str(tmp_path / "runs"), *arguments]
    result = CliRunner().invoke(app, command)
    assert isinstance(result.exception, UsageError)
    assert result.exception.exit_code == 2
    assert said in str(result.exception)
    assert not (tmp_path / "runs").exists()


def test_file_names_are_shown_without_their_escape_codes(tmp_path: Path) -> None:
    path = foreign.saved(tmp_path, foreign.nanda(foreign.trained()), "a\x1b[31m[b]b\n.pth")
    told = lines_of(path, "--runs", tmp_path / "runs")
    assert told["imported"].startswith("a[31m[b]b .pth as ")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_leaves_nothing_of_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals, code: int
) -> None:
    def signalled(*_: object, **__: object) -> None:
        os.kill(os.getpid(), number)

    path, before = foreign.saved(tmp_path, foreign.nanda(foreign.trained())), signal.getsignal(number)
    monkeypatch.setattr(EventLog, "write", signalled)
    result = CliRunner().invoke(app, ["import", str(path), "--runs", str(tmp_path / "runs")])
    assert result.exit_code == code
    assert signal.getsignal(number) == before
    assert not (tmp_path / "runs").exists()


def test_under_nohup_an_import_outlives_its_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def hung_up(*arguments: Any, **said: Any) -> None:
        os.kill(os.getpid(), signal.SIGHUP)
        write(*arguments, **said)

    path, write = foreign.saved(tmp_path, foreign.nanda(foreign.trained())), EventLog.write
    monkeypatch.setattr(EventLog, "write", hung_up)
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        lines_of(path, "--runs", tmp_path / "runs")
    finally:
        signal.signal(signal.SIGHUP, before)
    assert len(runs_in(tmp_path / "runs")) == 1


def test_a_flag_against_the_file_is_refused(tmp_path: Path) -> None:
    values = foreign.nanda(foreign.trained()) | {"config": {"lr": 1e-3, "weight_decay": 1.0}}
    command = ["import", str(foreign.saved(tmp_path, values)), "--runs", str(tmp_path / "runs")]
    for flags, said in ((["--lr", "5"], "--lr 5 is not"), (["--weight-decay", "7"], "--weight-decay 7 is not")):
        result = CliRunner().invoke(app, [*command, *flags])
        assert isinstance(result.exception, UsageError)
        assert f"run.pth: {said} what the file says" in str(result.exception)
    assert not (tmp_path / "runs").exists()
    lines_of(*command[1:], "--lr", "0.001", "--weight-decay", "1")


def test_every_viewer_takes_an_imported_run(tmp_path: Path) -> None:
    """No time, no accuracy, no knobs: panels, header, progress and report must do without."""
    trained = foreign.trained()
    values = {"a": foreign.nanda(trained), "b": foreign.demo(trained), "c": values_alone()}
    for name, value in values.items():
        lines_of(foreign.saved(tmp_path, value, f"{name}.pth"), "--runs", tmp_path / "runs")
    panels: list[Panel] = [Catalog().load("panels", name)() for name in Catalog().names("panels")]
    for run in runs_in(tmp_path / "runs"):
        whole = polled(run)
        for history in (whole, *(whole.at(step) for step in (0, 1, 60, 199, 200))):
            for looks in (Looks(), Looks(waterfall=True, log_x=True), Looks(cursor=100, smooth=True)):
                for panel in panels:
                    if panel.has_something(history):
                        picture = panel.draw(history, looks, 60, 14)
                        assert len(picture.rows) == 14
            assert len(header(history, run.name, "imported", 100, 2, "braille")) == 2
            assert progress_line(history)
        assert closing(whole).startswith("finished at step ")
        assert all(event_line(event) is None or "\n" not in str(event_line(event)) for event in whole.events)


def values_alone() -> foreign.Weights:
    return foreign.in_layout("TransformerLens", foreign.trained().states[-1])


def test_an_imported_run_is_read_without_torch(tmp_path: Path) -> None:
    lines_of(foreign.saved(tmp_path, foreign.demo(foreign.trained())), "--runs", tmp_path / "runs")
    code = (
        "import sys, json; from grokterm.history import History; from grokterm.run.finding import find\n"
        "from pathlib import Path; history = History(find(Path(sys.argv[1]))); history.poll()\n"
        "print(json.dumps([history.step, len(history.names()), 'torch' in sys.modules]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "runs")], cwd=ROOT, capture_output=True, text=True, check=True
    )
    step, names, has_torch = json.loads(done.stdout)
    assert (step, has_torch) == (200, False)
    assert names > 20
