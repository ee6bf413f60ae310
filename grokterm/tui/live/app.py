"""The live screen as a program: training starts once it is painted, and is stopped and saved when it goes."""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from types import FrameType
from typing import Protocol

from grokterm.catalog import Catalog
from grokterm.drawing.cells import Markers
from grokterm.errors import GroktermError, RunError
from grokterm.history import History
from grokterm.run.directory import RunDirectory
from grokterm.run.events import ask
from grokterm.tui.app import GroktermApp, load_panels
from grokterm.tui.live.budget import FrameBudget
from grokterm.tui.live.screen import RunScreen
from grokterm.tui.looks import Looks
from grokterm.tui.terminal import markers_for, terminal_to_itself

STOP_SECONDS = 30.0
"""How long a stopping run may take to write its last checkpoint when a signal ends the program."""


class Training(Protocol):
    """The training thread, as far as a watcher is concerned."""

    error: GroktermError | None
    preset_name: str
    catalog: Catalog

    def start(self) -> None:
        """Begin."""
        ...

    def is_alive(self) -> bool:
        """Whether it goes on."""
        ...

    def join(self, timeout: float | None = None) -> None:
        """Wait for its end."""
        ...


class LiveApp(GroktermApp):
    """Shows one run until the person leaves or training could not begin."""

    def __init__(self, run: RunDirectory, training: Training, *, frame_budget: float, markers: Markers) -> None:
        super().__init__()
        self._training = training
        self.history = History(run)
        self.run_screen = RunScreen(
            self.history,
            load_panels(training.catalog),
            self.palette,
            Looks(markers=markers),
            training,
            training.preset_name,
            FrameBudget(frame_budget),
        )
        self.watch_screen = self.run_screen

    def on_mount(self) -> None:
        """Start training once the first frame is out, and watch over it."""
        super().on_mount()
        self.call_after_refresh(self._training.start)
        self.set_interval(0.5, self._watch_training)

    def _watch_training(self) -> None:
        if self._training.error is not None and not self.history.run.config_path.exists():
            self.exit()  # it could not begin: the sentence is printed where the person can read it


def watch(run: RunDirectory, training: Training, *, frame_budget: float) -> int:
    """Show the run until the person leaves; training is stopped and saved then. Returns the exit code.

    Raises the training's own error when it failed. On SIGHUP and SIGTERM training writes its checkpoint and the program
    ends, without waiting for a terminal that may be gone.
    """
    markers = markers_for(sys.stdout.encoding or "", os.environ.get("TERM", ""))
    with terminal_to_itself(run.log_path), _stopping_on_signals(run, training):
        app = LiveApp(run, training, frame_budget=frame_budget, markers=markers)
        app.run(mouse=False)
    if training.is_alive():
        print(
            "stopping: writing a full checkpoint …"
            if run.config_path.exists()
            else "stopping: torch is still loading …"
        )
    stop(run, training, time.monotonic() + 3600)
    with contextlib.suppress(RunError):
        app.history.poll()
    if training.error is not None:
        raise training.error
    if app.return_code:
        raise GroktermError(f"the screen failed; training was stopped and saved, the traceback is in {run.log_path}")
    return 0


def stop(run: RunDirectory, training: Training, deadline: float) -> None:
    """Ask training to stop and wait until it has saved its state, or until the deadline (time.monotonic)."""
    if not training.is_alive():
        return
    try:
        ask(run.path, "stop")
    except RunError as error:  # a full disk, a directory that is gone: nothing more can be saved
        print(f"{error}; leaving with the last checkpoint that was written")
        return
    training.join(max(deadline - time.monotonic(), 0.0))


@contextlib.contextmanager
def _stopping_on_signals(run: RunDirectory, training: Training) -> Iterator[None]:
    """A closing terminal or a polite kill: save, then leave without touching the terminal again.

    A screen that goes on writing to a terminal that is gone would block its writer for ever.
    """

    def leave(number: int, _: FrameType | None) -> None:
        with contextlib.suppress(RunError):
            stop(run, training, time.monotonic() + STOP_SECONDS)
        os._exit(128 + number)

    before = {number: signal.signal(number, leave) for number in (signal.SIGHUP, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
