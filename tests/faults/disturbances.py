"""What keeps a trainer from writing, for real: limits and permissions of the system, and a directory that is moved.

Each is begun and ended, again and again, by the process that trains: what it does to itself touches nobody else.
"""

import ctypes
import os
import random
import resource
from pathlib import Path
from typing import Protocol

from grokterm.run.directory import RunDirectory
from grokterm.run.lock import holder
from grokterm.training import TrainingThread
from tests.faults import tiny
from tests.faults.readable import check_files
from tests.faults.trainers import PATIENCE, patient, training_of
from tests.run_equality import differences, history
from tests.waiting import wait_for

DISK = 4 << 20
"""Bytes of the file system that is filled."""
_NEW_MOUNTS, _NEW_USERS = 0x00020000, 0x10000000  # CLONE_NEWNS, CLONE_NEWUSER
_PRIVATE = 0x4000 | 0x40000  # MS_REC | MS_PRIVATE
_IGNORES_PERMISSIONS = 1 << 1 | 1 << 2  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH


class NotAllowedError(Exception):
    """This system does not let this process do that to itself."""


class Disturbance(Protocol):
    """Something that keeps this process from writing into a run, and can be undone."""

    def prepare(self, origin: RunDirectory, folder: Path) -> RunDirectory:
        """Copy a run to where it is to be trained in this process, which has one thread yet. Raises NotAllowedError."""
        ...

    def begin(self, run: RunDirectory, chance: random.Random) -> RunDirectory:
        """From now on nothing, or not everything, can be written; where the files can be read meanwhile."""
        ...

    def end(self, run: RunDirectory) -> None:
        """It can again."""
        ...


class Limited:
    """Files may not become longer than they are."""

    def prepare(self, origin: RunDirectory, folder: Path) -> RunDirectory:
        return tiny.copy_of(origin, folder)

    def begin(self, run: RunDirectory, chance: random.Random) -> RunDirectory:
        sizes = [path.stat().st_size for path in (run.steps_path, run.tests_path, run.events_path)]
        self._limit(chance.randrange(min(sizes), max(sizes) + 1))
        return run

    def end(self, run: RunDirectory) -> None:
        self._limit(resource.RLIM_INFINITY)

    def _limit(self, size: int) -> None:
        _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size if most == resource.RLIM_INFINITY else min(size, most), most))


class Filled:
    """A small file system of its own is full."""

    def prepare(self, origin: RunDirectory, folder: Path) -> RunDirectory:
        folder.mkdir(parents=True)
        _mount_memory(folder, DISK)
        return tiny.copy_of(origin, folder / "disk")

    def begin(self, run: RunDirectory, chance: random.Random) -> RunDirectory:
        with self._filler(run).open("wb", buffering=0) as file:
            for size in (1 << 16, 1 << 12, 1):
                try:
                    while True:
                        file.write(b"x" * size)
                except OSError:
                    continue
        return run

    def end(self, run: RunDirectory) -> None:
        self._filler(run).unlink()

    def _filler(self, run: RunDirectory) -> Path:
        return run.path.parent.parent / "filler"


class Moved:
    """The run's directory is not where it was."""

    def prepare(self, origin: RunDirectory, folder: Path) -> RunDirectory:
        return tiny.copy_of(origin, folder)

    def begin(self, run: RunDirectory, chance: random.Random) -> RunDirectory:
        return RunDirectory(run.path.rename(self._elsewhere(run)))

    def end(self, run: RunDirectory) -> None:
        self._elsewhere(run).rename(run.path)

    def _elsewhere(self, run: RunDirectory) -> Path:
        return run.path.with_name("elsewhere")


class Forbidden:
    """Nobody may make files in the run any more."""

    def prepare(self, origin: RunDirectory, folder: Path) -> RunDirectory:
        _obey_permissions()
        return tiny.copy_of(origin, folder)

    def begin(self, run: RunDirectory, chance: random.Random) -> RunDirectory:
        for path in (run.path, run.checkpoints):
            path.chmod(0o555)
        return run

    def end(self, run: RunDirectory) -> None:
        for path in (run.path, run.checkpoints):
            path.chmod(0o755)


def disturb(
    disturbance: Disturbance, origin: RunDirectory, whole: RunDirectory, folder: Path, most: int, seed: int
) -> int | str:
    """Train a copy of a run in this process and disturb it as long as it trains; how often, or why it cannot be done.

    Each time the lock must say what training waits for, everything written must be readable, and training must go on;
    in the end the run must be equal to `whole`. Raises AssertionError.
    """
    try:
        run = disturbance.prepare(origin, folder)
    except NotAllowedError as error:
        return str(error)
    patient(0.1)
    chance, times = random.Random(seed), 0
    thread = training_of(run)
    thread.start()
    while times < most and _comes_to(_rows(run) + chance.randrange(1, 40), run, thread):
        times += _once(disturbance, run, whole, thread, chance)
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert thread.error is None, f"{run.path}: {thread.error}"
    waited = sum(event.kind == "waited" for event in history(run).events)
    assert waited >= times, f"{run.path}: training waited {times} times and told {waited}"
    differ = differences(whole, run)
    assert not differ, f"{run.path}: {differ[:5]}"
    return times


def _comes_to(rows: int, run: RunDirectory, thread: TrainingThread) -> bool:
    """Wait until training has come so far; False when it has ended before."""
    wait_for(lambda: _rows(run) >= rows or not thread.is_alive(), PATIENCE, f"{rows} rows")
    return thread.is_alive()


def _once(
    disturbance: Disturbance, run: RunDirectory, whole: RunDirectory, thread: TrainingThread, chance: random.Random
) -> bool:
    """Disturb training until it waits, look at what is there, and let it go on; False when it has ended meanwhile."""
    there = disturbance.begin(run, chance)
    wait_for(lambda: _trouble(there) or not thread.is_alive(), PATIENCE, "training to wait")
    waits = thread.is_alive()
    check_files(there, whole)
    assert thread.error is None, f"{run.path}: {thread.error}"
    disturbance.end(run)
    wait_for(lambda: not _trouble(run), PATIENCE, "training to go on")
    return waits


def _rows(run: RunDirectory) -> int:
    return len(history(run).series("train_loss").values)


def _trouble(run: RunDirectory) -> str:
    held = holder(run)
    return held.trouble if held is not None else ""


def _mount_memory(place: Path, size: int) -> None:
    """Mount a file system of so many bytes that only this process sees, and that ends with it."""
    system = ctypes.CDLL(None, use_errno=True)

    def called(function: str, *arguments: object) -> None:
        if getattr(system, function)(*arguments):
            raise NotAllowedError(f"{function}: {os.strerror(ctypes.get_errno())}")

    user, group = os.geteuid(), os.getegid()
    called("unshare", _NEW_MOUNTS if not user else _NEW_MOUNTS | _NEW_USERS)
    if user:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    called("mount", b"none", b"/", None, ctypes.c_ulong(_PRIVATE), None)
    called("mount", b"tmpfs", os.fsencode(place), b"tmpfs", ctypes.c_ulong(0), f"size={size}".encode())


def _obey_permissions() -> None:
    """Give up what lets the superuser write into directories that forbid it."""
    if os.geteuid():
        return
    system = ctypes.CDLL(None, use_errno=True)
    version, held = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    if system.capget(version, held):
        raise NotAllowedError(f"capget: {os.strerror(ctypes.get_errno())}")
    for half in (0, 1):  # in effect, and permitted
        held[half] &= ~_IGNORES_PERMISSIONS
    if system.capset(version, held):
        raise NotAllowedError(f"capset: {os.strerror(ctypes.get_errno())}")
