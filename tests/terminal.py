"""The real program in a real pseudo-terminal, and what a person would see there."""

import contextlib
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
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Self

import pyte

from grokterm.run.directory import RunDirectory
from grokterm.run.lock import holder, is_alive
from tests.waiting import wait_for

ROOT = Path(__file__).parents[1]
TINY = (
    *("--set", "task.p=11", "--set", "task.train_fraction=0.6", "--set", "training.threads=1"),
    *("--set", "model.d_model=16", "--set", "model.n_heads=2", "--set", "model.d_mlp=32"),
    *("--set", "training.measure_on_end=false"),
)
"""A network that trains a thousand steps in seconds, and leaves no process that measures it."""


class Terminal:
    """The program in a pseudo-terminal of its own; `text` is what a person would see now.

    `controls`: when the terminal closes, the system sends the program SIGHUP. Trainers that the program left behind are
    killed at the end.
    """

    def __init__(
        self,
        runs: Path,
        arguments: Sequence[str],
        *,
        command: str = "run",
        width: int = 100,
        height: int = 30,
        controls: bool = False,
    ) -> None:
        self.runs = runs
        self.main, worker = pty.openpty()
        fcntl.ioctl(worker, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
        self.worker = worker
        self.before = termios.tcgetattr(worker)
        self.screen = pyte.Screen(width, height)
        self._stream = pyte.ByteStream(self.screen)
        self.raw = b""
        call = [sys.executable, "-m", "grokterm", command, "--runs", str(runs), *arguments]
        environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "", "LINES": ""}
        self.process = subprocess.Popen(
            call,
            stdin=worker,
            stdout=worker,
            stderr=worker,
            cwd=ROOT,
            env=environment,
            start_new_session=True,
            preexec_fn=(lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0)) if controls else None,
        )

    def read(self) -> None:
        """Take in what the program has written so far."""
        while self.main >= 0 and select.select([self.main], [], [], 0)[0]:
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
        try:
            wait_for(lambda: what in self.text, 60, f"{what!r} on the screen")
        except AssertionError as error:
            raise AssertionError(f"{error}:\n{self.text}") from None

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

    def hang_up(self) -> None:
        """Close the terminal, as a connection that breaks does; nothing can be read any more."""
        os.close(self.main)
        self.main = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        kill_trainers(self.runs)
        for descriptor in (self.main, self.worker):
            if descriptor >= 0:
                os.close(descriptor)


def kill_trainers(runs: Path) -> None:
    """End whoever trains a run in this folder."""
    for run in [RunDirectory(path) for path in runs.iterdir()] if runs.exists() else []:
        if (held := holder(run)) is not None and held.pid != os.getpid():
            with contextlib.suppress(ProcessLookupError):
                os.kill(held.pid, signal.SIGKILL)
            wait_for(partial(_is_dead, run), what="the end of a trainer")


def _is_dead(run: RunDirectory) -> bool:
    return not is_alive(run)
