"""A run without a screen: progress on stdout while it trains, a report at its end, a clean stop on a signal."""

import contextlib
import logging
import os
import signal
import sys
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from types import FrameType, TracebackType
from typing import Protocol, Self

from rich.progress import BarColumn, Progress, TextColumn

from grokterm.errors import RunError
from grokterm.history import History
from grokterm.plot import loss_chart
from grokterm.report import closing, event_line, progress_line, short_line
from grokterm.run.directory import RunDirectory
from grokterm.run.events import ask
from grokterm.text import plain
from grokterm.training import TrainingThread
from grokterm.tui.status import planned_steps
from grokterm.tui.terminal import markers_for

POLL_SECONDS = 0.2
CHART_ROWS = 18
LEAST_BAR = 10
STOPPED_BY = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def watch(run: RunDirectory, training: TrainingThread, *, frame_budget: float) -> int:
    """Train to the end and tell what happens. Returns the exit code: 0, or 128 + the signal that stopped the run.

    A signal asks the trainer to stop and write a full checkpoint, and the report is printed; a second Ctrl+C leaves at
    once. Raises the training's own error, after the report when something was recorded.
    """
    _ = frame_budget  # a line now and then costs nothing; the screen's `watch` needs it
    history, output = History(run), _Output()
    with _warnings_go_to(run.log_path), _Stop(run) as stop:
        output.say(f"{plain(training.preset_name)} in {plain(str(run.path))}")
        show: _Show = _Bar(output) if output.is_live else _Lines(output)
        try:
            training.start()
            _follow(history, training, stop, show)
        finally:
            show.end()
            if training.is_alive():  # watching failed; the run ends as one should
                ask(run.path, "stop")
                training.join()
    if training.error is not None:
        with contextlib.suppress(RunError):
            if run.config_path.exists():
                output.report(history)
        raise training.error
    output.report(history)
    return 128 + stop.signal if stop.signal else 0


def _follow(history: History, training: TrainingThread, stop: "_Stop", show: "_Show") -> None:
    """Look at the run until training has ended."""
    told = 0
    said_stopping = False
    goes_on = True
    try:
        while goes_on:
            training.join(POLL_SECONDS)
            goes_on = training.is_alive()  # before the poll, so that the last one sees everything
            if stop.signal and not said_stopping:
                said_stopping = True
                show.say("stopping: writing a full checkpoint … (Ctrl+C again leaves without one)")
            with contextlib.suppress(RunError):  # one that lasts is raised by the poll after the end
                history.poll()
            for event in history.events[told:]:
                line = event_line(event)
                if line is not None:
                    show.say(line)
            told = len(history.events)
            show.progress(history)
    except KeyboardInterrupt:
        show.say("left at once: the last full checkpoint may be minutes old")
        show.end()
        os._exit(128 + signal.SIGINT)  # not through the interpreter's end, which would wait for torch


class _Show(Protocol):
    """How progress is shown."""

    def say(self, line: str) -> None:
        """Tell something that stays."""
        ...

    def progress(self, history: History) -> None:
        """Tell how far training is, when it is time to."""
        ...

    def end(self) -> None:
        """Leave the terminal as it was."""
        ...


class _Stop:
    """Signals that end a run, as a context manager: `signal` is the first that came, 0 before.

    The request waits in the inbox while torch is still being imported. A second Ctrl+C raises KeyboardInterrupt.
    """

    def __init__(self, run: RunDirectory) -> None:
        self.signal = 0
        self._run = run
        self._before: dict[int, object] = {}

    def __enter__(self) -> Self:
        for number in STOPPED_BY:
            if number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN:
                continue  # nohup: the run is meant to outlive its terminal
            self._before[number] = signal.signal(number, self._ask) or signal.SIG_DFL
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def _ask(self, number: int, _: FrameType | None) -> None:
        if not self.signal:
            self.signal = number
            with contextlib.suppress(RunError):  # the run has ended, and was removed because it held nothing
                ask(self._run.path, "stop")
        elif number == signal.SIGINT:
            raise KeyboardInterrupt


@contextlib.contextmanager
def _warnings_go_to(log: Path) -> Iterator[None]:
    """Python's warnings, torch's among them, belong into the run's log; it is made when the first one comes.

    What C code prints stays on stderr: without a screen there is nothing that it could spoil.
    """
    logger, handler = logging.getLogger("py.warnings"), logging.FileHandler(log, delay=True)
    propagated, logger.propagate = logger.propagate, False
    logger.addHandler(handler)
    logging.captureWarnings(True)
    try:
        yield
    finally:
        logging.captureWarnings(False)
        logger.removeHandler(handler)
        logger.propagate = propagated
        handler.close()


class _Output:
    """Stdout, which may not know every character, and may go away: training goes on without it."""

    def __init__(self) -> None:
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(errors="replace")
        self.is_terminal = sys.stdout.isatty()
        term = os.environ.get("TERM", "")
        self.is_live = self.is_terminal and term not in ("", "dumb", "unknown")
        self._markers = markers_for(sys.stdout.encoding or "", term)

    def say(self, text: str) -> None:
        """Print and flush."""
        with self.may_vanish():
            print(text, flush=True)

    @contextlib.contextmanager
    def may_vanish(self) -> Iterator[None]:
        """A closed terminal or pipe: from then on everything is written to nowhere."""
        try:
            yield
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 1)
            os.close(nowhere)

    def report(self, history: History) -> None:
        """Print the closing report with a chart of the losses that fits. Raises RunError as `History.poll` does."""
        history.poll()
        width = 80
        if self.is_terminal:
            with contextlib.suppress(OSError):
                width = os.get_terminal_size(sys.stdout.fileno()).columns or width
        colour = self.is_live and not os.environ.get("NO_COLOR")
        chart = loss_chart(history, width=width, height=CHART_ROWS, colour=colour, markers=self._markers)
        self.say(f"\n{closing(history)}\n\n{chart}")


class _Lines:
    """Plain lines, flushed: after 1, 2, 5, 10, 20, 30 … seconds of training, and for everything that happens."""

    def __init__(self, output: _Output) -> None:
        self._output = output
        self._due = _due_times()
        self._next = next(self._due)
        self._began: float | None = None

    def say(self, line: str) -> None:
        """Print it now."""
        self._output.say(line)

    def progress(self, history: History) -> None:
        """Print a line when one is due."""
        if not history.times().steps.size or history.state == "stopping":
            return
        now = time.monotonic()
        self._began = now if self._began is None else self._began
        if now - self._began >= self._next:
            self._output.say(progress_line(history))
            while now - self._began >= self._next:
                self._next = next(self._due)

    def end(self) -> None:
        """Nothing is left behind."""


class _Bar:
    """One line at the bottom of the terminal that is drawn anew; what happened scrolls away above it."""

    def __init__(self, output: _Output) -> None:
        self._output = output
        self._bar = Progress(
            BarColumn(bar_width=None), TextColumn("{task.description}", markup=False), auto_refresh=False, expand=True
        )
        self._task = self._bar.add_task("loading torch", total=1)
        self._shown = ""
        with self._output.may_vanish():
            self._bar.start()

    def say(self, line: str) -> None:
        """Print it above the bar."""
        with self._output.may_vanish():
            self._bar.console.print(line, markup=False, highlight=False, emoji=False, soft_wrap=True)

    def progress(self, history: History) -> None:
        """Draw the bar, and beside it as many of the numbers as there is room for."""
        if not history.times().steps.size:
            return
        line, planned = short_line(history, self._bar.console.width - LEAST_BAR), planned_steps(history)
        if line == self._shown:
            return
        self._shown = line
        self._bar.update(self._task, description=line, total=planned or 1, completed=min(history.step, planned))
        with self._output.may_vanish():
            self._bar.refresh()

    def end(self) -> None:
        """Show the cursor again."""
        with self._output.may_vanish():
            self._bar.stop()


def _due_times() -> Iterator[float]:
    yield from (1.0, 2.0, 5.0)
    yield from (10.0 * number for number in count(1))
