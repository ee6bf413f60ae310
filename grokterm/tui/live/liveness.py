"""Whether somebody trains the run that is shown, and what a person must know as long as it is so."""

from dataclasses import dataclass
from math import isfinite

from grokterm.ancestry import forked_at
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
        return (f"training waits: {liveness.trouble}", f"training waits: {cause}", "training waits")
    if stands(history, liveness) == INTERRUPTED:
        resume = f"`grokterm resume {history.run.name}`"
        longest = f"nobody trains this run: {resume} goes on with it"
        return longest, f"nobody trains it: {resume}", f"go on: {resume}", "nobody trains it"
    divergence = divergence_of(history)
    if divergence is None:
        return ()
    where = f"diverged at step {divergence.step:,}"
    if not steers:
        return f"{where} and is paused", where
    long, short = divergence.offers(can_undo=bool(history.edits) or forked_at(history) is not None)
    return f"{where} and is paused: {long}", f"{where}: {short}", where


@dataclass(frozen=True, slots=True)
class Divergence:
    """Where the training loss became no number, and the step of the last full checkpoint before, None without one."""

    step: int
    good: int | None

    def offers(self, *, can_undo: bool) -> tuple[str, str]:
        """What a person can do about it, in words and in few."""
        undo = ("u undoes the last intervention / ", "u undo, ") if can_undo else ("", "")
        if self.good is None:
            return f"{undo[0]}F forks", f"{undo[1]}F fork"
        return f"{undo[0]}F forks at the last good step {self.good:,}", f"{undo[1]}F fork at {self.good:,}"


def divergence_of(history: History) -> Divergence | None:
    """The divergence that training is paused after; None when it is not."""
    losses = history.series("train_loss").values
    if not history.paused or not len(losses) or isfinite(losses[-1]):
        return None
    for event in reversed(history.errors):
        match event.data:
            case {"diverged": True, "good": int(good)}:
                return Divergence(event.step, good if good >= 0 else None)
    return None
