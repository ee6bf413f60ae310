"""A run's directory: where everything lies, how one is made, and who holds it."""

import contextlib
import fcntl
import json
import os
import re
import socket
import time
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import tomli_w

from grokterm.errors import RunError, UsageError
from grokterm.run.durable import write_whole

_BEFORE_RECORDING = {"lock", "trainer.log", "events.jsonl", "inbox.jsonl", "arrays", "checkpoints"}
_DEEPEST = 50  # tables in tables; whoever writes or prints them calls itself for each
_LOCK_ATTEMPTS = 10  # 5 ms apart: somebody asking `is_alive` holds the lock for microseconds


@dataclass(frozen=True)
class RunDirectory:
    """The paths of one run (RUN_FORMAT.md says what is in them). Nothing is created by naming it."""

    path: Path

    @property
    def name(self) -> str:
        """The directory's own name, as lists show it."""
        return self.path.resolve().name

    @property
    def config_path(self) -> Path:
        """The resolved configuration, written once."""
        return self.path / "run.toml"

    @property
    def steps_path(self) -> Path:
        """One row an optimizer step."""
        return self.path / "steps.npy"

    @property
    def tests_path(self) -> Path:
        """One row a test evaluation."""
        return self.path / "tests.npy"

    @property
    def measures_path(self) -> Path:
        """One row an evaluation of the measures."""
        return self.path / "measures.npy"

    @property
    def arrays(self) -> Path:
        """The directory of vector and matrix series, one table each."""
        return self.path / "arrays"

    @property
    def events_path(self) -> Path:
        """What happened, written by the trainer."""
        return self.path / "events.jsonl"

    @property
    def inbox_path(self) -> Path:
        """What was asked, written by whoever steers."""
        return self.path / "inbox.jsonl"

    @property
    def checkpoints(self) -> Path:
        """The directory of saved states."""
        return self.path / "checkpoints"

    @property
    def log_path(self) -> Path:
        """Warnings and prints of the training side."""
        return self.path / "trainer.log"

    @property
    def lock_path(self) -> Path:
        """Held by the living trainer."""
        return self.path / "lock"

    def write_config(self, config: Mapping[str, Any]) -> None:
        """Write run.toml, whole and durably; a run's configuration is written once. Raises RunError."""
        if self.config_path.exists():
            raise RunError(f"{self.config_path} exists already, and a run's configuration is written only once")
        try:
            write_whole(self.config_path, tomli_w.dumps(config).encode())
        except OSError as error:
            raise RunError(f"{self.config_path} cannot be written: {error.strerror}") from error

    def read_config(self) -> dict[str, Any] | None:
        """Return run.toml, or None while it is not there.

        Raises RunError when it is not TOML, cannot be read, or is nested beyond all sense.
        """
        try:
            config = tomllib.loads(self.config_path.read_bytes().decode())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise RunError(f"{self.config_path} cannot be read: {error.strerror}") from error
        except (ValueError, RecursionError) as error:
            raise RunError(f"{self.config_path} is not valid TOML: {error}") from error
        if _is_deep(config):
            raise RunError(f"{self.config_path} has tables more than {_DEEPEST} deep in each other")
        return config

    def discard(self) -> None:
        """Remove a run in which nothing was recorded yet. Raises RunError, removing nothing, for any other run."""
        try:
            entries = sorted(self.path.iterdir())
            inside = [file for part in (self.arrays, self.checkpoints) if part in entries for file in part.iterdir()]
            recorded = [entry for entry in entries if entry.name not in _BEFORE_RECORDING] + inside
            if recorded:
                raise RunError(f"{self.path} is not removed: it holds {recorded[0].relative_to(self.path)}")
            for entry in entries:
                if entry.is_dir():
                    entry.rmdir()
                else:
                    entry.unlink()
            self.path.rmdir()
        except OSError as error:
            raise RunError(f"{self.path} cannot be removed: {error.strerror}") from error


def no_run(path: Path | str) -> RunError:
    """The error about a directory without a run.toml."""
    return RunError(f"{path} has no run.toml, so it is no run, or one in which nothing is recorded yet")


def create(runs: Path, label: str, now: datetime | None = None) -> RunDirectory:
    """Make a new run directory such as runs/2027-03-04-113000-mod113; a name taken already gets -2, -3 and so on.

    Raises UsageError when the runs directory cannot be written.
    """
    safe_label = re.sub(r"[^A-Za-z0-9._]+", "-", label).strip("-.")[:60] or "run"
    stem = f"{now or datetime.now():%Y-%m-%d-%H%M%S}-{safe_label}"
    try:
        runs.mkdir(parents=True, exist_ok=True)
        for number in count(1):
            path = runs / (stem if number == 1 else f"{stem}-{number}")
            with contextlib.suppress(FileExistsError):
                path.mkdir()
                break
        run = RunDirectory(path)
        run.arrays.mkdir()
        run.checkpoints.mkdir()
    except OSError as error:
        raise UsageError(f"the runs directory {runs} cannot be written: {error.strerror}") from error
    return run


class Lock:
    """Holds a run for the trainer, as a context manager; the system lets go of it when the process dies.

    Raises RunError, naming host and process of the holder, when somebody else trains this run.
    """

    def __init__(self, run: RunDirectory) -> None:
        self.run = run
        self._file = -1

    def __enter__(self) -> Self:
        try:
            self._file = os.open(self.run.lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            self._take()
            os.ftruncate(self._file, 0)
            holder = {"host": socket.gethostname(), "pid": os.getpid(), "since": time.time()}
            os.pwrite(self._file, json.dumps(holder).encode(), 0)
        except OSError as error:
            self._release()
            raise RunError(f"{self.run.path} cannot be locked: {error.strerror}") from error
        except RunError:
            self._release()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._release()

    def _take(self) -> None:
        for attempt in count(1):
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError as error:
                if attempt == _LOCK_ATTEMPTS:
                    raise RunError(f"{self.run.path} is being trained by {_holder(self._file)}") from error
                time.sleep(0.005)

    def _release(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def is_alive(run: RunDirectory) -> bool:
    """Say whether a trainer holds the run's lock, without creating the lock or getting in the holder's way.

    Raises RunError when the lock exists and cannot be read.
    """
    try:
        file = os.open(run.lock_path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise RunError(f"{run.lock_path} cannot be read: {error.strerror}") from error
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False


def _is_deep(config: Mapping[str, Any]) -> bool:
    """Whether tables lie more than `_DEEPEST` deep in each other."""
    level: list[object] = [config]
    for _ in range(_DEEPEST):
        inside = [
            item.values() if isinstance(item, Mapping) else item for item in level if isinstance(item, Mapping | list)
        ]
        level = [value for values in inside for value in values]
    return bool(level)


def _holder(file: int) -> str:
    """Name whoever holds a lock, from what it wrote into it."""
    try:
        said = json.loads(os.pread(file, 4096, 0))
        return f"process {said['pid']} on {said['host']}"
    except (ValueError, KeyError, TypeError, RecursionError):
        return "another process"
