"""The runs that everything is compared with: tiny ones that nobody disturbed, a full checkpoint at every step."""

from dataclasses import dataclass
from pathlib import Path

from grokterm.run.directory import RunDirectory
from tests.faults import tiny
from tests.faults.trainers import finish


@dataclass(frozen=True)
class Undisturbed:
    """`long` is disturbed again and again. In `short`, every operation is the one that goes wrong, once."""

    long: RunDirectory
    short: RunDirectory


def train_undisturbed(folder: Path) -> Undisturbed:
    """Train both."""
    runs = Undisturbed(long(folder / "whole"), short(folder / "whole-short"))
    for run in (runs.long, runs.short):
        finish(run, full_seconds=-1.0)
    return runs


def long(folder: Path) -> RunDirectory:
    """A long run that has not begun."""
    return tiny.make(folder, 160, also=20)


def short(folder: Path) -> RunDirectory:
    """A short run that has not begun."""
    return tiny.make(folder, 12)
