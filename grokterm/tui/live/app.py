"""The live screen as a program: training starts once it is painted, and is seen to when the screen goes."""

import contextlib
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Literal

from grokterm.ancestry import find_parents
from grokterm.detached import Successor
from grokterm.drawing.cells import Markers
from grokterm.errors import GroktermError, RunError
from grokterm.history import History
from grokterm.run.directory import RunDirectory
from grokterm.tui.app import GroktermApp, load_panels
from grokterm.tui.live.budget import LOST_ELSEWHERE, LOST_HERE, FrameBudget
from grokterm.tui.live.leaving import Leaving, OwnTraining, Training, leave_at_once, terminal_is_gone
from grokterm.tui.live.screen import RunScreen
from grokterm.tui.looks import Looks
from grokterm.tui.terminal import markers_for, terminal_to_itself


class LiveApp(GroktermApp):
    """Shows one run, and the forks in which it goes on, until the person leaves or training could not begin."""

    def __init__(
        self, run: RunDirectory, training: Training, *, frame_budget: float, markers: Markers, read_only: bool = False
    ) -> None:
        super().__init__()
        self._read_only = read_only
        self._training = training
        self._frame_budget = frame_budget
        self._panels = load_panels(training.catalog)
        self.leaving: Literal["stop", "detach"] = "stop"
        """What becomes of training when the person leaves."""
        self._first, self._told_before = run, _size(run.events_path)
        self.history = History(run)
        _look(self.history)
        self.run_screen = self._screen_of(self.history, Looks(markers=markers))
        self.watch_screen = self.run_screen

    def on_mount(self) -> None:
        """Start training once the first frame is out, and watch over it. Textual calls that of `GroktermApp` too."""
        self.call_after_refresh(self._training.start)
        self.set_interval(0.5, self._watch_training)

    def follow(self, run: RunDirectory) -> None:
        """Show another run from now on: the fork in which the one that was shown goes on."""
        before = self.run_screen
        while self.screen is not before:  # dialogs about the other run
            self.pop_screen()
        if not self._training.here:  # a thread of this process knows by itself
            self._training.directory = run
        self.history = History(run)
        self.run_screen = self._screen_of(self.history, replace(before.looks, cursor=None, span=None))
        _look(self.history)  # after the screen was made: that training goes on in here is news to it
        find_parents(self.history)
        self.watch_screen = self.run_screen
        self.switch_screen(self.run_screen)

    def _screen_of(self, history: History, looks: Looks) -> RunScreen:
        training = self._training
        budget = FrameBudget(self._frame_budget, LOST_HERE if training.here else LOST_ELSEWHERE)
        preset, read_only = training.preset_name, self._read_only
        return RunScreen(history, self._panels, self.palette, looks, training, preset, budget, read_only=read_only)

    def _watch_training(self) -> None:
        if self._training.error is not None and _size(self._first.events_path) == self._told_before:
            self.exit()  # it could not begin: the sentence is printed where the person can read it


def _look(history: History) -> None:
    """Read what is recorded so far: the first frame shows it."""
    with contextlib.suppress(RunError):  # the screen looks again, and tells it
        history.poll()


def watch(
    run: RunDirectory,
    training: OwnTraining,
    *,
    frame_budget: float,
    on_hangup: Literal["detach", "stop"],
    successor: Successor,
) -> int:
    """Train and show the run until the person leaves; then training is saved and stops, or `successor` goes on.

    Returns the exit code, but does not return after handing over, nor after a signal. Raises the training's own error
    when it failed.
    """
    markers = markers_for(sys.stdout.encoding or "", os.environ.get("TERM", ""))
    leaving = Leaving(training, successor, on_hangup)
    with leaving.on_signals():
        app = _shown(run, training, leaving, frame_budget, markers)
        leaving.terminal_in_order()
        hung_up = app is None
        if (hung_up and on_hangup == "detach") or (app is not None and app.leaving == "detach"):
            if leaving.hand_over(_say):
                leave_at_once(129 if hung_up else 0)
        elif training.is_alive():
            _say(
                "stopping: writing a full checkpoint …"
                if training.directory.config_path.exists()
                else "stopping: torch is still loading …"
            )
        leaving.stop(_say)
    if hung_up:
        leave_at_once(129)
    if training.error is not None:
        raise training.error
    if app is not None and app.return_code:
        raise GroktermError(f"the screen failed; training was stopped and saved, the traceback is in {run.log_path}")
    return 0


def _shown(
    run: RunDirectory, training: OwnTraining, leaving: Leaving, frame_budget: float, markers: Markers
) -> LiveApp | None:
    """Show the run until the person leaves; None when the terminal has vanished without a signal."""
    try:
        with terminal_to_itself(run.log_path):
            app = LiveApp(run, training, frame_budget=frame_budget, markers=markers)
            leaving.app = app
            app.run(mouse=False)
    except OSError:  # the last words to a terminal
        if not terminal_is_gone():
            raise
        return None
    return None if app.return_code and terminal_is_gone() else app


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _say(text: str) -> None:
    with contextlib.suppress(OSError):
        print(text, flush=True)
