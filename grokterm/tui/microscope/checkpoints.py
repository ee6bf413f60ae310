"""The checkpoints of a run as the microscope goes through them: which there are now, and which file each one is."""

import time
from dataclasses import dataclass
from pathlib import Path

from grokterm.run.checkpoint import CheckpointInfo, list_checkpoints

UNSURE_SECONDS = 2.0
"""A directory that was changed so short a time before it was listed may change again without another time of change."""


@dataclass(frozen=True, slots=True)
class Saved:
    """A checkpoint's file as it was seen: one that is put in its place is another one."""

    step: int
    path: Path
    inode: int
    mtime_ns: int
    size: int

    @classmethod
    def seen(cls, info: CheckpointInfo) -> "Saved | None":
        """The file as it is now; None when it is gone."""
        try:
            found = info.path.stat()
        except OSError:
            return None
        return cls(info.step, info.path, found.st_ino, found.st_mtime_ns, found.st_size)

    @property
    def info(self) -> CheckpointInfo:
        """Where it lies."""
        return CheckpointInfo(self.step, self.path)


class Checkpoints:
    """The checkpoints of one run by step, as of the last look."""

    def __init__(self, directory: Path) -> None:
        """Nothing is read yet."""
        self._directory = directory
        self._listed: tuple[CheckpointInfo, ...] = ()
        self._changed_at = self._listed_at = 0.0  # unix times

    def poll(self) -> bool:
        """Look for news; whether there are any. Costs one stat when there are none. Raises RunError."""
        try:
            changed_at = self._directory.stat().st_mtime
        except OSError:
            changed_at = 0.0
        if changed_at == self._changed_at and self._listed_at - changed_at > UNSURE_SECONDS:
            return False
        self._changed_at, self._listed_at = changed_at, time.time()
        listed = tuple(list_checkpoints(self._directory))
        is_news, self._listed = listed != self._listed, listed
        return is_news

    def __len__(self) -> int:
        return len(self._listed)

    @property
    def newest(self) -> CheckpointInfo | None:
        """The last one; None while there is none."""
        return self._listed[-1] if self._listed else None

    def nearest(self, step: int) -> CheckpointInfo | None:
        """The one nearest to a step, of two the earlier; None when there is none."""
        return min(self._listed, key=lambda info: abs(info.step - step), default=None)

    def place(self, step: int) -> int:
        """How many there are up to a step: the number of its checkpoint, counted from 1."""
        return sum(info.step <= step for info in self._listed)

    def moved(self, step: int, by: int) -> CheckpointInfo | None:
        """The one so many further than that of a step, or the first or last."""
        if not self._listed:
            return None
        return self._listed[min(max(self.place(step) - 1 + by, 0), len(self._listed) - 1)]
