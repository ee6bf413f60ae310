"""The real program in a real pseudo-terminal: every steering key, then quit; and what the terminal looks like after."""

import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyte
import pytest
from waiting import wait_for

from grokterm.run.checkpoint import read_metadata
from grokterm.run.directory import RunDirectory
from grokterm.run.table import read_table

ROOT = Path(__file__).parents[2]
TINY = ("task.p=11", "task.train_fraction=0.6", "model.d_model=16", "model.n_heads=2", "model.d_mlp=32")


class Terminal:
    """The program in a pseudo-terminal of its own; `text` is what a person would see now."""

    def __init__(self, runs: Path, *arguments: str, width: int = 100, height: int = 30) -> None:
        self.runs = runs
        self.main, worker = pty.openpty()
        fcntl.ioctl(worker, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
        self.worker = worker
        self.before = termios.tcgetattr(worker)
        self.screen = pyte.Screen(width, height)
        self._stream = pyte.ByteStream(self.screen)
        self.raw = b""
        settings = [text for setting in (*TINY, "training.threads=1") for text in ("--set", setting)]
        command = [sys.executable, "-m", "grokterm", "run", "presets/mod113-quick", "--runs", str(runs), *settings]
        environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "", "LINES": ""}
        self.process = subprocess.Popen(
            [*command, *arguments], stdin=worker, stdout=worker, stderr=worker, cwd=ROOT, env=environment,
            start_new_session=True,
        )  # fmt: skip

    def read(self) -> None:
        """Take in what the program has written so far."""
        while select.select([self.main], [], [], 0)[0]:
            try:
                data = os.read(self.main, 65536)
            except OSError:
                return
            self.raw += data
            self._stream.feed(data)

    @property
    def text(self) -> str:
        self.read()
        return "\n".join(self.screen.display)

    def press(self, keys: str) -> None:
        os.write(self.main, keys.encode())

    def see(self, what: str) -> None:
        wait_for(lambda: what in self.text, 60, f"{what!r} on the screen:\n{self.text}")

    @property
    def run(self) -> RunDirectory:
        (path,) = self.runs.iterdir()
        return RunDirectory(path)

    def events(self, kind: str) -> list[dict[str, Any]]:
        files = self.runs.glob("*/events.jsonl")
        lines = [line for file in files for line in file.read_text().splitlines()]
        return [event for line in lines if (event := json.loads(line))["event"] == kind]

    def wait_event(self, kind: str, count: int = 1, **data: object) -> dict[str, Any]:
        def found() -> list[dict[str, Any]]:
            self.read()
            fitting = [event for event in self.events(kind) if data.items() <= event.items()]
            return fitting[count - 1 : count]

        return wait_for(found, 60, f"{kind} {data}")[0]

    def end(self) -> int:
        """Wait for the program's end, reading on so that it never blocks."""

        def ended() -> bool:
            self.read()
            return self.process.poll() is not None

        wait_for(ended, 60, "the end of the program")
        self.read()
        assert self.process.returncode is not None
        return self.process.returncode

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.main)
        os.close(self.worker)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    terminal = Terminal(tmp_path / "runs", "--steps", "1000000")
    yield terminal
    terminal.close()


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
    terminal = Terminal(tmp_path / "runs", "--steps", "30", width=80, height=24)
    terminal.see("finished")
    terminal.press("q")
    assert terminal.end() == 0
    assert_restored(terminal)
    terminal.close()


@pytest.mark.parametrize(("width", "height"), [(20, 8), (200, 50)])
def test_very_small_and_very_large_terminals(tmp_path: Path, width: int, height: int) -> None:
    terminal = Terminal(tmp_path / "runs", "--steps", "200", width=width, height=height)
    terminal.wait_event("state", state="finished")
    terminal.see("200")
    terminal.press("q")
    assert terminal.end() == 0
    assert_restored(terminal)
    terminal.close()


def test_a_device_that_is_not_there_is_told_after_the_screen(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path / "runs", "--device", "cuda")
    assert terminal.end() == 2
    assert_restored(terminal)
    assert "no CUDA device" in terminal.text
    assert not list((tmp_path / "runs").iterdir())
    terminal.close()
