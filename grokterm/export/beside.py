"""Files and folders that appear under their name when they are complete, and leave nothing behind when they are not."""

import contextlib
import os
import shutil
import signal
import threading
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from types import FrameType

from grokterm.errors import UsageError
from grokterm.export.formats import Format


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
        with _signals_raise():
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


def _remove(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


@contextlib.contextmanager
def _signals_raise() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the program the way Ctrl+C does: by an exception, so that it cleans up."""

    def leave(number: int, _: FrameType | None) -> None:
        raise SystemExit(128 + number)

    if threading.current_thread() is not threading.main_thread():  # Python lets nobody else have signal handlers
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, leave)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
