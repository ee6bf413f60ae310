"""How a run's lock stands, from its lock file: whether it is locked, whom it names, and what both mean together."""

import errno
import fcntl
import os
import time
from typing import Literal

from grokterm.errors import RunError
from grokterm.run.directory import RunDirectory
from grokterm.run.holder import SIZE, Holder, said_in

Standing = Literal["free", "held", "abandoned"]
"""Of a lock: free to be taken; held by a living process; locked still by one that died on another host."""

SAFELY = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
"""How a lock file is opened: in a stranger's run it may be a link to a file of ours, or a pipe."""
_NO_LOCKS = {errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK, errno.ENOSYS}


def flock(file: int, kind: int) -> bool | None:
    """Lock an open file at once if that is possible: whether it was; None on a file system without locks.

    Raises OSError.
    """
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        return None
    return True


def standing_of(got: bool | None, said: Holder | None) -> Standing:
    """What it means that `flock` on a lock file returned `got`, and that the file names `said`."""
    is_fresh = said is not None and said.is_fresh(time.time())
    is_elsewhere = said is not None and said.is_elsewhere
    match got:
        case None:
            return "held" if is_fresh else "free"
        case True:
            return "held" if is_elsewhere and is_fresh else "free"
        case False:
            return "abandoned" if is_elsewhere and not is_fresh else "held"


def look(run: RunDirectory) -> tuple[Standing, Holder | None]:
    """Return how a run's lock stands and whom its file names, without creating it or getting in the holder's way.

    Raises RunError when the file exists and cannot be read.
    """
    try:
        file = os.open(run.lock_path, os.O_RDONLY | SAFELY)
    except FileNotFoundError:
        return "free", None
    except OSError as error:
        raise RunError(f"{run.lock_path} cannot be read: {error.strerror}") from error
    try:
        got = flock(file, fcntl.LOCK_SH)
        said = said_in(os.pread(file, SIZE, 0))
    except OSError as error:
        raise RunError(f"{run.lock_path} cannot be read: {error.strerror}") from error
    finally:
        os.close(file)
    return standing_of(got, said), said


def is_at(run: RunDirectory, file: int) -> bool:
    """Whether an open file is what lies at the lock's path now. Raises OSError."""
    try:
        return os.path.samestat(os.lstat(run.lock_path), os.fstat(file))
    except FileNotFoundError:
        return False
    except OSError as error:
        if error.errno != errno.ESTALE:  # what a network file system says of a file that another host replaced
            raise
        return False


def holds(file: int, run: RunDirectory) -> bool:
    """Whether a run's lock is held, and by this very descriptor of its lock file. Raises OSError, RunError."""
    other = os.open(run.lock_path, os.O_RDONLY | SAFELY)
    try:
        free = flock(other, fcntl.LOCK_SH)
    finally:
        os.close(other)
    if free is None:
        return look(run)[0] == "held"
    return not free and flock(file, fcntl.LOCK_EX) is True  # locking twice what one has locked changes nothing
