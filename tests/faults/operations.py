"""The file operations of this process on one folder, in their order: the places where a fault can be put.

Needs a system that tells the path of an open file below /proc.
"""

import builtins
import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

Kind = Literal["open", "write", "truncate", "sync", "replace", "remove", "make", "look"]


@dataclass(frozen=True)
class Operation:
    """Something that this process is about to do. kind `look` reads: a file's status, or its content."""

    kind: Kind
    path: str
    content: bytes = b""
    """What is written."""


class Meet(Protocol):
    """What happens when it comes to an operation."""

    def __call__(self, operation: Operation, do: Callable[[int], Any]) -> Any:
        """Do it, in part or not at all. `do(n)` writes the first n bytes; what writes nothing is done by `do(0)`."""
        ...


def watch(folder: Path, meet: Meet) -> None:
    """Let `meet` do every operation of this process on the files of a folder from now on."""
    inside = str(folder)

    def place(file: object) -> str:
        """The path of a watched file, "" for any other."""
        try:
            path = os.fspath(Path(f"/proc/self/fd/{file}").readlink() if isinstance(file, int) else file)  # type: ignore[call-overload]
        except (OSError, TypeError):
            return ""
        return path if isinstance(path, str) and path.startswith(inside) else ""

    def watched(kind: Kind, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(file: Any, *arguments: Any, **named: Any) -> Any:
            if not (path := place(file)):
                return real(file, *arguments, **named)
            return meet(Operation(kind, path), lambda _: real(file, *arguments, **named))

        return call

    def writing(real: Callable[..., int]) -> Callable[..., int]:
        def call(file: int, content: bytes, *offset: int) -> int:
            if not (path := place(file)):
                return real(file, content, *offset)
            written: int = meet(Operation("write", path, content), lambda size: real(file, content[:size], *offset))
            return written

        return call

    class Raw(io.FileIO):
        """An open file whose writes are watched."""

        def write(self, content: Any) -> int:
            whole, write = bytes(content), super().write
            written: int = meet(Operation("write", str(self.name), whole), lambda size: write(whole[:size]))
            return written

    def opening(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(file: Any, mode: str = "r", *arguments: Any, **named: Any) -> Any:
            if not (path := place(file)):
                return real(file, mode, *arguments, **named)
            if "w" in mode and "b" in mode:
                raw = mode.replace("b", "")
                return meet(Operation("open", path), lambda _: io.BufferedWriter(Raw(path, raw)))
            kind: Kind = "open" if set(mode) & set("wax+") else "look"
            return meet(Operation(kind, path), lambda _: real(file, mode, *arguments, **named))

        return call

    os.write, os.pwrite = writing(os.write), writing(os.pwrite)
    io.open = builtins.open = opening(io.open)
    kinds: dict[str, Kind] = {"open": "open", "ftruncate": "truncate", "fsync": "sync", "replace": "replace"}
    kinds |= {"rename": "replace", "unlink": "remove", "mkdir": "make", "stat": "look", "lstat": "look"}
    for function, kind in kinds.items():
        setattr(os, function, watched(kind, getattr(os, function)))
