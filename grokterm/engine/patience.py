"""Waits for a disk that refuses: what training produces is kept in memory and written when there is room again."""

import errno
import os
import threading
import time
from collections.abc import Callable
from typing import Protocol, TypeVar

from grokterm.errors import RunError, TrainingError
from grokterm.run.directory import RunDirectory

T = TypeVar("T")

_PASSING = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.ESTALE}
    | {errno.ENOTCONN, errno.ETIMEDOUT, errno.EHOSTDOWN, errno.EMFILE, errno.ENFILE, errno.ENOMEM}
)

RETRY_SECONDS = 0.5
"""How often a refused write is tried again."""


class Held(Protocol):
    """The run's lock, as far as training is concerned."""

    def trouble(self, text: str) -> None:
        """Tell every viewer what training waits for; "" when it waits no more."""
        ...

    def check(self) -> None:
        """Raise RunError when somebody else holds the run now."""
        ...


class Patience:
    """Does what writes, again and again until it succeeds. `waited` collects how long it took: (why, seconds).

    Raises TrainingError when `given_up` is set meanwhile: then nothing more can be saved.
    """

    def __init__(self, run: RunDirectory, lock: Held, given_up: threading.Event) -> None:
        self.waited: list[tuple[str, float]] = []
        self._run = run
        self._lock = lock
        self._given_up = given_up

    def insist(self, write: Callable[[], T]) -> T:
        """Return what `write` returns as soon as the disk lets it; `write` can be repeated as a whole.

        What is refused for another reason than the disk raises: at once, or when it is refused twice.
        """
        begun, why, is_odd = time.monotonic(), "", False
        while True:
            try:
                done = write()
                break
            except (OSError, RunError) as error:
                cause = error if isinstance(error, OSError) else error.__cause__
                if not isinstance(cause, OSError):
                    raise
                was_odd, is_odd = is_odd, not self._may_pass(cause)
                if was_odd and is_odd:  # once is no proof: the directory may have come back before we looked for it
                    raise
                why = _sentence(cause)
                self._lock.trouble(why)
                if self._given_up.wait(RETRY_SECONDS):
                    raise TrainingError(
                        f"nothing can be written: {why}; what came after the last flush is lost"
                    ) from error
                self._lock.check()
        if why:
            self._lock.trouble("")
            self.waited.append((why, time.monotonic() - begun))
        return done

    def _may_pass(self, error: OSError) -> bool:
        """Whether the same write may succeed later: there is room again, or the directory is back."""
        needed = (self._run.steps_path, self._run.checkpoints, self._run.arrays)
        gone = not all(os.path.exists(path) for path in needed)  # noqa: PTH110 - Path.exists raises what the disk says
        return error.errno in _PASSING or (gone and error.errno in (errno.ENOENT, errno.ENOTDIR))


def _sentence(error: OSError) -> str:
    what = os.path.basename(str(error.filename)) + ": " if error.filename else ""  # noqa: PTH119 - may be bytes
    return f"{what}{error.strerror or error}"
