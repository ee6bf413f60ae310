"""What is known of a run with hindsight: every measure at every checkpoint, with the key frequencies of the last one.

The paper chooses the key frequencies once, from the final network, and uses them for every earlier one (Nanda et al.
2023, section 5.1); while a run is trained nobody knows them yet. `engine/hindsight.py` computes the rows; here is how
they are kept (RUN_FORMAT.md): one process at a time appends them in the order of steps, and another one can go on.
"""

import contextlib
import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from grokterm.errors import RunError
from grokterm.run.configuration import Configuration, setting
from grokterm.run.directory import RunDirectory
from grokterm.run.durable import write_whole
from grokterm.run.lock_file import SAFELY, flock
from grokterm.run.plain_file import is_plain, opened
from grokterm.run.table import TableReader, columns_of

PREFIX = "hindsight/"
"""Before the name of a series, in front of the name that the same measure has live."""
FORMAT = 1
MOST_BYTES = 1 << 20
"""Of about.json: a stranger's run may hold anything."""
_GLANCE, _PAUSE = 0.2, 0.01  # seconds before a lock counts as held: who only asks holds it for microseconds


@dataclass(frozen=True)
class About:
    """What the tables hold.

    final_step: the checkpoint whose key frequencies (k = 1 …, ascending) were used. names: every scalar, vector and
    matrix. checkpoints: how many there were to measure; skipped: steps of those that could not be read. complete:
    whether all were gone through.
    """

    final_step: int
    key_frequencies: tuple[int, ...]
    names: tuple[str, ...]
    checkpoints: int
    skipped: tuple[int, ...] = ()
    complete: bool = False

    def is_same(self, other: "About") -> bool:
        """Whether rows of one belong into the tables of the other."""
        return (self.final_step, self.key_frequencies, self.names) == (
            other.final_step,
            other.key_frequencies,
            other.names,
        )


def about_path(run: RunDirectory) -> Path:
    """Where it is said what the tables hold."""
    return run.hindsight / "about.json"


def is_wanted(configuration: Configuration) -> bool:
    """Whether a run asks to be measured when it has finished; one that says nothing does."""
    return setting(configuration, "training.measure_on_end") is not False


def read_about(run: RunDirectory) -> About | None:
    """Return what about.json says; None when there is none, or it says nothing that can be meant."""
    try:
        with opened(about_path(run)) as file:
            said = json.loads(file.read(MOST_BYTES))
    except (OSError, ValueError, RecursionError):
        return None
    match said:
        case {
            "format": 1,
            "final_step": int(final_step),
            "key_frequencies": [*keys],
            "names": [*names],
            "checkpoints": int(checkpoints),
            "skipped": [*skipped],
            "complete": bool(complete),
        } if _are_whole([*keys, *skipped]) and 0 not in keys and all(isinstance(name, str) for name in names):
            return About(final_step, tuple(keys), tuple(names), checkpoints, tuple(skipped), complete)
    return None


def write_about(run: RunDirectory, about: About) -> None:
    """Write about.json, whole and durably. Raises OSError."""
    write_whole(about_path(run), json.dumps({"format": FORMAT, **asdict(about)}).encode() + b"\n")


def _are_whole(values: Sequence[object]) -> bool:
    return all(isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 62 for value in values)


class AboutFile:
    """Follows what is said of a run's tables; `about` as it was at the last `poll`."""

    def __init__(self, run: RunDirectory) -> None:
        self.about: About | None = None
        self._run, self._path = run, str(about_path(run))
        self._seen: tuple[int, int, int] | None = None

    def poll(self) -> bool:
        """Read it where it is another file than at the last look; whether it says something else now."""
        try:
            status = os.stat(self._path)  # noqa: PTH116 - half the price of Path.stat, and this runs every frame
            seen = (status.st_ino, status.st_mtime_ns, status.st_size)
        except OSError:
            seen = None
        if seen == self._seen:
            return False
        self._seen, before = seen, self.about
        self.about = None if seen is None else read_about(self._run)
        return self.about != before


def rows_in(run: RunDirectory) -> int:
    """How many checkpoints have their row. Raises RunError when the table cannot be read."""
    reader = TableReader(run.hindsight_path)
    reader.new_rows(0)
    return reader.behind


@contextlib.contextmanager
def held(run: RunDirectory, patience: float = 0.0) -> Iterator[None]:
    """Be the only one who measures the run. Raises RunError when somebody else does, or nothing can be written there.

    patience: seconds to wait for somebody who may be about to end. A file system without locks lets two of them begin.
    """
    _refuse_link(run)
    try:
        run.hindsight.mkdir(exist_ok=True)
        file = os.open(run.hindsight / "lock", os.O_RDWR | os.O_CREAT | SAFELY, 0o666)
    except OSError as error:
        raise RunError(f"{run.hindsight} cannot be written: {error.strerror}") from error
    try:
        if not _taken(file, patience):
            raise RunError(f"{run.path} is being measured by another process already")
        yield
    finally:
        os.close(file)


def _taken(file: int, patience: float) -> bool:
    """Whether a lock file could be locked, or its file system knows no locks."""
    until = time.monotonic() + max(patience, _GLANCE)
    try:
        while flock(file, fcntl.LOCK_EX) is False:
            if time.monotonic() > until:
                return False
            time.sleep(_PAUSE)
    except OSError as error:
        raise RunError(f"a lock cannot be taken: {error.strerror}") from error
    return True


def is_being_measured(run: RunDirectory) -> bool:
    """Whether a process measures the run now, as far as the file system tells."""
    try:
        file = os.open(run.hindsight / "lock", os.O_RDONLY | SAFELY)
    except OSError:
        return False
    try:
        return flock(file, fcntl.LOCK_SH) is False
    except OSError:
        return False
    finally:
        os.close(file)


def tables_in(run: RunDirectory) -> list[Path]:
    """The tables of vectors and matrices: plain files of rows with steps, or empty ones; all else is somebody's own."""
    return [path for path in sorted(run.hindsight.glob("*.npy")) if is_plain(path) and _is_table(path)]


def beside(run: RunDirectory) -> RunDirectory:
    """Where a new measurement is written while a finished one is still in its place: the same names as in a run."""
    return RunDirectory(run.hindsight / ".new.part")


def remove_beside(run: RunDirectory) -> None:
    """Remove what is written beside a finished measurement, first of all what says that it is one. Raises OSError."""
    new = beside(run)
    if new.path.is_symlink():
        new.path.unlink()
        return
    about_path(new).unlink(missing_ok=True)
    shutil.rmtree(new.path, ignore_errors=True)  # files may be moved out of it meanwhile
    if os.path.lexists(new.path):
        shutil.rmtree(new.path)


def remove(run: RunDirectory) -> None:
    """Remove what was measured: it holds no longer. The lock stays, for somebody may hold it. Raises RunError."""
    _refuse_link(run)
    try:
        remove_beside(run)  # before what is in place, where some of it may be put just now
        for path in (about_path(run), run.hindsight_path, *tables_in(run)):
            path.unlink(missing_ok=True)
    except NotADirectoryError:
        return
    except OSError as error:
        raise RunError(f"{error.filename} cannot be removed: {error.strerror}") from error


def _is_table(path: Path) -> bool:
    try:
        columns = columns_of(path)
    except RunError:
        return False
    return columns is None or "step" in (columns.names or ())


def _refuse_link(run: RunDirectory) -> None:
    """Raise RunError where what is written or removed there would be elsewhere."""
    if run.hindsight.is_symlink():
        raise RunError(f"{run.hindsight} is a link, and nothing is written or removed through it; remove the link")
