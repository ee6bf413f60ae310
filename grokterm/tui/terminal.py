"""Gives the screen the terminal to itself: whatever else writes to stdout or stderr goes to a file meanwhile."""

import codecs
import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from grokterm.drawing.cells import ASCII_SIGNS, Markers

SIGNS = "grokterm.signs"
"""The name under which an encoding that lacks a sign finds what stands for it."""


def _stand_in(error: UnicodeError) -> tuple[str, int]:
    """What is written for what an encoding lacks: a sign of our own that ASCII has, "?" for all others."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end].translate(ASCII_SIGNS)
    return "".join(char if char.isascii() else "?" for char in lacking), error.end


codecs.register_error(SIGNS, _stand_in)


@contextlib.contextmanager
def terminal_to_itself(log: Path | int) -> Iterator[None]:
    """File descriptors 1 and 2 point at `log` (a file's path, or an open one) inside, and Python's own
    `sys.__stdout__` and `sys.__stderr__` at the terminal.

    Textual draws on `sys.__stderr__` and asks `sys.__stdout__` for the size; a library that prints from C, or a child
    process, would write over the picture.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    kept = os.dup(1), os.dup(2)
    streams = sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__
    terminal = os.fdopen(os.dup(1), "w", encoding=sys.stdout.encoding, errors=SIGNS)
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    file = os.dup(log) if isinstance(log, int) else os.open(log, flags, 0o666)
    printed = os.fdopen(os.dup(file), "a", buffering=1, encoding="utf-8", errors="replace")
    try:
        os.dup2(file, 1)
        os.dup2(file, 2)
        sys.__stdout__ = sys.__stderr__ = terminal  # type: ignore[misc]
        sys.stdout = sys.stderr = printed
        yield
    finally:
        sys.stdout, sys.stderr = streams[0], streams[1]
        sys.__stdout__, sys.__stderr__ = streams[2], streams[3]  # type: ignore[misc]
        os.dup2(kept[0], 1)
        os.dup2(kept[1], 2)
        for descriptor in (*kept, file):
            os.close(descriptor)
        terminal.close()
        printed.close()


def markers_for(encoding: str, term: str) -> Markers:
    """The finest markers that this terminal shows: the Linux console has no braille, some locales no Unicode at all."""
    if "utf" not in encoding.lower():
        return "ascii"
    return "block" if term == "linux" else "braille"


def heed_no_color() -> None:
    """Colours stay on where NO_COLOR is empty, which says nothing (no-color.org); Textual takes it for a wish."""
    if os.environ.get("NO_COLOR") == "":
        del os.environ["NO_COLOR"]
