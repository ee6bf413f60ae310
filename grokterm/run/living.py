"""Runs that are being trained now: the newest of a folder, and why a run that somebody means is none of them."""

import contextlib
import shlex
from collections.abc import Sequence
from pathlib import Path

from grokterm.errors import RunError
from grokterm.run.directory import RunDirectory
from grokterm.run.events import Event, LineTail, event_from
from grokterm.run.finding import find, runs_in
from grokterm.run.lineage import beside
from grokterm.run.lock import is_alive
from grokterm.run.outcome import INTERRUPTED, Outcome, standing
from grokterm.run.story import Story

_GOES_ON = frozenset({"training", "resumed", "paused"})


def find_living(folder: Path, reference: str = "-") -> RunDirectory:
    """Return the run that `reference` names (see `find`) when somebody trains it; "-" or "" is the newest of those.

    Raises RunError that says how the run stands and what can be done with it.
    """
    if reference not in ("", "-"):
        run = find(folder, reference)
        if not is_alive(run):
            raise not_trained(run)
        return run
    newest = None
    for run in runs_in(folder):
        newest = newest or run
        with contextlib.suppress(RunError):  # a lock that cannot be read is not in the way of the others
            if is_alive(run):
                return run
    if newest is None:
        raise RunError(f"there is no run in {folder}; `grokterm run mod113-quick` makes one")
    raise RunError(f"no run in {folder} is being trained; of the newest: {not_trained(newest)}")


def not_trained(run: RunDirectory) -> RunError:
    """The error about a run that nobody trains: how it ended, and the command that shows it or goes on with it."""
    story, outcome = Story(), Outcome()
    for line in LineTail(run.events_path).new():
        if (event := event_from(line)) is not None:
            story.add(event)
    for event in story.events:
        outcome.take_in(event)
    if (left := went_on_in(run, story.events)) is not None:
        child, event = left
        goes_on = f"training left {run.name} at step {event.step:,} for a fork of it"
        return RunError(f"{goes_on}; `grokterm attach {_quoted(child.path)}` shows that one")
    state = standing(outcome.state, alive=False)
    ended = f"nobody trains {run.name}: it {_ENDS.get(state, f'is {state}')} at step {outcome.step:,}"
    shows, goes_on = f"`grokterm replay {_quoted(run.path)}` shows it", f"`grokterm resume {_quoted(run.path)}`"
    if state == INTERRUPTED:
        return RunError(f"{ended}; {goes_on} goes on with it")
    more = " --steps N" if state == "finished" else ""
    return RunError(f"{ended}; {shows}, {goes_on[:-1]}{more}` goes on with it")


def _quoted(path: Path) -> str:
    """A path as it can be given to any command."""
    return shlex.quote(str(path))


_ENDS = {"finished": "finished", "stopped": "was stopped", "failed": "failed", INTERRUPTED: "was interrupted"}


def went_on_in(run: RunDirectory, events: Sequence[Event]) -> tuple[RunDirectory, Event] | None:
    """The fork for which training left a run, and the event that says so; None when it did not.

    `events` are those of the run that hold. A run that was resumed after it was left has gone on itself.
    """
    for event in reversed(events):
        match event.kind, event.data:
            case "fork", {"run": str(name)} if (child := beside(run, name)) is not None:
                return child, event
            case "state", {"state": str(state)} if state in _GOES_ON:
                return None
    return None
