"""The Textual application: one run, live, on this terminal."""

import contextlib
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from types import FrameType
from typing import ClassVar, Protocol

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen

from grokterm.catalog import Catalog
from grokterm.errors import GroktermError, RunError, UsageError
from grokterm.history import History
from grokterm.run.directory import RunDirectory
from grokterm.run.events import ask
from grokterm.tui.budget import FrameBudget
from grokterm.tui.cells import Markers
from grokterm.tui.colours import Palette
from grokterm.tui.keys import GROUPS
from grokterm.tui.looks import Looks
from grokterm.tui.panel import Panel
from grokterm.tui.screens.run import RunScreen
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


class GroktermApp(App[None]):
    """Shows one run until the person leaves or training could not begin."""

    CSS_PATH = "grokterm.tcss"
    TITLE = "grokterm"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+q", "leave", "quit", show=False, priority=True)]

    def __init__(self, run: RunDirectory, training: Training, *, frame_budget: float, markers: Markers) -> None:
        super().__init__(ansi_color=True)
        self._training = training
        catalog = training.catalog
        panels: list[Panel] = [catalog.load("panels", name)() for name in catalog.names("panels")]
        digits = Counter(panel.digit for panel in panels)
        for panel in panels:
            if digits[panel.digit] > 1:
                free = next(digit for digit in range(1, 100) if digit not in digits)
                raise UsageError(f"two panels have the digit {panel.digit}, one of them {panel.name!r}; {free} is free")
        self.history = History(run)
        self.run_screen = RunScreen(
            self.history,
            {panel.digit: panel for panel in panels},
            Palette(colours=_colours(self)),
            Looks(markers=markers),
            training,
            training.preset_name,
            FrameBudget(frame_budget),
        )

    def on_mount(self) -> None:
        """Show the run, start training once the first frame is out, and watch over it."""
        self.push_screen(self.run_screen)
        self.call_after_refresh(self._training.start)
        self.set_interval(0.5, self._watch_training)

    def action_leave(self) -> None:
        """Textual's own key for quitting asks like ours."""
        if self.screen is self.run_screen:
            self.run_screen.action_leave()

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:  # noqa: ARG002 - Textual's
        """What the palette offers: every key's action by name, and the markers."""
        run = self.run_screen
        for group, keys in GROUPS:
            for key in keys:
                if key.action in ("pick", "app.command_palette"):
                    continue
                action = key.action
                yield SystemCommand(
                    key.does[:1].upper() + key.does[1:],
                    f"{group or 'Program'} · key {key.shown}",
                    lambda action=action: self.run_worker(run.run_action(action)),
                )
        markers: tuple[Markers, ...] = ("braille", "block", "ascii")
        for kind in markers:
            yield SystemCommand(
                f"Draw with {kind} markers",
                "View",
                lambda kind=kind: run.look(replace(run.looks, markers=kind)),
            )

    def _watch_training(self) -> None:
        if self._training.error is not None and not self._recorded():
            self.exit()  # it could not begin: the sentence is printed where the person can read it

    def _recorded(self) -> bool:
        return self.history.run.config_path.exists()


def _colours(app: App[None]) -> int:
    if app.no_color:
        return 0
    return {"standard": 16, "256": 256, "truecolor": 1 << 24, "windows": 16}.get(app.console.color_system or "", 16)


def watch(run: RunDirectory, training: Training, *, frame_budget: float) -> int:
    """Show the run until the person leaves; training is stopped and saved then. Returns the exit code.

    Raises the training's own error when it failed. On SIGHUP and SIGTERM training writes its checkpoint and the program
    ends, without waiting for a terminal that may be gone.
    """
    markers = markers_for(sys.stdout.encoding or "", os.environ.get("TERM", ""))
    with terminal_to_itself(run.log_path), _stopping_on_signals(run, training):
        app = GroktermApp(run, training, frame_budget=frame_budget, markers=markers)
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
