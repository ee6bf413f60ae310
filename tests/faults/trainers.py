"""Trainers in processes of their own that begin within milliseconds: each is a fork of one process that has torch.

That process never trains: a fork of one that did would wait for threads which only its parent has.
"""

import multiprocessing
import os
import traceback
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from grokterm.catalog import Catalog
from grokterm.preset import read
from grokterm.run.directory import RunDirectory
from grokterm.training import TrainingThread
from tests.faults.tiny import preset_of

T = TypeVar("T")
R = TypeVar("R")

PATIENCE = 60.0
"""Seconds within which anything that a child does must have ended."""
RETRY_SECONDS = 0.002
"""How often a trainer in here tries a refused write again."""

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    ["torch._dynamo", "safetensors.numpy", "grokterm.engine.launch", "tests.faults.trainers"]  # dynamo takes a second
)


class Fault(Protocol):
    """Something that goes wrong in a trainer; it is made in the parent and put in place in the child."""

    def put_in_place(self, run: RunDirectory) -> None:
        """Let it happen in this process from now on."""
        ...


@dataclass(frozen=True)
class Order:
    """What a trainer is to do: begin or go on with a run, a full checkpoint every so many seconds, and a fault."""

    run: RunDirectory
    full_seconds: float = -1.0
    fault: Fault | None = None


@dataclass(frozen=True)
class Ended:
    """How a trainer ended: the error that it told, "" for none, and of what kind; or that it was killed."""

    killed: bool
    error: str = ""
    kind: str = ""


class Child:
    """A process that runs one function; `result` is what that returned. As a context manager it is gone at the end."""

    def __init__(self, call: Callable[..., object], *arguments: object) -> None:
        self._told, telling = _CONTEXT.Pipe(duplex=False)
        self.process = _CONTEXT.Process(target=_tell, args=(telling, call, arguments), daemon=True)
        self.process.start()
        telling.close()

    @property
    def pid(self) -> int:
        """Of the process."""
        assert self.process.pid is not None
        return self.process.pid

    def has_ended_within(self, seconds: float) -> bool:
        """Whether it ends before so many seconds have passed."""
        self.process.join(seconds)
        return self.process.exitcode is not None

    def has_told(self) -> bool:
        """Whether its result can be had, or it is dead."""
        return self._told.poll()

    def kill(self) -> None:
        """End it by SIGKILL, and wait until it is gone."""
        self.process.kill()
        self.process.join(PATIENCE)

    def result(self, seconds: float = PATIENCE) -> Any:
        """What the function returned, None when the process was killed; AssertionError when it raised, or hangs."""
        try:
            if not self._told.poll(seconds):
                self.kill()
                raise AssertionError(f"process {self.pid} has not ended within {seconds:g} s")
            done, found = self._told.recv()
        except EOFError:
            return None
        finally:
            self.process.join(PATIENCE)
        assert done, found
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.is_alive():
            self.kill()
        self._told.close()
        self.process.close()


def trainer(order: Order) -> Child:
    """Start a trainer; its result is an `Ended`."""
    return Child(train, order)


def ended(child: Child) -> Ended:
    """Wait for a trainer's end."""
    found = child.result()
    return Ended(killed=True) if found is None else found


def finish(run: RunDirectory, full_seconds: float = 1e9) -> None:
    """Train a run to its end, undisturbed."""
    with trainer(Order(run, full_seconds)) as child:
        assert ended(child) == Ended(killed=False), f"{run.path} could not be trained to its end"


def train(order: Order) -> Ended:
    """Train in this process: with the preset beside the runs where nothing is recorded, else from a checkpoint."""
    patient(order.full_seconds)
    thread = training_of(order.run)
    if order.fault is not None:
        order.fault.put_in_place(order.run)
    thread.run()
    return told_by(thread)


def told_by(thread: TrainingThread) -> Ended:
    """How training ended that was not killed."""
    error = thread.error
    return Ended(killed=False) if error is None else Ended(killed=False, error=str(error), kind=type(error).__name__)


def patient(full_seconds: float) -> None:
    """Let training in this process write full checkpoints so often, and ask a disk that refuses often, too."""
    from grokterm.engine import patience
    from grokterm.engine import trainer as loop

    loop.FULL_CHECKPOINT_SECONDS, patience.RETRY_SECONDS = full_seconds, RETRY_SECONDS


def training_of(run: RunDirectory) -> TrainingThread:
    """The training of a run as `grokterm run --into` and `grokterm resume` set it up."""
    catalog = Catalog()
    preset = None if run.config_path.exists() else read(preset_of(run), (), catalog)
    return TrainingThread(run, catalog, preset, discards=False)


def _tell(telling: Connection, call: Callable[..., object], arguments: tuple[object, ...]) -> None:
    try:
        told = (True, call(*arguments))
    except BaseException:  # noqa: BLE001 - the parent shows it
        told = (False, traceback.format_exc())
    telling.send(told)


def side_by_side(call: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """`call` of every item, in their order; as many at a time as there are processors. It waits for children."""
    with ThreadPoolExecutor(processors()) as pool:
        waiting = [pool.submit(call, item) for item in items]
        try:
            return [one.result() for one in waiting]
        finally:
            pool.shutdown(cancel_futures=True)


def gate(parties: int) -> Barrier:
    """Opens when so many children have come to it."""
    return _CONTEXT.Barrier(parties)


def processors() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0))
