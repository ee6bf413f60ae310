"""What becomes of training when its screen goes: it is stopped and saved, or a process of its own goes on with it.

A terminal that is gone may block whoever writes to it, for ever. So nothing that training needs waits for it: on a
signal one thread sees to training while another puts the terminal in order, which is not waited for long.
"""

import contextlib
import os
import select
import signal
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from types import FrameType
from typing import Any, Literal, NoReturn, Protocol

from textual.app import App

from grokterm.catalog import Catalog
from grokterm.detached import Successor, goes_on, going_on
from grokterm.errors import GroktermError, RunError
from grokterm.run.directory import RunDirectory
from grokterm.run.lock import holder
from grokterm.run.outcome import ENDED, read_outcome
from grokterm.text import plain

HAND_OVER_SECONDS = 20.0
"""How long a trainer may take to the end of its step and to write its checkpoint before one speaks of a long step."""
SIGNAL_SECONDS = 30.0
"""How much longer it may take when a signal ends the program."""
WAITING_SECONDS = 3600.0
"""The same when a person waits, who can press Ctrl+C."""
LOCK_SECONDS = 1.0
"""How long a thread that was just started may take to lock its run."""
DISK_SECONDS = 5.0
"""How long a disk that refuses may take to accept the last checkpoint of a run that is to end."""
IN_ORDER_SECONDS = {signal.SIGHUP: 1.0, signal.SIGTERM: 5.0, signal.SIGINT: 5.0}
"""How long the terminal may take to be put in order once training is seen to, by the signal that ends the program."""

Say = Callable[[str], None]


class Training(Protocol):
    """The training behind a live screen."""

    here: bool
    """Whether it is a thread of this process, and ends with it."""
    directory: RunDirectory
    """The run that is trained now: a rewind goes on in another one."""
    preset_name: str
    catalog: Catalog

    @property
    def error(self) -> GroktermError | None:
        """Why it failed, once it has."""
        ...

    def start(self) -> None:
        """Begin."""
        ...

    @property
    def is_started(self) -> bool:
        """Whether it was begun with."""
        ...

    def is_alive(self) -> bool:
        """Whether it goes on."""
        ...

    def join(self, timeout: float | None = None) -> None:
        """Wait for its end."""
        ...


class OwnTraining(Training, Protocol):
    """Training in a thread of this process: it can be stopped, and handed over to another process."""

    @property
    def ident(self) -> int | None:
        """None before it was started."""
        ...

    @property
    def has_begun(self) -> bool:
        """Whether it obeys requests: until then torch is loading."""
        ...

    def share_lock(self) -> int | None:
        """A descriptor that keeps the run's lock for a process that inherits it; None while nobody holds it."""
        ...

    @property
    def handed(self) -> int | None:
        """The lock of a run that was left for another process."""
        ...

    def hand_over(self, seconds: float) -> int | None:
        """Save the state and end; the lock for whoever goes on. None when training ended otherwise, or not in time."""
        ...

    def stop(self) -> None:
        """Save the state and end, as soon as possible; returns at once."""
        ...

    def give_up(self) -> None:
        """End although what is not yet written cannot be written."""
        ...


class Leaving:
    """The end of a program that trains beside its screen: by the person's wish or by a signal, whichever is first."""

    def __init__(self, training: OwnTraining, successor: Successor, on_hangup: Literal["detach", "stop"]) -> None:
        self.app: App[Any] | None = None
        self.signal: signal.Signals | None = None
        self._training, self._successor, self._on_hangup = training, successor, on_hangup
        self._asked, self._once = threading.Lock(), threading.Lock()
        self._in_order, self._seen_to = threading.Event(), threading.Event()
        self._told: list[str] = []

    # -- what becomes of training

    def hand_over(self, say: Say, patience: float = WAITING_SECONDS) -> bool:
        """Let a process of its own go on; False where there is nothing to go on with, because training has ended.

        Raises RunError when the state is saved but no process can be started.
        """
        with self._once:
            training = self._training
            if training.error is not None:
                return False
            lock = None
            if training.ident is not None:
                if not training.has_begun:
                    lock = self._lock_of_the_loading()
                elif self._trouble() is None:
                    lock = training.hand_over(HAND_OVER_SECONDS)
                if lock is None:
                    lock = self._left_late(say, patience)
                if lock is None:
                    return False
            run = training.directory
            with self._successor.start(run, lock):
                say(goes_on(run))
            return True

    def _lock_of_the_loading(self) -> int | None:
        """The lock of a run in which nothing happens yet because torch is loading; the program must end right after."""
        deadline = time.monotonic() + LOCK_SECONDS
        while self._training.is_alive() and time.monotonic() < deadline:
            with contextlib.suppress(RunError):  # it ends at this very moment
                if (lock := self._training.share_lock()) is not None:
                    return lock
            time.sleep(0.01)
        return None

    def _left_late(self, say: Say, patience: float) -> int | None:
        """The lock of a trainer that did not answer in time and has left the run to another one after all."""
        training = self._training
        if training.is_alive():
            if (why := self._trouble()) is None:
                say("still waiting: the trainer hands over at the end of its step …")
                training.join(patience)
            if training.is_alive():
                say(f"training cannot be handed over ({why or 'it does not answer'}); it is stopped instead")
                self._stop(say, patience)
        return training.handed

    def stop(self, say: Say, patience: float = WAITING_SECONDS) -> None:
        """Ask training to stop and wait until it has saved its state, or cannot, or patience ends."""
        with self._once:
            self._stop(say, patience)

    def _stop(self, say: Say, patience: float) -> None:
        training, deadline = self._training, time.monotonic() + patience
        if not training.is_alive():
            return
        training.stop()
        refused = 0.0
        while training.is_alive() and time.monotonic() < deadline:
            training.join(0.2)
            refused = refused + 0.2 if self._trouble() is not None else 0.0
            if refused >= DISK_SECONDS:
                say("leaving with the last checkpoint that was written")
                training.give_up()
                refused = 0.0

    def _trouble(self) -> str | None:
        """What the trainer waits for, if it does."""
        with contextlib.suppress(RunError):
            if (found := holder(self._training.directory)) is not None:
                return found.trouble or None
        return None

    # -- signals

    @contextlib.contextmanager
    def on_signals(self) -> Iterator[None]:
        """Leave on SIGHUP, SIGTERM and SIGINT in here; one that the program was started to ignore stays ignored.

        The terminal may also vanish without SIGHUP: it is sent to those whose controlling terminal it was.
        """
        threading.Thread(target=self._wait_for_the_end_of_the_terminal, name="hang-up", daemon=True).start()
        before = {number: signal.getsignal(number) for number in IN_ORDER_SECONDS}
        for number, handler in before.items():
            if handler is not signal.SIG_IGN:
                signal.signal(number, self._begin)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def terminal_in_order(self) -> None:
        """Say that the screen is gone and the terminal as it was. After a signal this does not return."""
        self._in_order.set()
        if self.signal is not None:
            self._seen_to.wait()
            leave_at_once(128 + self.signal, *self._told)

    def _begin(self, number: int, _: FrameType | None) -> None:
        if number == signal.SIGINT and (self.signal is not None or self._in_order.is_set()):
            leave_at_once(128 + number, "left at once: the last full checkpoint may be minutes old")
        if self._asked.acquire(blocking=False):
            self.signal = signal.Signals(number)
            threading.Thread(target=self._see_to_training, name="leaving", daemon=True).start()
            if self.app is not None:
                self.app.exit()

    def _wait_for_the_end_of_the_terminal(self) -> None:
        poll = select.poll()
        poll.register(0, 0)  # nothing but its end
        if any(event & (select.POLLHUP | select.POLLERR) for _, event in poll.poll()):
            self._begin(signal.SIGHUP, None)

    def _see_to_training(self) -> None:
        number = self.signal or signal.SIGTERM
        try:
            if number == signal.SIGHUP and self._on_hangup == "detach":
                if not self._training.has_begun:  # after handing over there would be no time for the terminal
                    self._in_order.wait(IN_ORDER_SECONDS[number])
                self.hand_over(self._note, SIGNAL_SECONDS)
            elif self._once.acquire(timeout=SIGNAL_SECONDS):
                self._stop(self._note, SIGNAL_SECONDS)
                self._note(how_it_was_left(self._training.directory, number))
        except GroktermError as error:
            self._note(f"grokterm: {error}")
        finally:
            self._seen_to.set()
            time.sleep(IN_ORDER_SECONDS[number])
            os._exit(128 + number)

    def _note(self, text: str) -> None:
        """Keep a line for a terminal that may be there again, and write it where it stays."""
        self._told.append(text)
        with contextlib.suppress(OSError), self._training.directory.log_path.open("a") as log:
            log.write(f"{datetime.now():%Y-%m-%d %H:%M:%S} {self.signal.name if self.signal else ''}: {text}\n")


def leave_at_once(code: int, *said: str) -> NoReturn:
    """End the process with these last lines: nothing is waited for, torch and a screen that hangs least of all."""
    with contextlib.suppress(OSError):  # the terminal may be gone
        for line in said:
            print(line)
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def how_it_was_left(run: RunDirectory, number: signal.Signals) -> str:
    """What became of a run that a signal stopped."""
    name = plain(run.name)
    if not run.config_path.exists():
        return f"{name} was ended by {number.name} before anything was recorded"
    told = read_outcome(run.events_path)
    if told.state not in ENDED:
        return f"{name} was ended by {number.name} before its state was saved; {going_on(run)}"
    return f"{name} was {told.state} by {number.name} at step {told.step:,}; {going_on(run)}"


def terminal_is_gone() -> bool:
    """Whether the terminal that this program was started on does not exist any more."""
    try:
        termios.tcgetattr(0)
    except termios.error:
        return True
    return False
