"""Which run a person means: a directory, a name, the beginning of one, or the newest."""

import re
from pathlib import Path

from grokterm.errors import RunError, nearest
from grokterm.run.directory import RunDirectory

_STAMP = re.compile(r"\d{4}-\d{2}-\d{2}-\d{6}-")
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
    if "/" in reference or Path(reference).is_dir():
        what = "has no run.toml, so it is no run" if Path(reference).is_dir() else "is no directory"
        raise RunError(f"{reference} {what}")
    runs = runs_in(folder)
    for matches in (
        [run for run in runs if run.name.startswith(reference)],
        [run for run in runs if _STAMP.sub("", run.name, count=1).startswith(reference)],
    ):
        if len(matches) == 1:
            return matches[0]
        if matches:
            named = ", ".join(run.name for run in matches[:_MOST_NAMED])
            more = f" and {len(matches) - _MOST_NAMED} more" if len(matches) > _MOST_NAMED else ""
            raise RunError(f"{reference!r} could be {named}{more}; say more of the name")
    there = nearest(reference, (run.name for run in runs[:20])) if runs else "there is none yet"
    raise RunError(f"there is no run {reference!r} in {folder}; {there}")


def _begun(path: Path) -> float | None:
    """When a run began: the time of its run.toml, which is written once; None for anything that is no run."""
    try:
        return (path / "run.toml").stat().st_mtime
    except OSError:
        return None
