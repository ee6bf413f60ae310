"""Who trains a run: a lock that dies with its process, and a file that says who holds it and whether it lives.

A process of this host holds a run as long as it, or whoever it gave its descriptor to, holds the `flock` on the lock
file. No clock is asked, so a clock that is set back or forward changes nothing. The times in the file decide only about
processes of other hosts: a file system may show none of their locks, or keep one when they are long dead. So hosts that
share a run's directory need clocks less than a minute apart.

On a file system without locks the times decide about this host's processes too: one that was killed is taken for living
until its last sign of life is a minute old, and of two that begin in the same instant both may win, until the first one
to `check` sees the other's name and ends.
"""

import contextlib
import fcntl
import os
import threading
import time
import uuid
from collections.abc import Iterator
from datetime import datetime
from types import TracebackType
from typing import Self

from grokterm.errors import RunError, TakenOverError
from grokterm.run.directory import RunDirectory
from grokterm.run.heartbeat import Heartbeat
from grokterm.run.holder import SIZE, Holder, said_in
from grokterm.run.lock_file import SAFELY, flock, holds, is_at, look, standing_of

_PAUSE = 0.005  # seconds between two tries
_LOOKS = 10  # at a lock before it counts as held: somebody asking `is_alive` holds it for microseconds
_TRIES = 200  # to be the only one that looks


class Lock:
    """Holds a run for the trainer, as a context manager; the system lets go of it when the process dies.

    Raises RunError, naming host and process of the holder, when somebody else trains this run. One thread holds it;
    `share` and `take_back` may be called from any other.
    """

    def __init__(self, run: RunDirectory) -> None:
        self.run = run
        self._heart: Heartbeat | None = None  # there while the lock is held
        self._is_shared = False
        self._changing = threading.Lock()

    @classmethod
    def adopt(cls, run: RunDirectory, shared: int) -> Self:
        """A lock that is held already, by a descriptor that `share` returned and that this process inherited.

        It names this process from now on, and owns the descriptor. Raises RunError when that is not this run's lock
        file, or holds no lock.
        """
        lock = cls(run)
        try:
            if not is_at(run, shared):
                raise RunError(f"descriptor {shared} is not {run.lock_path}, so it does not hold this run")
            if not holds(shared, run):
                raise RunError(f"descriptor {shared} is {run.lock_path}, and holds no lock on it")
            os.set_inheritable(shared, False)
            giver = said_in(os.pread(shared, SIZE, 0))
            lock._heart = Heartbeat(shared, _inscribed(shared), giver)
        except OSError as error:
            raise RunError(f"{run.path} cannot be held by descriptor {shared}: {error.strerror}") from error
        return lock

    def __enter__(self) -> Self:
        if self._heart is None:  # else it was adopted
            try:
                self._heart, self._is_shared = _taken(self.run), False
            except OSError as error:
                raise RunError(f"{self.run.path} cannot be locked: {error.strerror}") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changing:
            heart, self._heart = self._heart, None
            if heart is None:
                return
            if heart.holder.pid == os.getpid():  # a copy of this object in a fork of the process ends nothing
                heart.stop()
                if not self._is_shared:
                    _let_go(heart.file)
            _close(heart.file)

    def share(self) -> int:
        """Return an inheritable descriptor that keeps the run held when this lock has ended, for `adopt`.

        This lock goes on until its own end, or until somebody adopts; that end lets go of nothing. Raises RunError when
        the lock is not held.
        """
        with self._changing:
            if self._heart is None:
                raise RunError(f"{self.run.path} is not held by this process, so its lock cannot be handed on")
            shared = os.dup(self._heart.file)
            os.set_inheritable(shared, True)
            self._is_shared = True
        return shared

    def take_back(self, shared: int) -> None:
        """Undo `share`: nobody has inherited the descriptor. The run is free now when this lock has ended meanwhile."""
        with self._changing:
            self._is_shared = False
            if self._heart is None:
                _let_go(shared)
            _close(shared)

    def trouble(self, text: str) -> None:
        """Write into the lock file at once what training waits for; "" when it waits no more."""
        if self._heart is not None:
            self._heart.tell(text)

    def check(self) -> None:
        """Make sure that this process still holds the run. Raises TakenOverError when somebody else has it by now.

        A directory that is not there, or a file system that does not answer, says nothing about that.
        """
        if self._heart is None:
            return
        try:
            mine = is_at(self.run, self._heart.file)
            lost = self._heart.is_overwritten() if mine else os.path.isdir(self.run.path)  # noqa: PTH112 - never raises
        except OSError:
            return
        if lost:
            raise TakenOverError(f"{self.run.path} was taken over by {_named_in(self.run) or 'another process'}")


def is_alive(run: RunDirectory) -> bool:
    """Say whether a trainer holds the run's lock, without creating the lock or getting in the holder's way.

    A process of another host lives while its last sign of life is younger than a minute. Raises RunError when the lock
    exists and cannot be read.
    """
    standing, _ = look(run)
    return standing == "held"


def holder(run: RunDirectory) -> Holder | None:
    """Return the living process that trains a run; None when there is none, or its lock file does not name it.

    Raises RunError when the lock exists and cannot be read.
    """
    standing, said = look(run)
    return said if standing == "held" else None


def _taken(run: RunDirectory) -> Heartbeat:
    """Take a run's lock, waiting for those who only ask. Raises RunError when somebody trains the run, or OSError."""
    looks = 0
    for _ in range(_TRIES):
        with _one_at_a_time(run) as alone:
            looks += alone
            heart = _take(run, by_force=looks == _LOOKS) if alone else None
        if heart is not None:
            return heart
        if looks == _LOOKS:
            break
        time.sleep(_PAUSE)
    raise RunError(f"{run.path} is being trained by {_introduced(_named_in(run))}")


def _take(run: RunDirectory, *, by_force: bool) -> Heartbeat | None:
    """Take a run's lock and write this process into it, if it is free or, by force, abandoned; None if it is not."""
    with contextlib.ExitStack() as undone:
        file = os.open(run.lock_path, os.O_RDWR | os.O_CREAT | SAFELY, 0o666)
        undone.callback(os.close, file)
        standing = standing_of(flock(file, fcntl.LOCK_EX), said_in(os.pread(file, SIZE, 0)))
        if standing == "abandoned" and by_force:
            return _replace(run)
        if standing != "free" or not is_at(run, file):
            return None
        named = _inscribed(file)
        undone.pop_all()
    return Heartbeat(file, named)


def _replace(run: RunDirectory) -> Heartbeat | None:
    """Put a lock file of this process in the place of an abandoned one; None when it was replaced in turn."""
    with contextlib.ExitStack() as undone:
        path = run.path / f".lock.{uuid.uuid4().hex}.part"
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | SAFELY, 0o666)
        undone.callback(os.close, file)
        undone.callback(path.unlink, missing_ok=True)
        flock(file, fcntl.LOCK_EX)
        named = _inscribed(file)
        path.replace(run.lock_path)
        if not is_at(run, file):
            return None
        undone.pop_all()
    return Heartbeat(file, named)


def _inscribed(file: int) -> Holder:
    """Write this process into a lock file that it holds. Raises OSError."""
    named = Holder.here()
    os.pwrite(file, named.content(), 0)  # before the file is cut, so that it is never empty while it is held
    os.ftruncate(file, SIZE)
    return named


def _let_go(file: int) -> None:
    """Empty a lock file unless it names somebody else by now, and unlock it.

    Closing alone would not: a child that is just being started may have a copy of the descriptor.
    """
    with contextlib.suppress(OSError):
        said = said_in(os.pread(file, SIZE, 0))
        if said is None or (said.pid == os.getpid() and not said.is_elsewhere):
            os.ftruncate(file, 0)
    with contextlib.suppress(OSError):
        fcntl.flock(file, fcntl.LOCK_UN)


def _close(file: int) -> None:
    with contextlib.suppress(OSError):  # a network file system tells of a failed write as late as here
        os.close(file)


@contextlib.contextmanager
def _one_at_a_time(run: RunDirectory) -> Iterator[bool]:
    """Whether this process is inside the only one of its host that looks at the lock in order to take or replace it.

    Without it, of two that find a lock abandoned, the second would replace what the first has just put there.
    """
    directory = os.open(run.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            alone = flock(directory, fcntl.LOCK_EX) is not False
        except OSError:
            alone = True  # a file system that locks files and no directories
        yield alone
    finally:
        os.close(directory)


def _named_in(run: RunDirectory) -> Holder | None:
    """Whom a run's lock file names, for a sentence about it; None also when it cannot be read."""
    with contextlib.suppress(RunError):
        return look(run)[1]
    return None


def _introduced(said: Holder | None) -> str:
    """Who holds a run, with what is known of its times."""
    if said is None:
        return "another process"
    seen = f", last sign of life {abs(time.time() - said.beat):.0f} s ago" if said.is_elsewhere else ""
    return f"{said} (since {datetime.fromtimestamp(said.since):%Y-%m-%d %H:%M}{seen})"
