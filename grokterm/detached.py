"""A trainer in a session of its own: no terminal whose end could reach it, nobody who has to wait for it.

It is this program once more: `grokterm resume` on a run, or `grokterm run --into` where nothing is recorded yet. So is
`grokterm measure` for a run that has finished.
"""

import contextlib
import os
import shlex
import subprocess
import sys
import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from grokterm.errors import GroktermError, RunError, TrainingError, UsageError
from grokterm.run.directory import RunDirectory
from grokterm.text import plain

_ERRORS = {kind.exit_code: kind for kind in (GroktermError, UsageError, RunError, TrainingError)}
_MOST_SAID = 65536  # bytes of the log that are looked through for the reason


class Detached:
    """A trainer that was started: whether it lives, and why it ended where it failed."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: int, said_from: int) -> None:
        """`log`: a descriptor of the run's log; this trainer's share of it begins at byte `said_from`."""
        self.pid = process.pid
        self._process = process
        self._log = log
        self._said_from = said_from

    def is_alive(self) -> bool:
        """Whether it goes on."""
        return self._process.poll() is None

    def wait(self, timeout: float | None = None) -> None:
        """Wait for its end, or until `timeout` seconds have passed."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout)

    def stop(self) -> None:
        """Ask it to save and end, as Ctrl+C would, and wait until it has."""
        if self.is_alive():
            self._process.terminate()
            self._process.wait()

    @property
    def error(self) -> GroktermError | None:
        """The sentence with which it failed; None while it lives, and where it ended as it should.

        It is read from the log, through a descriptor: a run in which nothing was recorded may be removed by now.
        """
        code = self._process.poll()
        if not code:
            return None
        said = os.pread(self._log, _MOST_SAID, self._said_from).decode(errors="replace")
        sentences = [line.removeprefix("grokterm: ") for line in said.splitlines() if line.startswith("grokterm: ")]
        how = f"signal {-code} ended it" if code < 0 else f"it ended with exit code {code}"
        return _ERRORS.get(code, TrainingError)(sentences[-1] if sentences else f"the trainer has failed: {how}")

    def close(self) -> None:
        """Look after it no longer. It goes on."""
        if self._process.poll() is None:
            self._process.returncode = 0  # else Python warns of a process that nobody waits for
        os.close(self._log)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(frozen=True)
class Successor:
    """How another process goes on with a run.

    anew: the arguments of `grokterm run` where nothing is recorded yet; none for a run that can only be resumed.
    options: arguments of every command that trains, such as --parts.
    """

    anew: Sequence[str] = ()
    options: Sequence[str] = ()

    def start(self, run: RunDirectory, lock: int | None = None) -> Detached:
        """Start it. `lock`: an inheritable descriptor that holds the run's lock; without one it takes the lock itself.

        Its stdin and stdout are nowhere, its stderr is the run's log; working directory and environment are those of
        this process. Raises RunError when there can be no more processes.
        """
        path = str(run.path.absolute())
        resumes = run.config_path.exists() or not self.anew
        what = ["resume"] if resumes else ["run", "--into", path]
        given = [*self.options, *([] if lock is None else ["--lock-fd", str(lock)])]
        command = [*_this_program(), *what, "--headless", "--detached", *given, *([path] if resumes else self.anew)]
        log, said_from = _log(run.log_path)
        try:
            process = _started(command, log, () if lock is None else (lock,))
        except OSError as error:
            os.close(log)
            raise RunError(f"no trainer can be started for {run.path}: {error.strerror}") from error
        return Detached(process, log, said_from)


def measure(run: RunDirectory, options: Sequence[str]) -> None:
    """Have a run that has finished measured in hindsight; what goes wrong is in its log. `options` as of Successor.

    Raises RunError when there can be no more processes.
    """
    log, _ = _log(run.log_path)
    try:
        process = _started([*_this_program(), "measure", "--detached", *options, str(run.path.absolute())], log)
    except OSError as error:
        raise RunError(f"{run.path} is not measured, for no process can be started: {error.strerror}") from error
    finally:
        os.close(log)
    threading.Thread(target=process.wait, name="measuring", daemon=True).start()  # so that it does not stay a zombie


def goes_on(run: RunDirectory) -> str:
    """Tell that a run is trained by another process now, and how to see it again."""
    return f"{plain(run.name)} goes on in the background; `grokterm attach {reference(run)}` comes back"


def going_on(run: RunDirectory) -> str:
    """Tell how to go on with a run that nobody trains."""
    return f"`grokterm resume {reference(run)}` goes on with it"


def reference(run: RunDirectory) -> str:
    """A run as it can be given to any command, from this working directory."""
    return plain(shlex.quote(str(run.path)))


def _started(command: Sequence[str], log: int, descriptors: Collection[int] = ()) -> "subprocess.Popen[bytes]":
    """A process in a session of its own, stderr into a log, that inherits these descriptors. Raises OSError."""
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=log,
        start_new_session=True,
        pass_fds=tuple(descriptors),
    )


def _this_program() -> list[str]:
    """The same program as this process, whatever packages lie in the working directory."""
    found_here = sys.path[0] in ("", os.getcwd())  # noqa: PTH109 - compared as text, as the interpreter wrote it
    return [sys.executable, *([] if found_here else ["-P"]), "-m", "grokterm"]


def _log(path: Path) -> tuple[int, int]:
    """Open a run's log for a trainer's stderr; also return its present size."""
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
    try:
        log = os.open(path, flags, 0o666)
    except OSError:  # a full disk: that it trains matters more than what it would say
        log = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    return log, os.fstat(log).st_size
