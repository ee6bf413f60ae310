"""What a person does with whole runs: give one another name, tag it, put it into the trash, take it out again.

Nothing is deleted for good here, and a run directory moves in one rename or not at all. A run that is being trained
is left alone, and its lock is held while it moves, so that nobody begins to.
"""

import contextlib
import fcntl
import json
import os
import re
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path

from grokterm.errors import RunError, UsageError
from grokterm.run.directory import RunDirectory
from grokterm.run.durable import write_whole
from grokterm.run.holder import SIZE, said_in
from grokterm.run.lock_file import SAFELY, flock, standing_of

TRASH = ".trash"
"""The folder inside the runs folder where discarded runs lie. Lists leave it out: its name begins with a dot."""
TAGS = "tags.json"
LONGEST_NAME = 255  # bytes: what Linux and macOS allow a directory
LONGEST_TAG = 100  # characters
_TYPED_TAG = re.compile(r'"([^"]*)"?|([^\s,"]+)')


def rename(run: RunDirectory, name: str) -> RunDirectory:
    """Give a run's directory another name in the same folder and return the run as it is called now.

    Raises UsageError for a name that cannot be one or is taken, RunError when the run is trained, gone or stays put.
    """
    name = name.strip()
    problem = problem_with_name(name)
    if problem:
        raise UsageError(problem)
    source = _place(run)
    target = source.with_name(name)
    if target == source:
        return run
    with _left_alone(run):
        if not _claim(target):
            raise UsageError(f"{target} exists already; choose another name")
        _move(source, target)
    return RunDirectory(target)


def problem_with_name(name: str) -> str:
    """Say why this cannot be the name of a run; "" when it can."""
    if not name:
        return "a run needs a name of at least one character"
    if "/" in name:
        return f"{name!r} cannot be a run's name: a / would lead into another directory"
    if not name.isprintable():
        return f"{name!r} cannot be a run's name: it holds characters that cannot be shown"
    if name.startswith("."):
        return f"{name!r} cannot be a run's name: names that begin with a dot are left out of lists"
    if name.startswith("-"):
        return f"{name!r} cannot be a run's name: on a command line it would read as an option"
    if len(os.fsencode(name)) > LONGEST_NAME:
        return f"the name is {len(os.fsencode(name))} bytes long; a directory's name has at most {LONGEST_NAME}"
    return ""


def read_tags(run: RunDirectory) -> tuple[str, ...]:
    """Return the words that a person gave this run; none when nobody did.

    Raises RunError when tags.json is not a JSON array of strings or cannot be read.
    """
    path = run.path / TAGS
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list) or not all(isinstance(tag, str) for tag in found):
        raise RunError(f"{path} is not a JSON array of strings")
    return tuple(dict.fromkeys(found))


def write_tags(run: RunDirectory, tags: Iterable[str]) -> tuple[str, ...]:
    """Give a run these tags instead of those it has, and return them without blanks around and doubles.

    Raises UsageError for a tag that cannot be one, RunError when they cannot be written.
    """
    kept = tuple(dict.fromkeys(tag.strip() for tag in tags if tag.strip()))
    for tag in kept:
        if not tag.isprintable():
            raise UsageError(f"{tag!r} cannot be a tag: it holds characters that cannot be shown")
        if len(tag) > LONGEST_TAG:
            raise UsageError(f"a tag has at most {LONGEST_TAG} characters, and this one has {len(tag)}")
    path = run.path / TAGS
    try:
        write_whole(path, json.dumps(kept).encode() + b"\n")
    except FileNotFoundError as error:
        raise RunError(f"{run.path} is not there any more") from error
    except OSError as error:
        raise RunError(f"{path} cannot be written: {error.strerror}") from error
    return kept


def tags_in(text: str) -> list[str]:
    """Return the tags that a person typed: separated by blanks or commas; quotes keep blanks together."""
    return [quoted or word for quoted, word in _TYPED_TAG.findall(text)]


def tags_text(tags: Iterable[str]) -> str:
    """Return tags as a person would type them."""
    return " ".join(f'"{tag}"' if re.search(r"[\s,]", tag) else tag for tag in tags)


def discard(run: RunDirectory) -> Path:
    """Move a run into the trash of its folder and return where it lies now; a name taken there gets -2, -3 and so on.

    Raises RunError when the run is trained, gone, or cannot be moved.
    """
    source = _place(run)
    with _left_alone(run):
        trash = source.parent / TRASH
        try:
            trash.mkdir(exist_ok=True)
        except OSError as error:
            raise RunError(f"{trash} cannot be made: {error.strerror}") from error
        target = _claim_free(trash / source.name)
        _move(source, target)
    return target


def restore(discarded: Path, name: str | None = None) -> RunDirectory:
    """Move a run out of the trash, back into the folder that the trash is in, and return it.

    It gets `name` (or the one that it has in the trash), with -2, -3 and so on when that is taken by now. Raises
    RunError when it is gone or cannot be moved.
    """
    target = _claim_free(discarded.parent.parent / (name or discarded.name))
    _move(discarded, target)
    return RunDirectory(target)


def discarded_runs(folder: Path) -> list[Path]:
    """Return the runs in a folder's trash, the one put there last first. Raises RunError when it cannot be read."""
    aged: list[tuple[int, str, Path]] = []
    try:
        for entry in (folder / TRASH).iterdir():
            with contextlib.suppress(OSError):
                aged.append((entry.lstat().st_ctime_ns, entry.name, entry))  # a rename is a change of the inode
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise RunError(f"{folder / TRASH} cannot be read: {error.strerror}") from error
    return [path for _, _, path in sorted(aged, reverse=True)]


def _place(run: RunDirectory) -> Path:
    """The directory's own place, also when it was called "."; a link stays a link."""
    return Path(os.path.abspath(run.path))  # noqa: PTH100 - Path.resolve would follow links


@contextlib.contextmanager
def _left_alone(run: RunDirectory) -> Iterator[None]:
    """Nobody trains the run inside. Raises RunError when somebody does, or the run is not there."""
    if not os.path.lexists(run.path):
        raise RunError(f"{run.path} is not there any more")
    try:
        lock = os.open(run.lock_path, os.O_RDONLY | SAFELY)
    except FileNotFoundError:
        yield  # without a lock nobody ever trained it here
        return
    except OSError as error:
        raise RunError(f"{run.lock_path} cannot be read: {error.strerror}") from error
    try:
        _share(lock, run)
        yield
    finally:
        os.close(lock)


def _share(lock: int, run: RunDirectory) -> None:
    """Keep a run's lock from being taken; one that is still locked for a process that died elsewhere is no obstacle."""
    try:
        standing = standing_of(flock(lock, fcntl.LOCK_SH), said_in(os.pread(lock, SIZE, 0)))
    except OSError as error:
        raise RunError(f"{run.lock_path} cannot be locked: {error.strerror}") from error
    if standing == "held":
        raise RunError(f"{run.path} is being trained, so it stays where it is; stop it first")


def _claim(target: Path) -> bool:
    """Take a name by making an empty directory of it, which a rename then replaces; False when it is taken.

    A rename alone would silently replace an empty directory of somebody else's.
    """
    try:
        target.mkdir()
    except FileExistsError:
        return False
    except OSError as error:
        raise RunError(f"{target} cannot be made: {error.strerror}") from error
    return True


def _claim_free(wanted: Path) -> Path:
    """Take a name, or the first free of NAME-2, NAME-3 and so on."""
    for number in count(1):
        suffix = "" if number == 1 else f"-{number}"
        kept = os.fsencode(wanted.name)[: LONGEST_NAME - len(suffix)]
        target = wanted.with_name(os.fsdecode(kept) + suffix)
        if _claim(target):
            break
    return target


def _move(source: Path, claimed: Path) -> None:
    """Rename a run over the directory that was made to claim its new name; give the claim up when that fails."""
    try:
        if source.is_symlink():  # a link cannot replace a directory
            claimed.rmdir()
        source.rename(claimed)
    except OSError as error:
        with contextlib.suppress(OSError):
            claimed.rmdir()
        if isinstance(error, FileNotFoundError):
            raise RunError(f"{source} is not there any more") from error
        raise RunError(f"{source} cannot be moved to {claimed}: {error.strerror}") from error
