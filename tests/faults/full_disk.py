"""A disk that takes nothing for a while, in every phase of a run: training waits, goes on, and nothing is missing."""

import os
import random
import shutil
from dataclasses import dataclass
from pathlib import Path

from grokterm.run.directory import RunDirectory
from tests.faults import tiny
from tests.faults.disturbances import Disturbance, Filled, Forbidden, Limited, Moved, disturb
from tests.faults.kills import die_inside, operations
from tests.faults.outcomes import Result
from tests.faults.readable import check
from tests.faults.refusals import AWAY, FULL, Refusing
from tests.faults.trainers import Child, Order, ended, finish, side_by_side, trainer
from tests.faults.undisturbed import Undisturbed, long, short
from tests.run_equality import differences, history


@dataclass(frozen=True)
class Refusals:
    """How many. walked, read: every n-th operation, of those that write, and of all; 0 for none. The others:
    how often real limits keep training from writing.
    """

    walked: int
    read: int
    limited: int
    filled: int
    moved: int
    forbidden: int


def refuse(folder: Path, whole: Undisturbed, wanted: Refusals, seed: int) -> Result:
    """Let the disk refuse, and make sure that training waits until it does no more, and ends as if it never had."""
    written = _each_operation(folder / "written", whole.short, wanted.walked, seed, reads=False)
    read = _each_operation(folder / "read", whole.short, wanted.read, seed, reads=True)
    counts = {
        "refused writes": len(written),
        "refused looks and writes": len(read),
        "of both before training had begun": (written + read).count(False),
    }
    not_done = []
    for name, times, disturbance in (
        ("file size limits", wanted.limited, Limited()),
        ("full file systems", wanted.filled, Filled()),
        ("directories moved away and back", wanted.moved, Moved()),
        ("read-only directories", wanted.forbidden, Forbidden()),
    ):
        done = _again_and_again(folder / name.replace(" ", "-"), whole.long, disturbance, times, seed)
        counts[name] = 0 if isinstance(done, str) else done
        not_done += [f"{name} ({done})"] if isinstance(done, str) else []
    shutil.rmtree(folder)
    checked = (
        "each time training waited and said why, what was written could be read meanwhile, and the run ended equal to "
        "the undisturbed one; before it had begun, it said why it cannot begin, and began later"
    )
    return Result(counts, checked, "; ".join(not_done))


def _each_operation(folder: Path, whole: RunDirectory, every: int, seed: int, *, reads: bool) -> list[bool]:
    """Refuse each (or every n-th) operation of a run that begins, and of one that goes on; whether it began."""
    if not every:
        return []
    beginning, half = short(folder / "beginning"), short(folder / "half")
    die_inside(half, operations(half) * 2 // 3, seed)
    errors = AWAY if reads else FULL

    def refuse_one(place: tuple[RunDirectory, int]) -> bool:
        origin, at = place
        chance = random.Random(f"{seed} {at}")
        fault = Refusing(at, chance.randrange(1, 8), chance.choice(errors), seed + at, reads)
        run = tiny.copy_of(origin, folder / f"{origin.path.parent.parent.name}-{at}")
        has_begun = _train_with(run, fault)
        differ = differences(whole, run)
        assert not differ, f"{run.path}, {fault}: {differ[:5]}"
        check(run, whole, torn_lines=1)
        shutil.rmtree(run.path.parent.parent)
        return has_begun

    places = [(origin, at) for origin in (beginning, half) for at in range(1, operations(origin, reads=reads) + 1)]
    return side_by_side(refuse_one, places[seed % every :: every])


def _train_with(run: RunDirectory, fault: Refusing) -> bool:
    """Train to the end; whether it began in spite of the fault. If not, it says why, and begins later."""
    known = len(history(run).events)
    with trainer(Order(run, fault=fault)) as child:
        found = ended(child)
    if not found.error:
        return True
    assert found.kind in ("RunError", "UsageError"), f"{run.path}, {fault}: {found}"
    assert os.strerror(fault.number) in found.error, f"{run.path}, {fault}: {found}"
    assert len(history(run).events) == known, f"{run.path}, {fault}: training had begun, and ended: {found}"
    finish(run)
    return False


def _again_and_again(folder: Path, whole: RunDirectory, disturbance: Disturbance, times: int, seed: int) -> int | str:
    """Disturb runs until it was done so often; how often, or why it cannot be done here."""
    done = number = 0
    while done < times:
        origin = long(folder / f"origin-{number}")
        where = folder / str(number)
        with Child(disturb, disturbance, origin, whole, where, times - done, seed + number) as child:
            found = child.result()
        assert found is not None, f"the process that trains {where} has died"
        if isinstance(found, str):
            return found
        shutil.rmtree(origin.path.parent.parent)
        done, number = done + found, number + 1
    return done
