"""Which run a person means: a directory, a name, the beginning of one, or the newest."""

import contextlib
import os
import re
from collections.abc import Sequence
from pathlib import Path

from grokterm.errors import RunError, nearest
from grokterm.run.directory import RunDirectory, no_run

_STAMP = re.compile(r"\d{4}-\d{2}-\d{2}-\d{6}-(?=.)")
_STARTED = re.compile(rb"^started = (\d{1,11}(?:\.\d+)?)\r?$", re.MULTILINE)
_HEAD = 4096  # bytes of run.toml that hold its first keys
MOST_NAMED = 5
"""So many runs a sentence names; of the others it says how many they are."""


def runs_in(folder: Path) -> list[RunDirectory]:
    """Return the runs of a folder, the newest first; none when the folder is missing. Hidden names are left out.

    Raises RunError when the folder cannot be read.
    """
    try:
        entries = [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise RunError(f"{folder} cannot be read: {error.strerror}") from error
    aged = [(age, entry.name, entry) for entry in entries if (age := _begun(entry)) is not None]
    return [RunDirectory(entry) for _, _, entry in sorted(aged, reverse=True)]


def find(folder: Path, reference: str = "-") -> RunDirectory:
    """Return the run that `reference` names: a directory, a name in `folder` with or without its date, or a unique
    beginning of either; "-" or "" is the newest. Raises RunError that names what there is.
    """
    if reference in ("", "-"):
        runs = runs_in(folder)
        if not runs:
            raise RunError(f"there is no run in {folder}; `grokterm run mod113-quick` makes one")
        return runs[0]
    runs = candidates(folder, reference)
    if len(runs) > 1:
        raise ambiguous(reference, runs)
    return runs[0]


def candidates(folder: Path, reference: str) -> list[RunDirectory]:
    """Return the runs that `reference` may mean, the newest first; at least one.

    Whole names, with or without their date, win over names that merely begin so. Raises RunError when there is none.
    """
    for path in (Path(reference), folder / reference):
        if _begun(path) is not None:
            return [RunDirectory(path)]
    runs = [] if "/" in reference else runs_in(folder)
    names = [run.path.name for run in runs]
    undated = [without_date(name) for name in names]
    for matches in (
        [run for run, name in zip(runs, undated, strict=True) if name == reference],
        [run for run, name in zip(runs, names, strict=True) if name.startswith(reference)],
        [run for run, name in zip(runs, undated, strict=True) if name.startswith(reference)],
    ):
        if matches:
            return matches
    if "/" in reference or os.path.isdir(reference):  # noqa: PTH112 - Path.is_dir raises where a name is too long
        raise no_run(reference) if os.path.isdir(reference) else RunError(f"{reference} is no directory")  # noqa: PTH112
    there = nearest(reference, names, most=MOST_NAMED) if runs else "there is none yet"
    raise RunError(f"there is no run {reference!r} in {folder}; {there}")


def ambiguous(reference: str, runs: Sequence[RunDirectory]) -> RunError:
    """The error about a reference that could be any of several runs."""
    named = ", ".join(run.name for run in runs[:MOST_NAMED])
    more = f" and {len(runs) - MOST_NAMED} more" if len(runs) > MOST_NAMED else ""
    return RunError(f"{reference!r} could be {named}{more}; say more of the name")


def without_date(name: str) -> str:
    """A run's name without the date and time that it begins with."""
    return _STAMP.sub("", name, count=1)


def _begun(path: Path) -> float | None:
    """When a run began, in unix seconds; None for anything that is no run.

    run.toml says so. Where it does not, its own time counts: it is written once. That alone would call every run of a
    folder that was copied the same age.
    """
    config = path / "run.toml"
    try:
        with config.open("rb", buffering=0) as file:
            said = _STARTED.search(file.read(_HEAD))
            return float(said[1]) if said else os.fstat(file.fileno()).st_mtime
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:  # there, but it cannot be read: a damaged run is a run
        with contextlib.suppress(OSError):
            return config.stat().st_mtime
    return None
