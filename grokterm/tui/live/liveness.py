"""Whether somebody trains the run that is shown, and what a person must know as long as it is so."""

from dataclasses import dataclass
from math import isfinite

from grokterm.ancestry import forked_at
from grokterm.detached import reference
from grokterm.errors import RunError
from grokterm.history import History
from grokterm.run.directory import RunDirectory
from grokterm.run.lock import holder, is_alive
from grokterm.run.outcome import INTERRUPTED, standing

LOOK_SECONDS = 1.0
"""How often the lock is looked at."""


@dataclass(frozen=True, slots=True)
class Liveness:
    """What a look at a run's lock found. trouble: what its trainer waits for. problem: why the look failed."""

    alive: bool = True
    trouble: str = ""
    problem: str = ""


def look(run: RunDirectory) -> Liveness:
    """Look whether the run is trained now; the lock is neither made nor kept from anybody."""
    if not run.path.is_dir():
        return Liveness(problem="the run's directory has vanished")
    try:
        held = holder(run)
        alive = held is not None or is_alive(run)  # a lock may be held by somebody who is not named in it
    except RunError as error:
        return Liveness(problem=str(error))
    return Liveness(alive, "" if held is None else held.trouble)


def stands(history: History, liveness: Liveness) -> str:
    """The run's state: as it told last, or interrupted when it told no end and nobody trains it."""
    return standing(history.state, alive=liveness.alive)


def notice(history: History, liveness: Liveness, *, steers: bool) -> tuple[str, ...]:
    """What must stay in sight, in several lengths, the longest first; nothing when all is well.

    steers: whether it may name keys that steer training.
    """
    if liveness.problem:
        return (liveness.problem,)
    if liveness.trouble:
        cause = liveness.trouble.rpartition(": ")[2]
        waits = "training waits"
        return f"{waits}: {liveness.trouble}", f"{waits}: {cause}", f"waits: {cause}", waits
    if stands(history, liveness) == INTERRUPTED:
        return nobody_trains(history.run)
    divergence = divergence_of(history)
    if divergence is None:
        return ()
    where = f"diverged at step {divergence.step:,}"
    if not steers:
        return f"{where} and is paused", where
    long, short, shortest = divergence.offers(can_undo=bool(history.edits) or forked_at(history) is not None)
    return f"{where} and is paused: {long}", f"{where}: {short}", f"diverged: {short}", f"diverged: {shortest}"


def nobody_trains(run: RunDirectory) -> tuple[str, ...]:
    """What can be done with a run that is interrupted, in several lengths, the longest first."""
    resume = f"`grokterm resume {reference(run)}`"
    return (
        f"nobody trains this run: {resume} goes on with it",
        f"nobody trains it: {resume}",
        f"go on: {resume}",
        f"go on: `grokterm resume {run.name}`",
        "nobody trains it",
    )


@dataclass(frozen=True, slots=True)
class Divergence:
    """Where the training loss became no number, and the step of the last full checkpoint before, None without one."""

    step: int
    good: int | None

    def offers(self, *, can_undo: bool) -> tuple[str, str, str]:
        """What a person can do about it, in words, in few, and in fewer."""
        undo = ("u undoes the last intervention / ", "u undo, ", "u, ") if can_undo else ("", "", "")
        at = ("", "", "") if self.good is None else (f" at the last good step {self.good:,}", f" at {self.good:,}", "")
        return f"{undo[0]}F forks{at[0]}", f"{undo[1]}F fork{at[1]}", f"{undo[2]}F"


def divergence_of(history: History) -> Divergence | None:
    """The divergence that training is paused after; None when it is not."""
    return diverged(history) if history.paused else None


def diverged(history: History) -> Divergence | None:
    """The divergence that the newest loss still shows, paused or not; None when there is none."""
    losses = history.series("train_loss").values
    if not len(losses) or isfinite(losses[-1]):
        return None
    for event in reversed(history.errors):
        match event.data:
            case {"diverged": True, "good": int(good)}:
                return Divergence(event.step, good if good >= 0 else None)
    return None
