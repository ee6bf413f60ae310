"""Several processes at once: results in their order, errors and deaths told, nobody left behind."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from grokterm.engine.workers import LOWER_PRIORITY, MOST, in_order, most, processors, quota_of, usual
from grokterm.errors import RunError, UsageError
from tests.waiting import wait_for

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def begin() -> Callable[[int], tuple[int, int, bool, list[str | None]]]:
    return look


def look(item: int) -> tuple[int, int, bool, list[str | None]]:
    """The item, how nice this process is, whether Ctrl+C is kept from it, and its environment."""
    blocked = signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ())
    return item, os.nice(0), blocked, [os.environ.get(name) for name in THREADS]


def refuse() -> Callable[[int], int]:
    raise UsageError("not this one")


def begin_counting(folder: Path) -> Callable[[int], int]:
    return partial(count, folder)


def count(folder: Path, item: int) -> int:
    """Item 1 waits until 2 is done, so that results come in another order than items; 3 is fatal, once it may be."""
    waits_for = {1: "2", 3: "taken"}.get(item)
    while waits_for is not None and not (folder / waits_for).exists():
        threading.Event().wait(0.01)
    (folder / str(item)).touch()
    if item == 3:
        os._exit(7)
    return item * item


def begin_waiting(folder: Path) -> Callable[[int], int]:
    return partial(wait_there, folder)


def wait_there(folder: Path, item: int) -> int:
    """Say who works on this, and go on when the file "go" is there."""
    (folder / f"{os.getpid()}.pid").touch()
    while not (folder / "go").exists():
        threading.Event().wait(0.01)
    return item


KILLED = """
import sys
from functools import partial
from pathlib import Path
from grokterm.engine.workers import in_order
from tests.engine.test_workers import begin_waiting

if __name__ == "__main__":
    list(in_order(partial(begin_waiting, Path(sys.argv[1])), [1, 2, 3], 2))
"""


def test_workers_are_nice_have_one_thread_and_leave_signals_to_their_parent() -> None:
    before = {name: os.environ.get(name) for name in THREADS}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    ((item, niceness, blocked, threads),) = in_order(begin, [5], 4)
    assert (item, niceness, blocked, threads) == (5, os.nice(0) + LOWER_PRIORITY, True, ["1", "1"])
    assert {name: os.environ.get(name) for name in THREADS} == before
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == mask


def test_results_come_in_the_order_of_the_items_until_a_worker_dies(tmp_path: Path) -> None:
    results = in_order(partial(begin_counting, tmp_path), range(4), 2)
    assert [next(results) for _ in range(3)] == [0, 1, 4]
    (tmp_path / "taken").touch()
    with pytest.raises(RunError, match=r"a worker process has died \(exit code 7\)"):
        next(results)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only Linux tells in /proc who is alive")
def test_workers_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    (tmp_path / "works.py").write_text(KILLED)
    command, root = [sys.executable, str(tmp_path / "works.py"), str(tmp_path)], Path(__file__).parents[2]
    with subprocess.Popen(command, cwd=root, env={**os.environ, "PYTHONPATH": str(root)}) as parent:
        wait_for(lambda: len([*tmp_path.glob("*.pid")]) == 2, 60, "two workers at work")
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    (tmp_path / "go").touch()
    pids = [int(path.stem) for path in tmp_path.glob("*.pid")]
    wait_for(lambda: not any(map(is_alive, pids)), 30, "the end of the workers")


def is_alive(pid: int) -> bool:
    """Whether a process lives; one that has ended and that nobody waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_an_error_in_a_worker_is_raised_here() -> None:
    with pytest.raises(UsageError, match="not this one"):
        list(in_order(refuse, [1], 1))


def test_without_items_there_is_nothing_to_do() -> None:
    assert list(in_order(refuse, [], 2)) == []
    assert processors() >= 1


@pytest.mark.parametrize(
    ("said", "quota"), [("max 100000", None), ("150000 100000", 2), ("1000 100000", 1), ("", None), ("a b", None)]
)
def test_a_container_may_have_less_than_the_machine(tmp_path: Path, said: str, quota: int | None) -> None:
    (tmp_path / "cpu.max").write_text(said + "\n")
    assert quota_of(tmp_path / "cpu.max") == quota


def test_without_a_quota(tmp_path: Path) -> None:
    assert quota_of(tmp_path / "cpu.max") is None


def test_nobody_gets_more_workers_than_help_unless_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for there, wanted in ((64, MOST), (3, 3)):
        monkeypatch.setattr("grokterm.engine.workers.processors", lambda there=there: there)
        assert usual() == wanted


def test_nobody_gets_more_than_two_workers_a_processor() -> None:
    assert most() == 2 * processors()
