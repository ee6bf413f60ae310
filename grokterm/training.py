"""Training as a thread of this process: what `grokterm run` starts beside its screen or its progress lines.

Nothing heavy is imported until the thread runs: the screen is painted while torch is still loading.
"""

import contextlib
import os
import shlex
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from grokterm.errors import GroktermError, RunError, TrainingError
from grokterm.run.directory import RunDirectory
from grokterm.run.events import LineTail, request_from
from grokterm.run.lock import Lock
from grokterm.run.outcome import read_outcome
from grokterm.text import plain

if TYPE_CHECKING:
    from grokterm.catalog import Catalog
    from grokterm.engine.launch import Ended
    from grokterm.preset import Preset


class TrainingThread(threading.Thread):
    """Trains a new run from its preset, or goes on with one that was trained before when `preset` is None.

    When it has ended, `error` says why it failed, or is None. A rewind goes on in a fork: `directory` is the run that
    is trained now. lock: the run's lock, where this process has inherited it. discards: a run in which nothing was
    recorded is removed again. then: called in the thread with a run that has finished, when nobody holds it any more.
    """

    here = True
    """The screen beside it owns it, and takes it along when it goes."""

    def __init__(
        self,
        run: RunDirectory,
        catalog: "Catalog",
        preset: "Preset | None" = None,
        *,
        lock: Lock | None = None,
        device: str | None = None,
        on_divergence: Literal["pause", "stop"] = "pause",
        discards: bool = True,
        then: Callable[[RunDirectory], None] | None = None,
    ) -> None:
        super().__init__(name="training", daemon=True)
        self.directory = run
        self.error: GroktermError | None = None
        self.catalog = catalog
        self._preset = preset
        self._device = device
        self._on_divergence: Literal["pause", "stop"] = on_divergence
        self._discards = discards
        self._then = then
        self._lock = lock
        self._begun, self._given_up = threading.Event(), threading.Event()
        self._ended: Ended | None = None
        self._wish: Literal["", "stopped", "detached"] = ""
        self.handed: int | None = None
        """The lock of a run that was left for another process; None while there is none."""
        self.preset_name = preset.name if preset is not None else str((run.read_config() or {}).get("preset", ""))

    @property
    def is_started(self) -> bool:
        """Whether the thread is there, or was."""
        return self.ident is not None

    @property
    def has_begun(self) -> bool:
        """Whether requests are obeyed: torch is loaded and the run is open."""
        return self._begun.is_set()

    @property
    def has_finished(self) -> bool:
        """Whether the planned steps were made."""
        return self._ended is not None and self._ended.state == "finished"

    def run(self) -> None:
        """Hold the run's lock and train to the end; `error` is set last, when nothing more happens to the run."""
        try:
            self._train()
            if self._then is not None and self.has_finished:
                self._then(self.directory)
        except GroktermError as error:
            self._discard_if_nothing_was_recorded()
            self.error = error
        except Exception as error:  # noqa: BLE001 - whatever fails in training is told on the screen, not printed over it
            with contextlib.suppress(OSError), self.directory.log_path.open("a") as log:
                traceback.print_exception(error, file=log)
            self._discard_if_nothing_was_recorded()
            self.error = self._told(error)

    def share_lock(self) -> int | None:
        """Return a descriptor that keeps the run's lock for a process that inherits it; None while nobody holds it."""
        lock = self._lock
        return lock.share() if lock is not None and self.is_alive() else None

    def hand_over(self, seconds: float) -> int | None:
        """Have the trainer write a full checkpoint and leave its run; return its lock for whoever takes over.

        That is a descriptor for a process that inherits it. None when training had ended by itself, or did not answer
        in time; in the latter case it leaves later, and `handed` is the lock then.
        """
        self._wish = "detached"
        self.join(seconds)
        return self.handed

    def stop(self) -> None:
        """Have the trainer write a full checkpoint and end, whichever run it trains by then."""
        self._wish = "stopped"

    def give_up(self) -> None:
        """End a trainer that waits for the disk: what it could not write is lost."""
        self._given_up.set()

    def _train(self) -> None:
        """Train the run, and the forks in which it goes on."""
        stale = self._requests_to_the_dead()
        following: RunDirectory | None = self.directory
        while following is not None:
            self.directory = following
            with self._lock or Lock(following) as self._lock:
                self._ended = self._train_one(self._lock, stale)
                if self._ended.state == "detached" and self._wish == "detached":
                    self.handed = self._lock.share()
            self._lock = self._preset = None
            stale, following = frozenset(), self._ended.goes_on_in

    def _train_one(self, lock: Lock, stale: frozenset[str]) -> "Ended":
        from grokterm.engine.launch import Host, resume, train

        host: Host = Host(lock, self._given_up, self._begun.set, self._on_divergence, lambda: self._wish)
        if self._preset is not None:
            return train(self.directory, self._preset, self.catalog, host)
        return resume(self.directory, self.catalog, host, stale, self._device)

    def _requests_to_the_dead(self) -> frozenset[str]:
        """The requests that wait in the inbox of a run whose last trainer did not hand it over."""
        if self._preset is not None or read_outcome(self.directory.events_path).state == "detached":
            return frozenset()
        requests = (request_from(line) for line in LineTail(self.directory.inbox_path).new())
        return frozenset(request.id for request in requests if request is not None)

    def _discard_if_nothing_was_recorded(self) -> None:
        if self._discards and not _is_there(self.directory.config_path):
            with contextlib.suppress(RunError):  # what cannot be removed is no second error
                self.directory.discard()

    def _told(self, error: Exception) -> TrainingError:
        log = f" (see {self.directory.log_path})" if _is_there(self.directory.log_path) else ""
        again = ""
        if _is_there(self.directory.config_path):
            place = plain(shlex.quote(str(self.directory.path)))
            again = f"; `grokterm resume {place}` goes on from its last full checkpoint"
        told = TrainingError(f"training failed: {type(error).__name__}: {error}{log}{again}")
        told.__cause__ = error
        return told


def _is_there(path: Path) -> bool:
    """Whether a file exists; False also where the disk does not say, for there is an error to be told already."""
    return os.path.exists(path)  # noqa: PTH110 - Path.exists raises what the disk says
