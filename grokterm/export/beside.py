"""Files and folders that appear under their name when they are complete, and leave nothing behind when they are not."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

from grokterm.errors import UsageError
from grokterm.export.earlier import is_earlier
from grokterm.export.formats import Format
from grokterm.interruption import signals_raise


@contextlib.contextmanager
def beside(path: Path, chosen: Format, *, force: bool) -> Iterator[Path]:
    """Give a hidden name beside `path` to write to, an empty folder where the format is one; then rename it to `path`.

    Whatever is raised in between, SIGTERM and SIGHUP too, removes it again. What stands at `path` is replaced only
    with `force`. Raises UsageError, before anything is written, when `path` cannot be written or replaced, or when
    the disk refuses later.
    """
    target = path.resolve()  # a link is followed, not replaced
    _check(path, target, chosen, force=force)
    written = target.with_name(f".{target.name}.{os.getpid()}.part")
    old = target.with_name(f".{target.name}.{os.getpid()}.old.part")
    try:
        with signals_raise():
            if chosen.inside:
                written.mkdir()
            yield written
            _check(path, target, chosen, force=force)
            if target.is_dir():
                target.rename(old)
            written.replace(target)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        if old.exists() and not target.exists():  # interrupted between the two renames
            old.rename(target)
        for left in (written, old):
            _remove(left)


def _check(path: Path, target: Path, chosen: Format, *, force: bool) -> None:
    if not target.parent.is_dir():
        raise UsageError(f"{path} cannot be written: there is no folder {path.parent}")
    if not os.access(target.parent, os.W_OK):
        raise UsageError(f"{path} cannot be written: {path.parent} may not be written to")
    if not target.exists():
        return
    if not force:
        raise UsageError(f"{path} exists already; --force replaces it, --out names another place")
    if target.is_dir() != bool(chosen.inside):
        is_now, will_be = ("a folder", "a file") if target.is_dir() else ("a file", "a folder")
        raise UsageError(f"{path} is {is_now} and would become {will_be}; name another place with --out")
    for inside in sorted(target.iterdir()) if chosen.inside else ():
        if not any(fnmatch(inside.name, pattern) for pattern in chosen.inside):
            raise UsageError(f"{path} is not replaced: it holds {inside.name}, which no such export has")
    if not chosen.inside and not _may_go(target, chosen):
        raise UsageError(f"{path} is not replaced: it is no file that such an export writes")


def _may_go(target: Path, chosen: Format) -> bool:
    """Whether a file is an earlier export, as far as it can be read."""
    try:
        return target.is_file() and is_earlier(target, chosen.module)
    except OSError:
        return False


def _remove(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
