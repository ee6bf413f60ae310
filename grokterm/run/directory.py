"""A run's directory: where everything lies, how one is made, configured and discarded."""

import contextlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import tomli_w

from grokterm.errors import RunError, UsageError
from grokterm.run.durable import write_whole
from grokterm.run.format import upgraded

_BEFORE_RECORDING = {"lock", "trainer.log", "events.jsonl", "inbox.jsonl", "arrays", "checkpoints"}
_DEEPEST = 50  # tables in tables; whoever writes or prints them calls itself for each


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
    def task_path(self) -> Path:
        """What was learned: inputs, labels, split."""
        return self.path / "task.npz"

    @property
    def hindsight_path(self) -> Path:
        """One row a checkpoint: measures recomputed when the run had ended."""
        return self.path / "hindsight.npy"

    @property
    def hindsight(self) -> Path:
        """The directory of what hindsight.npy has no columns for: vectors and matrices, and which keys were used."""
        return self.path / "hindsight"

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
        try:
            if self.config_path.exists():
                raise RunError(f"{self.config_path} exists already, and a run's configuration is written only once")
            write_whole(self.config_path, tomli_w.dumps(config).encode())
        except OSError as error:
            raise RunError(f"{self.config_path} cannot be written: {error.strerror}") from error

    def read_config(self) -> dict[str, Any] | None:
        """Return run.toml, or None while it is not there.

        Raises RunError when it is not TOML, cannot be read, is nested beyond all sense, or is of a newer format.
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
        return upgraded(config, self.config_path)

    def discard(self) -> None:
        """Remove a run in which nothing was recorded yet. Raises RunError, removing nothing, for any other run."""
        try:
            entries = sorted(self.path.iterdir())
            inside = [file for part in (self.arrays, self.checkpoints) if part in entries for file in part.iterdir()]
            recorded = [entry for entry in entries if entry.name not in _BEFORE_RECORDING and not _is_empty(entry)]
            recorded += inside
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


def _is_empty(entry: Path) -> bool:
    """Whether a file says nothing yet: a table without rows, or one that was never written whole."""
    from grokterm.run.table import last_row  # NumPy takes a while, and most of those who name a run have no use for it

    if entry.name.startswith(".") and entry.name.endswith(".part"):
        return True
    try:
        return entry.suffix == ".npy" and last_row(entry) is None
    except RunError:
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
