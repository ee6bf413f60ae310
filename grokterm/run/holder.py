"""What a lock file says about the process that trains: one JSON object of a fixed length, rewritten in place."""

import json
import os
import socket
import time
from dataclasses import dataclass, replace
from typing import Self, TypeGuard

from grokterm.run.events import objects_in
from grokterm.text import plain

SIZE = 512
"""Bytes of a lock file that names its holder, always the same: rewriting it needs no room on a full disk."""
FRESH_SECONDS = 60.0
"""A process of another host whose last sign of life is younger than this lives."""
_LATEST = 2.0**37  # unix seconds, the year 6325: beyond it a number is no time, and some clocks cannot show it
_LONGEST_HOST = 64  # characters: a host name of Linux; with it everything but the trouble fits


@dataclass(frozen=True)
class Holder:
    """The process that trains a run, as the lock file names it. Its texts are harmless to print."""

    host: str
    pid: int
    since: float  # unix seconds
    beat: float  # unix seconds of its last sign of life
    trouble: str = ""  # what it waits for, such as room on the disk

    @classmethod
    def here(cls) -> Self:
        """This process, from now on."""
        now = time.time()
        return cls(this_host(), os.getpid(), now, now)

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"

    @property
    def is_elsewhere(self) -> bool:
        """Whether it is a process of another host."""
        return self.host != this_host()

    def is_fresh(self, now: float) -> bool:
        """Whether its last sign of life is young.

        In either direction: a clock that was set back, here or there, must not keep a dead process alive for hours.
        """
        return abs(now - self.beat) < FRESH_SECONDS

    def is_same(self, other: "Holder") -> bool:
        """Whether both name one process that took the run once."""
        return (self.host, self.pid, self.since) == (other.host, other.pid, other.since)

    def content(self) -> bytes:
        """What its lock file holds: SIZE bytes. A trouble too long for it is cut."""
        kept = replace(self, trouble=self.trouble[:SIZE])
        while len(line := json.dumps(kept.__dict__).encode()) >= SIZE and kept.trouble:
            excess = (len(line) - SIZE) // 12 + 1  # a character takes at most 12 bytes
            kept = replace(kept, trouble=kept.trouble[:-excess])
        return line.ljust(SIZE - 1) + b"\n"


def said_in(content: bytes) -> Holder | None:
    """Return the process that a lock file's content names; None where it names none, whatever it is instead."""
    line = content[:SIZE].strip()
    if not line:
        return None
    match objects_in([line])[0]:
        case {"host": str(host), "pid": int(pid), "since": since, "beat": beat, **rest}:
            trouble = rest.get("trouble", "")
            if plain(host) and pid > 0 and type(pid) is int and _is_time(since) and _is_time(beat):
                said = plain(trouble) if isinstance(trouble, str) else ""
                return Holder(plain(host), pid, float(since), float(beat), said)
    return None


def this_host() -> str:
    """Return the name by which this machine's lock files call it."""
    return plain(socket.gethostname()).encode("ascii", "replace").decode()[:_LONGEST_HOST] or "localhost"


def _is_time(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < _LATEST
