"""Which run a fork was made from. A fork lies beside its parent and names it in the `[parent]` of its run.toml.

What a run.toml says may come from a stranger: a name is only ever looked up beside the run, never followed elsewhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeGuard

from grokterm.errors import RunError
from grokterm.run.configuration import Configuration, read_configuration
from grokterm.run.directory import RunDirectory
from grokterm.run.finding import runs_in

_LONGEST_NAME = 255  # bytes; what file systems allow
_FARTHEST = 2**62  # steps
_LATEST = 1e11  # unix seconds: the year 5138


@dataclass(frozen=True, slots=True)
class Parent:
    """What a fork says of its parent: the directory's name, when that run began, and where it branches off.

    step: that of the copied checkpoint; the fork's rows begin here. at: the step that was asked for, the same or a
    later one; from here on the fork is not its parent.
    started: unix seconds as in the parent's run.toml, None where that does not say; it finds a renamed run again.
    """

    run: str
    started: float | None
    step: int
    at: int

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Self | None:
        """Read `[parent]`; None when there is none, or it says what cannot be meant."""
        said = config.get("parent")
        if not isinstance(said, Mapping):
            return None
        name, step = said.get("run"), said.get("step")
        if not isinstance(name, str) or not is_name(name):
            return None
        if not _is_step(step):
            return None
        at = said.get("at")
        return cls(name, _started(said), step, at if _is_step(at) and at >= step else step)

    @property
    def place(self) -> str:
        """Where it branches off, in words: "step 600", and from where it goes on where that is earlier."""
        back = "" if self.at == self.step else f" (goes on from its checkpoint at step {self.step:,})"
        return f"step {self.at:,}{back}"


def is_name(name: str) -> bool:
    """Whether a text can be the name of a run's directory: not hidden, and nothing that leads somewhere else."""
    if not name or name.startswith(".") or len(name.encode(errors="replace")) > _LONGEST_NAME:
        return False
    return "/" not in name and "\\" not in name and "\0" not in name


def folder_of(run: RunDirectory) -> Path:
    """The folder in which a run lies: where its parent and its forks are."""
    plain = run.path.name not in ("", "..") and not run.path.is_symlink()
    return (run.path if plain else run.path.resolve()).parent


def beside(run: RunDirectory, name: str) -> RunDirectory | None:
    """The directory of that name beside a run's own; None for a text that is no name of a run."""
    return RunDirectory(folder_of(run) / name) if is_name(name) else None


def parent_of(run: RunDirectory, config: Mapping[str, Any]) -> RunDirectory | None:
    """Find the run that a fork was made from; None for a run that is no fork, or where the parent is not to be found.

    That is the run beside it which has the name and began when the fork says so; else any that began then, for it was
    renamed. Raises RunError when the folder cannot be read.
    """
    said = Parent.of(config)
    named = None if said is None else beside(run, said.run)
    if said is None or named is None or named.name == run.name:
        return None
    if _began_at(named, said.started):
        return named
    if said.started is None:
        return None
    others = (other for other in runs_in(folder_of(run)) if other.name != run.name)
    return next((other for other in others if _began_at(other, said.started)), None)


def _is_step(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _FARTHEST


def _began_at(run: RunDirectory, started: float | None) -> bool:
    """Whether a directory is a run that can be read and began then."""
    try:
        config: Configuration | None = read_configuration(run.config_path)
    except RunError:
        return False
    return config is not None and _started(config) == started


def _started(said: Mapping[str, Any]) -> float | None:
    started = said.get("started")
    if isinstance(started, bool) or not isinstance(started, int | float) or not abs(started) < _LATEST:
        return None
    return float(started)
