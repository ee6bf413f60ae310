"""Trainers that are killed: at random instants, inside every single write, and as the real program."""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grokterm.history import History
from grokterm.run.directory import RunDirectory
from grokterm.run.story import is_resumption
from tests.faults import tiny
from tests.faults.operations import Operation, watch
from tests.faults.outcomes import Result
from tests.faults.readable import check
from tests.faults.trainers import (
    PATIENCE,
    Child,
    Ended,
    Order,
    ended,
    finish,
    processors,
    side_by_side,
    train,
    trainer,
)
from tests.faults.undisturbed import Undisturbed, long, short
from tests.run_equality import differences, history
from tests.terminal import ROOT
from tests.waiting import wait_for

_ROW_COUNT = re.compile(rb"('shape': )?\(\d+,\), \} *\n\Z")
LIFE = 0.3
"""Seconds within which a trainer is killed: it begins, goes on from a checkpoint and trains some steps."""


EndOne = Callable[[RunDirectory, random.Random], bool]
"""Starts a trainer of a run; whether it was killed before it had come to the end of the run."""


@dataclass(frozen=True)
class Kills:
    """How many. inside: in operations chosen at random. walked: every n-th operation of a short run."""

    at_random: int
    inside: int
    walked: int
    program: int


@dataclass(frozen=True)
class Inside:
    """Dies in operation number `at`: of a write any part may have been done, the others entirely or not at all.

    A table's row count is never torn: those few bytes lie in one page of the file, and a system that ends a process
    does so between two pages. beside: operations on the runs beside this one count, too.
    """

    at: int
    seed: int
    beside: bool = False

    def put_in_place(self, run: RunDirectory) -> None:
        """Count the operations from now on."""
        chance, number = random.Random(self.seed), 0

        def meet(operation: Operation, do: Callable[[int], Any]) -> Any:
            nonlocal number
            size = len(operation.content)
            number += operation.kind != "look"
            if operation.kind == "look" or number != self.at:
                return do(size)
            is_count = _ROW_COUNT.match(operation.content)
            try:
                if part := chance.choice([0, size + 1]) if is_count else chance.randrange(size + 2):
                    do(part - 1)
            finally:  # of an operation that would have failed, too
                os.kill(os.getpid(), signal.SIGKILL)

        watch(run.path.parent if self.beside else run.path, meet)


@dataclass
class Victim:
    """A run whose trainers die, and somebody who looks at it all the time."""

    run: RunDirectory
    whole: RunDirectory
    kills: int = 0
    torn_rows: int = 0
    torn_lines: int = 0
    temporary: int = 0
    watching: History = field(init=False)

    def __post_init__(self) -> None:
        self.watching = History(self.run)

    def has_died(self) -> None:
        """Look at what is left."""
        self.kills += 1
        found = check(self.run, self.whole, self.torn_lines)
        self.torn_rows += found.torn_rows > 0
        self.torn_lines += found.torn_line > 0
        self.temporary += found.temporary > 0
        self.watching.poll()

    def has_ended(self) -> None:
        """It is as if nothing had happened, also for whoever looked at it all the time."""
        found = differences(self.whole, self.run)
        assert not found, f"{self.run.path} is not equal to {self.whole.path}: {found[:5]}"
        check(self.run, self.whole, self.torn_lines)
        self.watching.poll()
        fresh = history(self.run)
        assert self.watching.events == fresh.events
        assert self.watching.pending == fresh.pending == {}
        for name in fresh.names():
            seen, right = self.watching.series(name), fresh.series(name)
            assert seen.steps.tobytes() == right.steps.tobytes(), f"a viewer saw other steps of {name}"
            assert seen.values.tobytes() == right.values.tobytes(), f"a viewer saw other values of {name}"
        shutil.rmtree(self.run.path.parent.parent)


def kill(folder: Path, whole: Undisturbed, wanted: Kills, seed: int) -> Result:
    """Kill as many trainers, look at what each one left, and let every run come to its end in spite of it."""
    victims = [
        *_again_and_again(folder / "random", whole.long, wanted.at_random, seed, _at_a_random_instant),
        *_again_and_again(folder / "inside", whole.long, wanted.inside, seed, _inside_any_operation),
        *_again_and_again(folder / "program", whole.long, wanted.program, seed, _the_program),
    ]
    walked = _in_each_operation(folder / "walked", whole.short, wanted.walked, seed) if wanted.walked else []
    everyone = [*victims, *walked]
    shutil.rmtree(folder)
    counts = {
        "kill -9": sum(victim.kills for victim in everyone),
        "of them at random instants": wanted.at_random,
        "inside file operations": wanted.inside + sum(victim.kills for victim in walked),
        "of `grokterm resume`": wanted.program,
        "runs": len(everyone),
        "torn rows": sum(victim.torn_rows for victim in everyone),
        "torn lines": sum(victim.torn_lines for victim in everyone),
        "left under temporary names": sum(victim.temporary for victim in everyone),
    }
    checked = "each time all files readable, all rows before the last full checkpoint there, rows and events so far "
    return Result(counts, checked + "and, at the end, all of the run equal to the undisturbed one, byte for byte")


def _again_and_again(folder: Path, whole: RunDirectory, count: int, seed: int, end_one: EndOne) -> list[Victim]:
    """Runs whose trainers are killed, one after the other, until there were `count` kills; then each run may end."""

    def some(number: int) -> list[Victim]:
        chance = random.Random(f"{seed} {folder.name} {number}")
        victims: list[Victim] = []
        most = len(range(number, count, processors()))
        while (left := most - sum(victim.kills for victim in victims)) > 0:
            victim = Victim(long(folder / f"{number}-{len(victims)}"), whole)
            victims.append(victim)
            while victim.kills < left and end_one(victim.run, chance):
                victim.has_died()
            finish(victim.run)
            victim.has_ended()
        return victims

    return [victim for victims in side_by_side(some, range(processors())) for victim in victims]


def _at_a_random_instant(run: RunDirectory, chance: random.Random) -> bool:
    """Whether a trainer was killed before it had come to the end of the run."""
    with trainer(Order(run, full_seconds=chance.choice([-1.0, 0.01, 0.05]))) as child:
        if child.has_ended_within(chance.uniform(0, LIFE)):
            assert ended(child) == Ended(killed=False)
            return False
        child.kill()
        return True


def _inside_any_operation(run: RunDirectory, chance: random.Random) -> bool:
    fault = Inside(chance.randrange(1, 600), chance.randrange(2**32))
    with trainer(Order(run, full_seconds=chance.choice([-1.0, 0.01, 0.05]), fault=fault)) as child:
        return _was_killed(child)


def _was_killed(child: Child) -> bool:
    found = ended(child)
    assert not found.error, found.error
    return found.killed


def _in_each_operation(folder: Path, whole: RunDirectory, every: int, seed: int) -> list[Victim]:
    """Die once in each (or every n-th) operation: of a run that begins, and of one that goes on."""
    beginning, half = short(folder / "beginning"), short(folder / "half")
    die_inside(half, operations(half) * 2 // 3, seed)

    def die(place: tuple[RunDirectory, int, int]) -> Victim:
        origin, at, last = place
        copied = tiny.copy_of(origin, folder / f"{origin.path.parent.parent.name}-{at}")
        victim = Victim(copied, whole, torn_lines=origin is half)
        if die_inside(victim.run, at, seed + at, of=last):
            victim.has_died()
            finish(victim.run)
        victim.has_ended()
        return victim

    counted = ((origin, operations(origin)) for origin in (beginning, half))
    places = [(origin, at, last) for origin, last in counted for at in range(1, last + 1)]
    return side_by_side(die, places[seed % every :: every])


def die_inside(run: RunDirectory, at: int, seed: int, *, of: int = 0, beside: bool = False) -> bool:
    """Train a run up to an operation, and die in it.

    of: how many there were when they were counted. It may be a few less now, for rows are written by the clock: then
    False, and the run has come to its end.
    """
    with trainer(Order(run, fault=Inside(at, seed, beside))) as child:
        died = _was_killed(child)
    assert died or 0 < 0.9 * of < at, f"it takes fewer than {at} operations to train {run.path}, and not {of}"
    return died


def operations(run: RunDirectory, *, reads: bool = False, beside: bool = False) -> int:
    """How many operations it takes to train a run.

    reads: looks are counted. beside: operations on the runs beside it are.
    """
    copied = tiny.copy_of(run, run.path.parents[2] / "counted")
    with Child(_count, copied, reads, beside) as child:
        count = child.result()
    assert isinstance(count, int)
    shutil.rmtree(copied.path.parent.parent)
    return count


def _count(run: RunDirectory, reads: bool, beside: bool) -> int:
    count = 0

    def meet(operation: Operation, do: Callable[[int], Any]) -> Any:
        nonlocal count
        count += reads or operation.kind != "look"
        return do(len(operation.content))

    watch(run.path.parent if beside else run.path, meet)
    train(Order(run))
    return count


def _the_program(run: RunDirectory, chance: random.Random) -> bool:
    """Kill `grokterm resume --headless` a moment after it has gone on; the snapshots are its full checkpoints."""
    if not run.config_path.exists():
        die_inside(run, 500, chance.randrange(2**32))

    def resumptions() -> int:
        return sum(map(is_resumption, history(run).events))

    before, delay = resumptions(), chance.uniform(0, 0.3)
    call = [sys.executable, "-m", "grokterm", "resume", str(run.path), "--headless"]
    with subprocess.Popen(call, cwd=ROOT, stdout=subprocess.DEVNULL) as program:
        try:
            wait_for(lambda: resumptions() > before or program.poll() is not None, PATIENCE, "the program to go on")
            program.wait(delay)
        except subprocess.TimeoutExpired:
            program.kill()
            return True
        finally:
            program.kill()
    assert program.returncode == 0
    return False
