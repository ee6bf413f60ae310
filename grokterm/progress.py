"""How far an export or an import is: what the one who writes it tells, and the bar on stderr that shows it."""

import os
import sys
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress


class Progress(Protocol):
    """Told how far something is, in any unit: how much there is to do, then how much more has been done."""

    def begin(self, total: int, before: int = 0) -> None:
        """Say how much there is to do in all, and how much of it was done before."""
        ...

    def advance(self, more: int) -> None:
        """Say how much more has been done."""
        ...


class Bar:
    """A Progress as a context manager: shown while it is open, gone afterwards; nothing where stderr is no terminal.

    counted: whether the unit is one that people count, so that numbers say more than a percentage; there is no bar then
    before it is known how many there are.
    """

    def __init__(self, label: str, *, counted: bool = False) -> None:
        self._label = label
        self._bar = RichProgress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn() if counted else TaskProgressColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
            disable=not sys.stderr.isatty() or os.environ.get("TERM", "") in ("", "dumb", "unknown"),
        )
        self._task = self._bar.add_task(label, total=None, visible=not counted)

    def begin(self, total: int, before: int = 0) -> None:
        """Say how much there is to do in all, and how much of it was done before."""
        label = f"{self._label}, {before:,} were there already" if before else self._label
        self._bar.update(self._task, description=label, total=total, completed=before, visible=True)

    def advance(self, more: int) -> None:
        """Say how much more has been done."""
        self._bar.advance(self._task, more)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()
