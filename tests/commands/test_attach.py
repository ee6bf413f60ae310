"""`grokterm attach` in real pseudo-terminals, beside a trainer that is a process of its own; and undo on a live run."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from grokterm.cli import app
from grokterm.run.directory import RunDirectory
from grokterm.run.events import LineTail
from grokterm.run.finding import runs_in
from grokterm.run.lock import Lock, holder, is_alive
from tests.recorded import record
from tests.terminal import ROOT, TINY, Terminal
from tests.waiting import wait_for

PRESET = "presets/mod113-quick"


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Path]:
    """A folder in which a run is being trained without a screen."""
    folder = tmp_path / "runs"
    arguments = [PRESET, *TINY, "--steps", "1000000", "--headless", "--runs", str(folder)]
    trainer = subprocess.Popen(
        [sys.executable, "-m", "grokterm", "run", *arguments],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: runs_in(folder) and told(runs_in(folder)[0], "phase"), 60, "the first event")
        yield folder
    finally:
        trainer.kill()
        trainer.wait()


def told(run: RunDirectory, kind: str) -> list[dict[str, object]]:
    return [event for event in LineTail(run.events_path).new() if event["event"] == kind]


def ctl(folder: Path, *words: str) -> list[dict[str, object]]:
    result = CliRunner().invoke(app, ["ctl", "-", *words, "--runs", str(folder)])
    assert result.exit_code == 0, result.exception
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_two_terminals_watch_a_run_and_one_of_them_steers_it(runs: Path) -> None:
    (run,) = runs_in(runs)
    with (
        Terminal(runs, [], command="attach") as steering,
        Terminal(runs, [run.name, "--read-only"], command="attach", width=80, height=24) as looking,
    ):
        steering.see("training")
        looking.see("z zoom")
        assert "u undo" in steering.text
        assert "u undo" not in looking.text

        looking.press("L")
        looking.see("read-only: started with --read-only")
        steering.press("L")
        edit = steering.wait_event("edit", knob="lr")
        assert edit["old"] == 0.005
        for terminal in (steering, looking):
            terminal.see("lr 0.01")

        steering.press("u")
        steering.see("undo lr 0.005 → 0.01")
        steering.press("u")
        for terminal in (steering, looking):
            terminal.see("mod113-quick-from-")
            terminal.see("lr 0.005")
        fork = runs_in(runs)[0]
        assert fork != run
        assert told(run, "state")[-1]["state"] == "stopped"

        maps = Path(f"/proc/{steering.process.pid}/maps").read_text()
        assert "libtorch" not in maps
        looking.press("q")
        assert looking.end() == 0
        assert f"{fork.name} goes on in the background" in looking.text.replace("\n", "")
        assert is_alive(fork)
        os.kill(steering.process.pid, signal.SIGHUP)  # a terminal that is closed
        assert steering.end() == 128 + signal.SIGHUP
        assert is_alive(fork)
        assert ctl(runs, "stop")[0]["state"] == "stopping"
        wait_for(lambda: not is_alive(fork), 60, "the end of training")


def test_a_trainer_that_is_killed_is_missed_until_another_takes_over(runs: Path) -> None:
    (run,) = runs_in(runs)
    with Terminal(runs, [], command="attach") as terminal:
        terminal.see("training")
        held = holder(run)
        assert held is not None
        os.kill(held.pid, signal.SIGKILL)
        terminal.see("✗ interrupted")
        terminal.see(f"`grokterm resume {run.name}`")
        with Terminal(runs, [run.name, "--headless"], command="resume") as resumed:
            terminal.see("● training")
            terminal.press("q")
            assert terminal.end() == 0
            ctl(runs, "stop")
            assert resumed.end() == 0


def test_undo_on_a_live_run_follows_into_the_fork(tmp_path: Path) -> None:
    folder = tmp_path / "runs"
    with Terminal(folder, [PRESET, *TINY, "--steps", "1000000"]) as terminal:
        terminal.see("training")
        terminal.press("L")
        edit = terminal.wait_event("edit", knob="lr")
        terminal.press("u")
        terminal.see("Undo?")
        terminal.press("\r")
        terminal.see(f"went back to step {edit['step']:,}: this is the fork")
        terminal.see("lr 0.005")
        terminal.press("q")
        terminal.see("keep training")
        terminal.press("s")
        assert terminal.end() == 0
        fork, run = runs_in(folder)
        assert f"/{fork.path.name}" in terminal.raw.decode()  # the closing report is that of the fork
    assert [told(each, "state")[-1]["state"] for each in (fork, run)] == ["stopped", "stopped"]
    assert not told(fork, "edit")
    assert not is_alive(fork)


def test_without_a_terminal_it_names_what_needs_none(tmp_path: Path) -> None:
    run = record(tmp_path, 10, state="training")
    done = CliRunner().invoke(app, ["attach", "--runs", str(tmp_path)])
    assert "the newest, " in str(done.exception)
    with Lock(run):
        done = CliRunner().invoke(app, ["attach", "--runs", str(tmp_path)])
    assert getattr(done.exception, "exit_code", None) == 2
    assert "attach needs a terminal; without one, `grokterm ctl` steers" in str(done.exception)
