"""A run without a screen: progress on stdout while it trains, a report at its end, a clean stop on a signal."""

import contextlib
import logging
import os
import signal
import time
from collections.abc import Iterator
from types import FrameType, TracebackType
from typing import Literal, Protocol, Self

from grokterm.detached import reference
from grokterm.errors import GroktermError, RunError, TrainingError
from grokterm.history import LATEST_ROWS, History
from grokterm.progress_output import Bar, Lines, Output, Show
from grokterm.report import event_line
from grokterm.run.directory import RunDirectory
from grokterm.run.events import Event
from grokterm.run.lineage import beside
from grokterm.run.lock import holder
from grokterm.text import plain

POLL_SECONDS = 0.2
LOCK_SECONDS = 1.0
"""How often one looks whether training waits for the disk."""
DISK_SECONDS = 5.0
"""How long a disk that refuses may take to accept the last checkpoint of a run that is to stop."""
STOPPED_BY = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Training(Protocol):
    """The training thread, as far as progress lines are concerned."""

    directory: RunDirectory
    """The run that is trained now: a rewind goes on in another one."""
    error: GroktermError | None
    preset_name: str

    def start(self) -> None:
        """Begin."""
        ...

    def is_alive(self) -> bool:
        """Whether it goes on."""
        ...

    def join(self, timeout: float | None = None) -> None:
        """Wait for its end."""
        ...

    def stop(self) -> None:
        """Save the state and end, as soon as possible; returns at once."""
        ...

    def give_up(self) -> None:
        """End although what is not yet written cannot be written."""
        ...


def watch(run: RunDirectory, training: Training, *, on_hangup: Literal["detach", "stop"] = "detach") -> int:
    """Train to the end and tell what happens. Returns the exit code: 0, or 128 + the signal that stopped the run.

    A signal asks the trainer to stop and write a full checkpoint, and the report is printed; a second Ctrl+C leaves at
    once. A terminal that goes away stops it only where `on_hangup` says so. Raises the training's own error, after the
    report when something was recorded.
    """
    output = Output()
    with _warnings_go_to_the_log(training), _Signals(training, output, on_hangup) as signals:
        output.say(f"{plain(training.preset_name)} in {plain(str(run.path))}")
        show: Show = Bar(output) if output.is_live else Lines(output)
        watched = _Watched(History(run, LATEST_ROWS), training, show)
        try:
            training.start()
            watched.follow(signals)
        finally:
            show.end()
            if training.is_alive():  # watching failed; the run ends as one should
                training.stop()
                training.join()
    if training.error is not None:
        with contextlib.suppress(RunError):
            if training.directory.config_path.exists():
                output.report(History(watched.history.run))
        raise _advised(training.error, watched.history) from training.error
    output.report(History(watched.history.run))
    return 128 + signals.number if signals.number else 0


def _advised(error: GroktermError, history: History) -> GroktermError:
    """The training's error; where it has diverged, with what a person can do about it."""
    for event in reversed(history.errors):
        match event.data:
            case {"diverged": True, "good": int(good)} if good >= 0:
                fork = f"`grokterm fork {reference(history.run)}@{good} --set optimizer.lr=…`"
                return TrainingError(f"{error}; {fork} goes on from there with another learning rate")
    return error


class _Watched:
    """The run that is told about: the one that training began with, then the forks in which it goes on."""

    def __init__(self, history: History, training: Training, show: Show) -> None:
        self.history = history
        self._training, self._show = training, show
        with contextlib.suppress(RunError):
            history.poll()
        self._told = self._known = history.told  # what is there already is known
        self._is_fork = False
        self._trouble, self._looked, self._refused_since = "", 0.0, 0.0

    def follow(self, signals: "_Signals") -> None:
        """Look at the run until training has ended."""
        said_stopping = False
        goes_on = True
        try:
            while goes_on:
                self._training.join(POLL_SECONDS)
                goes_on = self._training.is_alive()  # before the poll, so that the last one sees everything
                if signals.number and not said_stopping:
                    said_stopping = True
                    self._show.say("stopping: writing a full checkpoint … (Ctrl+C again leaves without one)")
                with contextlib.suppress(RunError):  # one that lasts is raised by the poll after the end
                    self._tell_news()
                self._look_at_the_disk(stopping=said_stopping)
                if self._told > self._known:
                    self._show.progress(self.history)
        except KeyboardInterrupt:
            self._show.say("left at once: the last full checkpoint may be minutes old")
            self._show.end()
            os._exit(128 + signal.SIGINT)  # not through the interpreter's end, which would wait for torch

    def _tell_news(self) -> None:
        """Tell what happened since the last look, in this run and, after a rewind, in the one where it goes on."""
        self.history.poll()
        news = self.history.since(self._told)
        self._told = self.history.told
        for event in news:
            if self._is_fork and event.kind == "phase":
                continue  # told by its parent
            self._is_fork = False
            line = event_line(event)
            if line is not None:
                self._show.say(line, problem=event.kind == "error")
            if event.kind == "state" and event.data.get("state") == "paused":
                self._show.say(f"paused: `grokterm ctl {reference(self.history.run)} resume` goes on")
        for event in news:
            if event.kind == "fork":
                self._go_over_to(event)

    def _go_over_to(self, event: Event) -> None:
        run = beside(self.history.run, str(event.data.get("run")))
        if run is None or not run.config_path.exists():
            return
        self._show.say(f"training goes on in {plain(str(run.path))}")
        self.history, self._is_fork = History(run, LATEST_ROWS), True
        self._told = self._known = 0
        self._tell_news()

    def _look_at_the_disk(self, *, stopping: bool) -> None:
        """Tell when training begins to wait for the disk, as an event tells its end; who is to stop waits not long."""
        now = time.monotonic()
        if now - self._looked < LOCK_SECONDS:
            return
        self._looked = now
        with contextlib.suppress(RunError):
            held = holder(self._training.directory)
            trouble = held.trouble if held is not None else ""
            if trouble and not self._trouble:
                self._refused_since = now
                self._show.say(f"training waits, its state is kept in memory: {plain(trouble)}", problem=True)
            self._trouble = trouble
        if stopping and self._trouble and now - self._refused_since > DISK_SECONDS:
            self._training.give_up()


class _Signals:
    """Signals that end a run, as a context manager: `number` is the first that came, 0 before.

    The request waits in the inbox while torch is still being imported. A second Ctrl+C raises KeyboardInterrupt. A
    terminal that goes away is let go of instead, unless the person wants the run to end with it.
    """

    def __init__(self, training: Training, output: Output, on_hangup: Literal["detach", "stop"]) -> None:
        self.number = 0
        self._training, self._output = training, output
        self._outlives = on_hangup == "detach"
        self._before: dict[int, object] = {}

    def __enter__(self) -> Self:
        for number in STOPPED_BY:
            if number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN:
                continue  # nohup: the run is meant to outlive its terminal
            self._before[number] = signal.signal(number, self._obey) or signal.SIG_DFL
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            if not (number == signal.SIGHUP and self._outlives):  # nor does its report end with the terminal
                signal.signal(number, handler)  # type: ignore[arg-type]

    def _obey(self, number: int, _: FrameType | None) -> None:
        if number == signal.SIGHUP and self._outlives:
            self._output.let_go_of_the_terminal()
        elif not self.number:
            self.number = number
            self._training.stop()
        elif number == signal.SIGINT:
            raise KeyboardInterrupt


@contextlib.contextmanager
def _warnings_go_to_the_log(training: Training) -> Iterator[None]:
    """Python's warnings, torch's among them, belong into the run's log; it is made when the first one comes.

    What C code prints stays on stderr: without a screen there is nothing that it could spoil.
    """
    logger, handler = logging.getLogger("py.warnings"), _LogOfTheRun(training)
    propagated, logger.propagate = logger.propagate, False
    logger.addHandler(handler)
    logging.captureWarnings(True)
    try:
        yield
    finally:
        logging.captureWarnings(False)
        logger.removeHandler(handler)
        logger.propagate = propagated


class _LogOfTheRun(logging.Handler):
    """Writes into the log of the run that is trained at the time."""

    def __init__(self, training: Training) -> None:
        super().__init__()
        self._training = training

    def emit(self, record: logging.LogRecord) -> None:
        """Append one record; on a full disk it is lost."""
        with contextlib.suppress(OSError), self._training.directory.log_path.open("a") as log:
            log.write(f"{self.format(record)}\n")
