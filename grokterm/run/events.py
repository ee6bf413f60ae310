"""What happened and what was asked: strict-JSON lines, one object a line, appended whole and read as they come.

Non-finite numbers are data, and JSON has no word for them: they are written as the strings "nan", "inf" and "-inf".
"""

import contextlib
import json
import math
import numbers
import os
import socket
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grokterm.errors import RunError

_NON_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
_TEXT_FIELDS = frozenset(
    {"event", "do", "id", "request", "from", "state", "knob", "moments", "checkpoint", "note", "phase", "mark", "why"}
    | {"text", "message", "traceback", "run", "device"}
)


@dataclass(frozen=True)
class Event:
    """Something that happened in a run at a step; `data` holds the fields that its kind has."""

    step: int
    time: float  # unix seconds
    kind: str
    data: Mapping[str, object]


@dataclass(frozen=True)
class Request:
    """Something that a person or a script asks of the trainer; exactly one event answers it, by its id."""

    id: str
    do: str
    data: Mapping[str, object]


def encode(value: object) -> object:
    """Return `value` in strict JSON's terms: non-finite numbers become strings, numpy scalars plain numbers.

    ValueError for an integer of more than 64 bits: no reader would accept its line.
    """
    match value:
        case None | bool() | str():
            return value
        case numbers.Integral():
            whole = int(value)
            if not _fits(whole):
                raise ValueError(f"an integer of {whole.bit_length()} bits does not fit 64 bits")
            return whole
        case numbers.Real():
            number = float(value)
            if math.isfinite(number):
                return number
            return "nan" if math.isnan(number) else "inf" if number > 0 else "-inf"
        case Mapping():
            return {str(key): encode(item) for key, item in value.items()}
        case list() | tuple():
            return [encode(item) for item in value]
    raise TypeError(f"a {type(value).__name__} cannot be written as JSON")


def decode(value: object) -> object:
    """Undo `encode`: "nan", "inf" and "-inf" become numbers again, except in fields that hold text (a note "inf")."""
    match value:
        case str():
            return _NON_FINITE.get(value, value)
        case Mapping():
            return {
                key: item if key in _TEXT_FIELDS and isinstance(item, str) else decode(item)
                for key, item in value.items()
            }
        case list():
            return [decode(item) for item in value]
    return value


def decoded(line: Mapping[str, object] | None) -> dict[str, object] | None:
    """`decode` for what `objects_in` found in a line; None also for lists in lists beyond all sense."""
    try:
        found = None if line is None else decode(line)
    except RecursionError:
        return None
    return found if isinstance(found, dict) else None


def append_line(path: Path, mapping: Mapping[str, object], *, alone: bool = False) -> bytes:
    """Append one object in one write, so that several writers never mix their lines. Raises OSError.

    When an earlier writer died in the middle of a line, that line is ended first, and returned: most often it is lost,
    but it is a line like any other when only its end was missing. When the disk takes no more than a part of this one,
    that part is taken back where the caller writes this file `alone`: the line can be tried again and is there once.
    """
    line = json.dumps(encode(mapping), allow_nan=False).encode() + b"\n"
    torn = b""
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        size = os.fstat(file).st_size
        if size and os.pread(file, 1, size - 1) != b"\n":
            content = os.pread(file, size, 0)
            torn = content[content.rfind(b"\n") + 1 :]
            line = b"\n" + line
        _write(file, line, back_to=size if alone else None)
    finally:
        os.close(file)
    return torn


def _write(file: int, content: bytes, *, back_to: int | None) -> None:
    try:
        while content:  # a second round only when the disk is full, and then it raises
            content = content[os.write(file, content) :]
    except OSError:
        if back_to is not None:
            with contextlib.suppress(OSError):  # then the next line ends this one
                os.ftruncate(file, back_to)
        raise


class LineTail:
    """Follows a file of JSON lines that others append to; opens it only when it has grown."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.skipped = 0
        """Lines so far that were not a JSON object."""
        self._next = 0  # offset of the first line not yet returned
        self._seen = 0  # size of the file at the last look

    def new(self) -> list[dict[str, object]]:
        """Return the complete lines added since the last call, decoded; a torn last line waits for its end.

        Raises RunError when the file exists but cannot be read.
        """
        try:
            size = os.stat(self.path).st_size  # noqa: PTH116 - half the price of Path.stat, and this runs every frame
            if size == self._seen:
                return []
            with self.path.open("rb") as file:
                file.seek(self._next)
                content = file.read()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise RunError(f"{self.path} cannot be read: {error.strerror}") from error
        self._seen = self._next + len(content)
        complete = content[: content.rfind(b"\n") + 1]
        self._next += len(complete)
        objects = [decoded(item) for item in objects_in(lines_in(complete))]
        self.skipped += objects.count(None)
        return [item for item in objects if item is not None]


class EventLog:
    """The trainer's side of events.jsonl, which nobody else writes; it may hold events already.

    Raises RunError when the file is there and cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = self._counted()
        """How many lines of the file are events; a checkpoint names it, and `resumed` goes back to it."""
        self._is_certain = True

    def write(self, kind: str, step: int, /, **data: object) -> Event:
        """Append one event, stamped with the time, and return it.

        It can be tried again after an OSError, and after a RunError: what is there already cannot be read.
        """
        if not self._is_certain:
            self.count = self._counted()
        event = Event(step, time.time(), kind, data)
        self._is_certain = False  # a write that fails may leave lines behind that it ended
        torn = append_line(self.path, {"event": kind, "step": step, "time": event.time, **data}, alone=True)
        self._is_certain = True
        self.count += 1 + len(events_in(lines_in(torn)))
        return event

    def _counted(self) -> int:
        return sum(event_from(line) is not None for line in LineTail(self.path).new())

    def sync(self) -> None:
        """Wait until the events are on the disk; harmless before the first one."""
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            os.fsync(file.fileno())


def lines_in(content: bytes) -> list[bytes]:
    """Return the lines of a file that are not blank; they end with a line feed and nothing else."""
    return [line for line in content.split(b"\n") if line.strip()]


def objects_in(lines: Sequence[bytes]) -> list[dict[str, object] | None]:
    """Return the object that each line holds, before `decode`; None where a line is not strict JSON or not an object.

    Lines that are all right are parsed together, in half the time.
    """
    try:
        together = _STRICT.decode(f"[{b','.join(lines).decode()}]")
    except (ValueError, RecursionError):
        return [_object(line) for line in lines]
    if len(together) == len(lines) and all(isinstance(item, dict) for item in together):
        return list(together)
    return [_object(line) for line in lines]


def _object(line: bytes) -> dict[str, object] | None:
    try:
        parsed = _STRICT.decode(line.decode())
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None


def events_in(lines: Sequence[bytes]) -> list[Event]:
    """Return the events that these lines are, without the lines that are none."""
    found = (decoded(item) for item in objects_in(lines))
    return [event for line in found if line is not None and (event := event_from(line)) is not None]


def event_from(line: Mapping[str, object]) -> Event | None:
    """Return the event that a decoded line describes, or None when the line is no event."""
    match line:
        case {"step": bool()} | {"time": bool()}:
            return None
        case {"event": str(kind), "step": int(step), "time": int() | float() as at, **data}:
            return Event(step, float(at), kind, data)
    return None


def ask(run_path: Path, do: str, /, **data: object) -> Request:
    """Append a request to a run's inbox and return it. Raises RunError when the inbox cannot be written."""
    request = Request(uuid.uuid4().hex[:12], do, data)
    hand_in(run_path, request)
    return request


def hand_in(run_path: Path, request: Request) -> None:
    """Append a request that has its id already, as `ask` does."""
    sender = f"{socket.gethostname()}:{os.getpid()}"
    line = {"id": request.id, "time": time.time(), "from": sender, "do": request.do, **request.data}
    try:
        append_line(run_path / "inbox.jsonl", line)
    except OSError as error:
        raise RunError(f"{run_path} cannot be asked to {request.do}: {error.strerror}") from error


def request_from(line: Mapping[str, object]) -> Request | None:
    """Return the request that a decoded inbox line describes, or None when the line is no request."""
    match line:
        case {"id": str(name), "do": str(do), **rest}:
            return Request(name, do, {key: value for key, value in rest.items() if key not in {"time", "from"}})
    return None


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not strict JSON")


def _integer(digits: str) -> int:
    number = int(digits)
    if not _fits(number):
        raise ValueError(f"{digits} does not fit 64 bits")
    return number


def _fits(number: int) -> bool:
    return -(2**63) <= number < 2**63


_STRICT = json.JSONDecoder(parse_constant=_refuse, parse_int=_integer)  # made once: that costs as much as a line
