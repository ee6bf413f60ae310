"""Which run a person means: a directory, a name, the beginning of one, or the newest."""

import contextlib
import os
import re
from pathlib import Path

from grokterm.errors import RunError, nearest
from grokterm.run.directory import RunDirectory, no_run

_STAMP = re.compile(r"\d{4}-\d{2}-\d{2}-\d{6}-(?=.)")
_STARTED = re.compile(rb"^started = (\d{1,11}(?:\.\d+)?)\r?$", re.MULTILINE)
_HEAD = 4096  # bytes of run.toml that hold its first keys
_MOST_NAMED = 5


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
    """Return the run that `reference` names: a directory, a name in `folder`, a unique beginning of a name, or of what
    follows the date in it; "-" or "" is the newest. Raises RunError that names what there is.
    """
    if reference in ("", "-"):
        runs = runs_in(folder)
        if not runs:
            raise RunError(f"there is no run in {folder}; `grokterm run mod113-quick` makes one")
        return runs[0]
    for path in (Path(reference), folder / reference):
        if _begun(path) is not None:
            return RunDirectory(path)
    runs = [] if "/" in reference else runs_in(folder)
    names = [run.path.name for run in runs]
    for short in (names, [without_date(name) for name in names]):
        matches = [run for run, name in zip(runs, short, strict=True) if name.startswith(reference)]
        if len(matches) == 1:
            return matches[0]
        if matches:
            named = ", ".join(run.path.name for run in matches[:_MOST_NAMED])
            more = f" and {len(matches) - _MOST_NAMED} more" if len(matches) > _MOST_NAMED else ""
            raise RunError(f"{reference!r} could be {named}{more}; say more of the name")
    if "/" in reference or os.path.isdir(reference):  # noqa: PTH112 - Path.is_dir raises where a name is too long
        raise no_run(reference) if os.path.isdir(reference) else RunError(f"{reference} is no directory")  # noqa: PTH112
    there = nearest(reference, names[:20]) if runs else "there is none yet"
    raise RunError(f"there is no run {reference!r} in {folder}; {there}")


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
