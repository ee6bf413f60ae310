"""Leaving a screen that trains: what becomes of training that answers late, not at all, or cannot write."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest

from grokterm.catalog import Catalog
from grokterm.detached import Successor
from grokterm.errors import GroktermError, RunError, TrainingError
from grokterm.run.directory import RunDirectory
from grokterm.run.events import EventLog
from grokterm.run.lock import Lock
from grokterm.tui.live import leaving
from grokterm.tui.live.leaving import Leaving
from tests.recorded import record


class Process:
    def __enter__(self) -> None: ...
    def __exit__(self, *_: object) -> None: ...


@dataclass
class Successors:
    """Notes which runs other processes went on with, and with which descriptor of the lock."""

    started: list[tuple[RunDirectory, int | None]] = field(default_factory=list)

    def start(self, run: RunDirectory, lock: int | None = None) -> Process:
        self.started.append((run, lock))
        return Process()


@dataclass
class Trains:
    """A training thread that does what a test says when it is asked to hand over or waited for."""

    directory: RunDirectory
    answers: Callable[[], int | None] = lambda: None
    handed: int | None = None
    joined: Callable[[], None] = lambda: None
    alive: bool = True
    has_begun: bool = True
    ident: int | None = 1
    error: GroktermError | None = None
    stopped: bool = False
    gave_up: bool = False
    here: bool = True
    preset_name: str = "recorded"
    catalog: Catalog = field(default_factory=Catalog)

    is_started: bool = True

    def start(self) -> None: ...

    def is_alive(self) -> bool:
        return self.alive

    def join(self, timeout: float | None = None) -> None:
        self.joined()

    def share_lock(self) -> int | None:
        return 7 if self.alive else None

    def hand_over(self, seconds: float) -> int | None:
        return self.answers()

    def stop(self) -> None:
        self.stopped = True

    def give_up(self) -> None:
        self.gave_up, self.alive = True, False


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return record(tmp_path, 40, state="training")


def leave(training: Trains) -> tuple[Leaving, Successors, list[str]]:
    successors = Successors()
    return Leaving(training, cast("Successor", successors), "detach"), successors, []


def test_what_answers_is_handed_over_with_its_lock(run: RunDirectory) -> None:
    left, successors, said = leave(Trains(run, answers=lambda: 5))
    assert left.hand_over(said.append)
    assert successors.started == [(run, 5)]
    assert said == [f"{run.name} goes on in the background; `grokterm attach {run.path}` comes back"]


def test_while_torch_is_loading_nothing_is_asked(run: RunDirectory) -> None:
    left, successors, said = leave(Trains(run, has_begun=False))
    assert left.hand_over(said.append)
    assert successors.started == [(run, 7)]


def test_training_that_was_never_started_begins_elsewhere(run: RunDirectory) -> None:
    left, successors, said = leave(Trains(run, alive=False, has_begun=False, ident=None))
    assert left.hand_over(said.append)
    assert successors.started == [(run, None)]


def test_a_long_step_is_waited_for(run: RunDirectory) -> None:
    def end() -> None:
        training.alive, training.handed = False, 6

    training = Trains(run, joined=end)
    left, successors, said = leave(training)
    assert left.hand_over(said.append)
    assert successors.started == [(run, 6)]
    assert said[0] == "still waiting: the trainer hands over at the end of its step …"
    assert not training.gave_up


def test_what_does_not_answer_is_stopped(run: RunDirectory) -> None:
    training = Trains(run)
    left, successors, said = leave(training)
    assert not left.hand_over(said.append, patience=0.0)
    assert successors.started == []
    assert said[-1] == "training cannot be handed over (it does not answer); it is stopped instead"
    assert training.stopped


@pytest.mark.parametrize("state", ["finished", "failed"])
def test_what_has_ended_is_not_handed_over(run: RunDirectory, state: str) -> None:
    EventLog(run.events_path).write("state", 40, state=state)
    error = TrainingError("odd") if state == "failed" else None
    left, successors, said = leave(Trains(run, alive=False, error=error))
    assert not left.hand_over(said.append)
    assert (successors.started, said) == ([], [])


def test_what_waits_for_the_disk_is_not_handed_over(run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaving, "DISK_SECONDS", 0.1)
    training = Trains(run, answers=lambda: pytest.fail("it was asked to write"))
    left, successors, said = leave(training)
    with Lock(run) as lock:
        lock.trouble("steps.npy: No space left on device")
        assert not left.hand_over(said.append)
    assert training.gave_up
    assert successors.started == []
    assert said == [
        "training cannot be handed over (steps.npy: No space left on device); it is stopped instead",
        "leaving with the last checkpoint that was written",
    ]


def test_a_process_that_cannot_be_started_is_told(run: RunDirectory) -> None:
    class None_(Successors):  # noqa: N801
        def start(self, run: RunDirectory, lock: int | None = None) -> Process:
            raise RunError("no trainer can be started")

    left = Leaving(Trains(run, answers=lambda: 5), cast("Successor", None_()), "detach")
    with pytest.raises(RunError, match="no trainer can be started"):
        left.hand_over(print)
