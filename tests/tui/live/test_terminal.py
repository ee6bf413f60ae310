"""The real program in a real pseudo-terminal: every steering key, then quit; and what the terminal looks like after."""

import os
import signal
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from grokterm.run.checkpoint import read_metadata
from grokterm.run.table import read_table
from tests.terminal import TINY, Terminal
from tests.waiting import wait_for

PRESET = "presets/mod113-quick"


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    with Terminal(tmp_path / "runs", [PRESET, *TINY, "--steps", "1000000"]) as terminal:
        yield terminal


def assert_restored(terminal: Terminal) -> None:
    """Left the alternate screen, shows the cursor, mouse off, and the line settings are as before."""
    assert termios.tcgetattr(terminal.worker) == terminal.before
    assert terminal.raw.rfind(b"\x1b[?1049l") > terminal.raw.rfind(b"\x1b[?1049h") >= 0
    assert terminal.raw.rfind(b"\x1b[?25h") > terminal.raw.rfind(b"\x1b[?25l") >= 0
    assert b"\x1b[?1000h" not in terminal.raw


def test_steering_a_run_from_start_to_quit(terminal: Terminal) -> None:
    terminal.see("training")
    wait_for(lambda: len(read_table(terminal.run.steps_path)) > 20, 60, "twenty steps")

    terminal.press("L")
    lr = terminal.wait_event("edit", knob="lr")
    terminal.press("w")
    decay = terminal.wait_event("edit", knob="weight_decay")
    assert (lr["old"], lr["new"]) == (0.005, 0.01)
    assert (decay["old"], decay["new"]) == (3.0, 1.5)
    terminal.see("lr 0.01")
    terminal.see("wd 1.5")

    terminal.press("s")
    terminal.see("Snapshot")
    terminal.press("mine\r")
    snapshot = terminal.wait_event("snapshot")
    assert snapshot["note"] == "mine"
    assert read_metadata(terminal.run.path / snapshot["checkpoint"]).kind == "full"

    terminal.press(" ")
    paused = terminal.wait_event("state", state="paused")
    terminal.see("paused")
    terminal.press(".")
    stepped = terminal.wait_event("state", 2, state="paused")
    assert stepped["step"] == paused["step"] + 1
    terminal.press(" ")
    terminal.wait_event("state", 2, state="training")
    terminal.see("training")

    terminal.press("q")
    terminal.see("Quit?")
    begun = time.monotonic()
    terminal.press("s")
    assert terminal.end() == 0
    assert time.monotonic() - begun < 5  # a second on a quiet machine
    assert_restored(terminal)
    assert "stopped at step" in terminal.text

    rows = read_table(terminal.run.steps_path)
    assert rows["step"].tolist() == list(range(len(rows)))
    assert rows["lr"][lr["step"] - 1 : lr["step"] + 1].tolist() == [0.005, 0.01]
    assert rows["weight_decay"][decay["step"] - 1 : decay["step"] + 1].tolist() == [3.0, 1.5]
    last = terminal.events("state")[-1]
    assert last["state"] == "stopped"
    assert read_metadata(terminal.run.checkpoints / f"{last['step']:09d}.safetensors").kind == "full"


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_a_hang_up_or_a_polite_kill_saves_and_leaves(terminal: Terminal, number: signal.Signals) -> None:
    terminal.see("training")
    wait_for(lambda: len(read_table(terminal.run.steps_path)) > 5, 60, "five steps")
    os.kill(terminal.process.pid, number)
    assert terminal.end() == 128 + number
    last = terminal.events("state")[-1]
    assert last["state"] == "stopped"
    assert read_metadata(terminal.run.checkpoints / f"{last['step']:09d}.safetensors").kind == "full"


def test_a_run_that_ends_stays_on_the_screen_and_quits_at_once(tmp_path: Path) -> None:
    with Terminal(tmp_path / "runs", [PRESET, *TINY, "--steps", "30"], width=80, height=24) as terminal:
        terminal.see("finished")
        terminal.press("q")
        assert terminal.end() == 0
        assert_restored(terminal)


@pytest.mark.parametrize(("width", "height"), [(20, 8), (200, 50)])
def test_very_small_and_very_large_terminals(tmp_path: Path, width: int, height: int) -> None:
    with Terminal(tmp_path / "runs", [PRESET, *TINY, "--steps", "200"], width=width, height=height) as terminal:
        terminal.wait_event("state", state="finished")
        terminal.see("200")
        terminal.press("q")
        assert terminal.end() == 0
        assert_restored(terminal)


def test_a_device_that_is_not_there_is_told_after_the_screen(tmp_path: Path) -> None:
    with Terminal(tmp_path / "runs", [PRESET, *TINY, "--device", "cuda"]) as terminal:
        assert terminal.end() == 2
        assert_restored(terminal)
        assert "no CUDA device" in terminal.text
        assert not (tmp_path / "runs").exists()
