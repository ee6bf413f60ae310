"""The exceptions a person gets to read, each one a clear sentence; `cli.py` turns them into exit codes.

GroktermError       1   anything below, for whoever catches them all
├── UsageError      2   a command line, preset or setting that cannot be obeyed
├── RunError        3   a run directory that cannot be created, read or locked
│   └── TakenOverError  3   a run that somebody else trains by now: its files must not be touched any more
└── TrainingError   4   training that could not go on
"""

import difflib
from collections.abc import Iterable
from typing import ClassVar


class GroktermError(Exception):
    """One sentence for the person at the keyboard: what is wrong, where, and what would be right."""

    exit_code: ClassVar[int] = 1


class UsageError(GroktermError):
    """A command line, preset or setting that cannot be obeyed."""

    exit_code: ClassVar[int] = 2


class RunError(GroktermError):
    """A run directory that cannot be created, read or locked."""

    exit_code: ClassVar[int] = 3


class TakenOverError(RunError):
    """A run that somebody else trains by now: whoever held it must not touch its files any more."""


class TrainingError(GroktermError):
    """Training that could not start or go on."""

    exit_code: ClassVar[int] = 4


def nearest(name: str, valid: Iterable[str], most: int | None = None) -> str:
    """End a sentence about an unknown name: "did you mean 'x'?", or every valid name when none is close.

    most: name only the first so many, in their order, and say how many more there are.
    """
    names = sorted(valid) if most is None else list(valid)
    by_folded = {candidate.casefold(): candidate for candidate in names}
    close = difflib.get_close_matches(name.casefold(), by_folded, n=1)
    if close:
        return f"did you mean '{by_folded[close[0]]}'?"
    if not names:
        return "there are none"
    more = "" if most is None or len(names) <= most else f" and {len(names) - most:,} more"
    return "valid names: " + ", ".join(names[:most]) + more
