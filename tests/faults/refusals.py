"""Operations of this process that the disk refuses for a while."""

import errno
import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from grokterm.run.directory import RunDirectory
from tests.faults.operations import Operation, watch

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)
"""What a disk says that is full, or over a quota, or read-only by now, or failing."""
AWAY = (errno.EIO, errno.ETIMEDOUT, errno.ENOTCONN)
"""What a file system says that does not answer: nothing can be read either."""


@dataclass(frozen=True)
class Refusing:
    """Refuses operations number `at` to `at + lasting`; of a write a part may have been done.

    reads: every look at the files is an operation too.
    """

    at: int
    lasting: int
    number: int
    seed: int
    reads: bool = False

    def put_in_place(self, run: RunDirectory) -> None:
        """Count the operations from now on."""
        chance, count = random.Random(self.seed), 0

        def meet(operation: Operation, do: Callable[[int], Any]) -> Any:
            nonlocal count
            counts = self.reads or operation.kind != "look"
            count += counts
            size = len(operation.content)
            if not (counts and self.at <= count < self.at + self.lasting):
                return do(size)
            if size and (part := chance.randrange(-size, size)) > 0:
                return do(part)
            raise OSError(self.number, os.strerror(self.number), operation.path)

        watch(run.path, meet)
