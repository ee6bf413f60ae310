"""Opens what lies in a run only where it is a plain file: in a stranger's it may be a pipe or a link."""

import os
import stat
from pathlib import Path
from typing import BinaryIO

from grokterm.run.lock_file import SAFELY


def opened(path: Path) -> BinaryIO:
    """Open a file for reading. Raises OSError, also for what is none: nobody waits for the other end of a pipe."""
    file = os.open(path, os.O_RDONLY | SAFELY)
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise OSError("it is no plain file")
        return os.fdopen(file, "rb")
    except BaseException:
        os.close(file)
        raise


def is_plain(path: Path) -> bool:
    """Whether a plain file lies there, not a link to one."""
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return False
