"""The real program in a real pseudo-terminal: every steering key, then quit; and what the terminal looks like after."""

import os
import signal
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from grokterm.run.checkpoint import read_metadata
from grokterm.run.lock import holder, is_alive
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


# -- leaving while it trains: another process goes on


def training(terminal: Terminal, rows: int = 30) -> None:
    terminal.see("● training")
    wait_for(lambda: len(read_table(terminal.run.steps_path)) > rows, 60, f"{rows} steps")


def to_its_end(terminal: Terminal, steps: int) -> None:
    """Another process trains to the planned end; every step is recorded once, and nobody trains any more."""
    run = terminal.run
    assert terminal.wait_event("state", state="detached")["step"] < steps
    wait_for(lambda: (held := holder(run)) is not None and held.pid != terminal.process.pid, 30, "another trainer")
    terminal.wait_event("state", state="resumed")
    assert terminal.wait_event("state", state="finished")["step"] == steps
    assert read_table(run.steps_path)["step"].tolist() == list(range(steps))
    assert read_table(run.tests_path)["step"].tolist() == list(range(steps + 1))
    wait_for(lambda: not is_alive(run), what="the end of the trainer")


@pytest.mark.parametrize("key", ["d", "\x1a"], ids=["d", "ctrl+z"])
def test_leaving_lets_another_process_go_on(tmp_path: Path, key: str) -> None:
    with Terminal(tmp_path / "runs", [PRESET, *TINY, "--steps", "1500"]) as terminal:
        training(terminal)
        begun = time.monotonic()
        terminal.press(key)
        assert terminal.end() == 0
        assert time.monotonic() - begun < 5  # 0.2 s on a quiet machine
        assert_restored(terminal)
        assert f"{terminal.run.name} goes on in the background" in terminal.text.replace("\n", "")
        to_its_end(terminal, 1500)
        assert terminal.run.log_path.read_text() == ""


def test_quitting_can_keep_training(tmp_path: Path) -> None:
    with Terminal(tmp_path / "runs", [PRESET, *TINY, "--steps", "1000"]) as terminal:
        training(terminal)
        terminal.press("q")
        terminal.see("Quit?")
        terminal.press("k")
        assert terminal.end() == 0
        assert_restored(terminal)
        to_its_end(terminal, 1000)


def test_a_hang_up_lets_another_process_go_on(tmp_path: Path) -> None:
    with Terminal(tmp_path / "runs", [PRESET, *TINY, "--steps", "1500"], controls=True) as terminal:
        training(terminal)
        terminal.hang_up()
        assert terminal.end() == 128 + signal.SIGHUP
        to_its_end(terminal, 1500)


def test_a_terminal_that_vanishes_without_a_signal_is_a_hang_up(tmp_path: Path) -> None:
    with Terminal(tmp_path / "runs", [PRESET, *TINY, "--steps", "1500"]) as terminal:
        training(terminal)
        terminal.hang_up()
        assert terminal.end() == 128 + signal.SIGHUP
        to_its_end(terminal, 1500)


def test_a_hang_up_that_leaves_the_terminal_there_leaves_it_in_order(terminal: Terminal) -> None:
    training(terminal)
    os.kill(terminal.process.pid, signal.SIGHUP)
    assert terminal.end() == 128 + signal.SIGHUP
    assert_restored(terminal)
    assert "goes on in the background" in terminal.text
    terminal.wait_event("state", state="resumed")


def test_a_terminal_that_takes_nothing_any_more_does_not_hold_a_hang_up_up(terminal: Terminal) -> None:
    training(terminal)
    termios.tcflow(terminal.worker, termios.TCOOFF)  # as ctrl+s: whoever writes waits
    terminal.press("?")
    os.kill(terminal.process.pid, signal.SIGHUP)
    assert terminal.process.wait(20) == 128 + signal.SIGHUP
    termios.tcflow(terminal.worker, termios.TCOON)
    terminal.read()
    assert b"\x1b[?1049l" not in terminal.raw  # it did not wait until it could say so
    terminal.wait_event("state", state="resumed")


@pytest.mark.parametrize("how", ["d", "hang-up"])
def test_leaving_while_torch_is_loading(tmp_path: Path, how: str) -> None:
    with Terminal(tmp_path / "runs", [PRESET, *TINY, "--steps", "200"]) as terminal:
        terminal.see("loading")
        if how == "d":
            terminal.press("d")
        else:
            os.kill(terminal.process.pid, signal.SIGHUP)
        assert terminal.end() == (0 if how == "d" else 129)
        assert_restored(terminal)
        assert "goes on in the background" in terminal.text
        assert not terminal.run.steps_path.exists()
        terminal.wait_event("state", state="finished")
        assert read_table(terminal.run.steps_path)["step"].tolist() == list(range(200))
        assert [event["state"] for event in terminal.events("state")] == ["training", "finished"]


def test_a_trainer_that_cannot_begin_leaves_the_reason(tmp_path: Path) -> None:
    arguments = [PRESET, *TINY, "--set", "task.train_fraction=0.001"]
    with Terminal(tmp_path / "runs", arguments) as terminal:
        terminal.see("loading")
        terminal.press("d")
        assert terminal.end() == 0
        wait_for(lambda: "leaves 0 of 121 pairs to train on" in terminal.run.log_path.read_text(), 30, "the reason")


# -- a polite kill, and those who do not want training to go on: it stops, and is saved


def stopped(terminal: Terminal) -> None:
    last = terminal.events("state")[-1]
    assert last["state"] == "stopped"
    assert read_metadata(terminal.run.checkpoints / f"{last['step']:09d}.safetensors").kind == "full"
    assert not is_alive(terminal.run)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_polite_kill_saves_and_leaves(terminal: Terminal, number: signal.Signals) -> None:
    training(terminal)
    os.kill(terminal.process.pid, number)
    assert terminal.end() == 128 + number
    assert_restored(terminal)
    stopped(terminal)
    step = terminal.events("state")[-1]["step"]
    assert f"was stopped by {number.name} at step {step:,}; `grokterm resume" in terminal.text.replace("\n", "")


def test_a_hang_up_can_stop_training(tmp_path: Path) -> None:
    arguments = [PRESET, *TINY, "--steps", "1000000", "--on-hangup", "stop"]
    with Terminal(tmp_path / "runs", arguments, controls=True) as terminal:
        training(terminal)
        terminal.hang_up()
        assert terminal.end() == 128 + signal.SIGHUP
        stopped(terminal)


# -- a process of its own from the start


def test_detached_from_the_start_one_only_attaches(tmp_path: Path) -> None:
    with Terminal(tmp_path / "runs", [PRESET, *TINY, "--steps", "1000000", "--detach"]) as terminal:
        terminal.see("loading")
        training(terminal)
        held = holder(terminal.run)
        assert held is not None
        assert held.pid != terminal.process.pid
        terminal.press("L")
        terminal.wait_event("edit", knob="lr")
        terminal.press("q")
        assert terminal.end() == 0
        assert_restored(terminal)
        assert "goes on in the background" in terminal.text
        os.kill(held.pid, signal.SIGTERM)
        wait_for(lambda: not is_alive(terminal.run), what="the end of the trainer")
        stopped(terminal)


def test_what_a_detached_trainer_cannot_do_is_told_after_the_screen(tmp_path: Path) -> None:
    arguments = [PRESET, *TINY, "--set", "task.train_fraction=0.001", "--detach"]
    with Terminal(tmp_path / "runs", arguments) as terminal:
        assert terminal.end() == 2
        assert_restored(terminal)
        assert "leaves 0 of 121 pairs to train on" in terminal.text
        assert not (tmp_path / "runs").exists()


# -- its end, and its edges


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
