"""Trainers that die while they go back to before an intervention: in the run, in the fork, and in between."""

import shutil
from pathlib import Path

from grokterm.run.directory import RunDirectory
from grokterm.run.events import ask
from grokterm.run.living import went_on_in
from grokterm.run.lock import is_alive
from grokterm.summary import DAMAGED, summarize
from tests.faults import tiny
from tests.faults.kills import die_inside, operations
from tests.faults.outcomes import Result
from tests.faults.trainers import finish, side_by_side
from tests.faults.undisturbed import Undisturbed, short
from tests.run_equality import differences, history

_AT = 8
"""The step at which the last intervention is undone."""


def rewind(folder: Path, _: Undisturbed, every: int, seed: int) -> Result:
    """Die once in each (or every n-th) operation of a run, of the fork in which it goes on, and of making that."""
    origin = short(folder / "origin")
    ask(origin.path, "rewind", undo=True, at=_AT)
    whole = tiny.copy_of(origin, folder / "whole")
    finish(whole)
    right = _fork_of(whole)
    assert right is not None

    last = operations(origin, beside=True)

    def die(at: int) -> tuple[bool, int]:
        run = tiny.copy_of(origin, folder / str(at))
        died = die_inside(run, at, seed + at, of=last, beside=True)
        for path in run.path.parent.iterdir():
            _check_dead(RunDirectory(path))
        while (fork := _fork_of(run)) is None:
            finish(run)
        forks = [RunDirectory(path) for path in run.path.parent.iterdir() if path != run.path]
        forks = [one for one in forks if one.config_path.exists()]
        assert fork.path in [one.path for one in forks]
        for one in forks:
            if history(one).state != "finished":
                finish(one)
            differ = differences(right, one)
            assert not differ, f"{one.path}: {differ[:5]}"
        shutil.rmtree(folder / str(at))
        return died, len(forks) - 1

    found = side_by_side(die, range(1, last + 1)[seed % every :: every])
    shutil.rmtree(folder)
    checked = (
        "each time all runs could be read, and the fork that was asked for ended equal to that of an undisturbed run"
    )
    counts = {"kill -9": sum(died for died, _ in found), "forks that were made twice": sum(more for _, more in found)}
    return Result(counts, checked)


def _fork_of(run: RunDirectory) -> RunDirectory | None:
    """The fork in which a run goes on, when it has told so."""
    left = went_on_in(run, history(run).events)
    return None if left is None else left[0]


def _check_dead(run: RunDirectory) -> None:
    assert not is_alive(run)
    summary = summarize(run)
    assert summary is None or summary.state != DAMAGED, f"{run.path}: {summary.problem}"
