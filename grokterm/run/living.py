"""Runs that are being trained now: the newest of a folder, and why a run that somebody means is none of them."""

import contextlib
import shlex
from collections.abc import Sequence
from pathlib import Path

from grokterm.errors import RunError
from grokterm.run.configuration import is_imported
from grokterm.run.directory import RunDirectory
from grokterm.run.events import Event, LineTail, event_from
from grokterm.run.finding import ambiguous, candidates, runs_in
from grokterm.run.lineage import beside
from grokterm.run.lock import is_alive
from grokterm.run.outcome import INTERRUPTED, Outcome, standing
from grokterm.run.story import Story
from grokterm.run.table import last_row

_GOES_ON = frozenset({"training", "resumed", "paused"})


def find_living(folder: Path, reference: str = "-") -> RunDirectory:
    """Return the run that `reference` names (see `find`) when somebody trains it; "-" or "" is the newest of those.

    Where the reference could be several runs, the only one of them in training is meant. Raises RunError that says how
    the run stands and what can be done with it.
    """
    if reference not in ("", "-"):
        runs = candidates(folder, reference)
        living = [run for run in runs if is_alive(run)] if len(runs) > 1 else runs
        if len(living) != 1:
            raise ambiguous(reference, living or runs)
        if not is_alive(living[0]):
            raise not_trained(living[0])
        return living[0]
    newest = None
    for run in runs_in(folder):
        newest = newest or run
        with contextlib.suppress(RunError):  # a lock that cannot be read is not in the way of the others
            if is_alive(run):
                return run
    if newest is None:
        raise RunError(f"there is no run in {folder}; `grokterm run mod113-quick` makes one")
    how, what = _ended(newest)
    raise RunError(f"no run in {folder} is being trained; the newest, {newest.name}, {how}: {what}")


def not_trained(run: RunDirectory) -> RunError:
    """The error about a run that nobody trains: how it ended, and the command that shows it or goes on with it."""
    how, what = _ended(run)
    return RunError(f"nobody trains {run.name}: it {how}; {what}")


def _ended(run: RunDirectory) -> tuple[str, str]:
    """How a run ended that nobody trains, and what can be done with it."""
    replay = f"`grokterm replay {_quoted(run.path)}` shows it"
    with contextlib.suppress(RunError):  # what cannot be read says nothing of a source
        if is_imported(run.read_config() or {}):
            return "was imported and cannot be trained", replay
    story, outcome = Story(), Outcome()
    for line in LineTail(run.events_path).new():
        if (event := event_from(line)) is not None:
            story.add(event)
    for event in story.events:
        outcome.take_in(event)
    if (left := went_on_in(run, story.events)) is not None:
        child, event = left
        return (
            f"was left at step {event.step:,} for a fork of it",
            f"`grokterm attach {_quoted(child.path)}` shows that one",
        )
    state = standing(outcome.state, alive=False)
    resume = f"grokterm resume {_quoted(run.path)}"
    if state == INTERRUPTED:
        return f"was interrupted at step {max(outcome.step, recorded(run)):,}", f"`{resume}` goes on with it"
    more = " --steps N" if state == "finished" else ""
    how = f"{_ENDS.get(state, f'is {state}')} at step {outcome.step:,}"
    return how, f"{replay}, `{resume}{more}` goes on with it"


def recorded(run: RunDirectory) -> int:
    """The step that the newest recorded update led to; a trainer that died told no event of it."""
    with contextlib.suppress(RunError):  # a table that is none is left out
        row = last_row(run.steps_path)
        if row is not None and "step" in (row.dtype.names or ()):
            return int(row["step"]) + 1
    return 0


def _quoted(path: Path) -> str:
    """A path as it can be given to any command."""
    return shlex.quote(str(path))


_ENDS = {"finished": "finished", "stopped": "was stopped", "failed": "failed"}


def went_on_in(run: RunDirectory, events: Sequence[Event]) -> tuple[RunDirectory, Event] | None:
    """The fork for which training left a run, and the event that says so; None when it did not.

    `events` are those of the run that hold. A run that was resumed after it was left has gone on itself.
    """
    for event in reversed(events):
        match event.kind, event.data:
            case "fork", {"run": str(name)} if (child := beside(run, name)) is not None and child.name != run.name:
                return child, event
            case "state", {"state": str(state)} if state in _GOES_ON:
                return None
    return None
