"""Does the same with many things in several processes at once, and gives the results in the order of the things.

Each worker is a new Python that computes with one thread, at low priority: the processors are shared by having several
of them. Signals are left to the process that started them; when it ends, however it ends, they end too, because the
pipe that they read from is closed.
"""

import contextlib
import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Generic, TypeVar

from grokterm.errors import GroktermError, RunError

Item = TypeVar("Item")
Result = TypeVar("Result")
Work = Callable[[Item], Result]

LOWER_PRIORITY = 10
"""What the workers are nicer by than who started them."""
MOST = 8
"""Of workers unless somebody asks for more: each holds a torch of its own, a few hundred megabytes."""
A_PROCESSOR = 2
"""Workers a processor at the most, whoever asks for more: they would only wait for one another."""
QUOTA = Path("/sys/fs/cgroup/cpu.max")
"""Where a container sees its own control group."""
_LEFT_TO_THE_PARENT = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def processors() -> int:
    """How many processors this process may use, as a container's quota counts them where it has one."""
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(there, quota_of(QUOTA) or there)


def usual() -> int:
    """How many workers there are unless somebody asks for another number: one a processor, up to MOST."""
    return min(processors(), MOST)


def most() -> int:
    """How many workers there may be on this machine, whoever asks for more."""
    return processors() * A_PROCESSOR


def quota_of(path: Path) -> int | None:
    """How many processors' time the file of a control group (version 2) allows, rounded up; None for no limit."""
    try:
        quota, period = map(int, path.read_text().split())
    except (OSError, ValueError):
        return None
    return max(-(-quota // period), 1) if quota > 0 and period > 0 else None


def in_order(begin: Callable[[], Work[Item, Result]], items: Sequence[Item], workers: int) -> Iterator[Result]:
    """Yield what work makes of each item, in their order; `begin`, called once in each worker, returns the work.

    `begin`, items and results are pickled. An error of ours in a worker is raised here; RunError when one dies. No
    worker is left when the iterator is closed, exhausted or raises.
    """
    left = deque(enumerate(items))
    made: dict[int, Result] = {}
    crew: list[_Worker[Item, Result]] = []
    try:
        for _ in range(min(workers, len(items))):
            crew.append(_Worker(begin))
            crew[-1].give(*left.popleft())
        for index in range(len(items)):
            while index not in made:
                ready = wait([worker.connection for worker in crew if worker.is_busy])
                for worker in (worker for worker in crew if worker.connection in ready):
                    at, result = worker.take()
                    made[at] = result
                    if left:
                        worker.give(*left.popleft())
            yield made.pop(index)
    finally:
        for worker in crew:
            worker.end()


class _Worker(Generic[Item, Result]):
    """One process, and what it is busy with."""

    def __init__(self, begin: Callable[[], Work[Item, Result]]) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.is_busy = False
        self._process: BaseProcess = context.Process(target=_serve, args=(theirs, begin), daemon=True)
        with theirs, _inherited():
            self._process.start()

    def give(self, index: int, item: Item) -> None:
        """Have it work on an item. One that is dead says so when the result is taken."""
        self.is_busy = True
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.connection.send((index, item))

    def take(self) -> tuple[int, Result]:
        """Take the result that is there. Raises its error, or RunError when the process has died."""
        self.is_busy = False
        try:
            index, result = self.connection.recv()
        except (EOFError, ConnectionResetError) as error:
            raise RunError(f"a worker process has died ({self._how_it_ended()})") from error
        if isinstance(result, GroktermError):
            raise result
        return index, result

    def end(self) -> None:
        """End it at once: it keeps nothing that could be lost."""
        self.connection.close()
        self._process.kill()
        self._process.join()
        self._process.close()

    def _how_it_ended(self) -> str:
        self._process.join(5)
        code = self._process.exitcode
        if code is not None and code < 0:
            memory = ", as the system does when memory is short" if -code == signal.SIGKILL else ""
            return f"signal {-code} ended it{memory}"
        return f"exit code {code}"


@contextlib.contextmanager
def _inherited() -> Iterator[None]:
    """What a process has that is started in here: signals blocked, and one thread for every library of matrix products.

    Blocked rather than ignored: one that comes meanwhile reaches this process afterwards.
    """
    before = {name: os.environ.get(name) for name in _ONE_THREAD}
    resource_tracker.ensure_running()  # Python's own helper; when it is started, signals are unblocked again
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, _LEFT_TO_THE_PARENT)
    os.environ.update(_ONE_THREAD)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _serve(connection: "Connection", begin: Callable[[], Work[Item, Result]]) -> None:
    """What a worker does: take an item, send the result, until nobody is there any more."""
    os.nice(LOWER_PRIORITY)
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        try:
            work = begin()
            while True:
                index, item = connection.recv()
                connection.send((index, work(item)))
        except GroktermError as error:
            connection.send((-1, error))
