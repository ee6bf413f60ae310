"""Two trainers that want one run at the same instant: one trains it, and the other one says who does."""

import shutil
from multiprocessing.synchronize import Barrier
from pathlib import Path

from grokterm.run.directory import RunDirectory
from grokterm.run.holder import this_host
from grokterm.run.lock import holder, is_alive
from tests.faults import tiny
from tests.faults.kills import die_inside
from tests.faults.outcomes import Result
from tests.faults.readable import check
from tests.faults.trainers import PATIENCE, Child, Ended, Order, ended, gate, patient, told_by, training_of
from tests.faults.undisturbed import Undisturbed, long
from tests.run_equality import history
from tests.waiting import wait_for


def race(folder: Path, whole: Undisturbed, times: int, seed: int) -> Result:
    """Let two trainers begin, or go on with a run whose trainer was killed, in turns."""
    beginning, half = long(folder / "beginning"), long(folder / "half")
    die_inside(half, 500, seed)
    firsts = [_once((beginning, half)[number % 2], whole.long, folder / str(number)) for number in range(times)]
    shutil.rmtree(folder)
    counts = {"races": times, "of them won by the one that was started first": sum(firsts)}
    checked = "each time exactly one trained, the other's error named its host and process, and nothing was told twice"
    return Result(counts, checked)


def _once(origin: RunDirectory, whole: RunDirectory, folder: Path) -> bool:
    """One race; whether the trainer that was started first has won."""
    run, ready = tiny.copy_of(origin, folder), gate(2)
    known = len(history(run).events)
    order = Order(run, full_seconds=0.02)
    with Child(_train_together, order, ready) as one, Child(_train_together, order, ready) as other:
        wait_for(lambda: one.has_told() or other.has_told(), PATIENCE, "the end of the one that comes too late")
        loser, winner = (one, other) if one.has_told() else (other, one)
        refusal = ended(loser)
        assert refusal.kind == "RunError", f"{run.path}: both train, or the later one ended otherwise: {refusal}"
        named = f"is being trained by process {winner.pid} on {this_host()}"
        assert named in refusal.error, f"{run.path}: {refusal.error!r} does not say {named!r}"
        held = holder(run)
        assert held is not None, f"{run.path}: nobody trains it"
        assert held.pid == winner.pid
        wait_for(lambda: len(history(run).events) > known + 1 or winner.has_told(), PATIENCE, "training")
        assert not winner.has_told(), f"{run.path}: the winner has ended: {ended(winner)}"
        winner.kill()
    began = [event.data["state"] for event in history(run).events[known:] if event.kind == "state"]
    assert began == ["training" if not known else "resumed"], f"{run.path}: {began}"
    assert not is_alive(run)
    check(run, whole, torn_lines=1)
    shutil.rmtree(folder)
    return winner is one


def _train_together(order: Order, ready: Barrier) -> Ended:
    """Train when the other one is as far."""
    patient(order.full_seconds)
    thread = training_of(order.run)
    ready.wait(PATIENCE)
    thread.run()
    return told_by(thread)
