"""The runs of the browser without its screen: which are shown, in what order, at which one the person is."""

import math
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from grokterm.run.configuration import setting_names
from grokterm.run.directory import RunDirectory
from grokterm.run_filter import RunFilter, understand, without_begun_key
from grokterm.summary import Summary


@dataclass(frozen=True)
class Order:
    """What runs are sorted by: the title of its column, and what is compared; the least comes first."""

    title: str
    key: Callable[[Summary], Any]


def _number(value: float | None) -> float:
    """Runs that record no such number, or none that is one, come last."""
    return math.inf if value is None or math.isnan(value) else value


ORDERS = (
    Order("started", lambda run: -run.started),
    Order("name", lambda run: run.name.casefold()),
    Order("state", lambda run: (run.state, -run.started)),
    Order("step", lambda run: -run.step),
    Order("test loss", lambda run: _number(run.test_loss)),
    Order("test acc", lambda run: _number(-run.test_accuracy if run.test_accuracy is not None else None)),
    Order("grokked at", lambda run: _number(run.grokked_at)),
    Order("size", lambda run: -run.size),
)


@dataclass(frozen=True)
class Browsing:
    """How a person browses: kept while a run is looked at, so that the list is as it was on the way back."""

    filter: str = ""
    order: int = 0
    cursor: Path | None = None
    marked: tuple[Path, ...] = ()
    notice: str = ""


@dataclass(frozen=True)
class Choice:
    """What a person wants to see next, and how the browser was left."""

    show: Literal["replay", "compare"]
    runs: tuple[RunDirectory, ...]
    browsing: Browsing


class Shelf:
    """Every run that is there, those that pass the filter in their order, and the place of the cursor.

    The cursor is at a run, not at a line: it stays with it whatever comes, goes or moves. When its run goes, it is at
    the one that took the place.
    """

    def __init__(self, browsing: Browsing) -> None:
        self.filter = browsing.filter
        self.order = browsing.order
        self.marked: dict[Path, None] = dict.fromkeys(browsing.marked)
        self.shown: list[Summary] = []
        self.understood = RunFilter()
        self.index = 0
        self._cursor = browsing.cursor  # None: the first one, whichever that is
        self._all: dict[Path, Summary] = {}
        self._settings: frozenset[str] = frozenset()

    def __len__(self) -> int:
        return len(self._all)

    @property
    def current(self) -> Summary | None:
        """The run that the cursor is at."""
        return self.shown[self.index] if self.shown else None

    @property
    def marked_runs(self) -> list[Summary]:
        """The marked runs in the order in which they were marked, hidden ones too."""
        return [self._all[path] for path in self.marked if path in self._all]

    def browsing(self) -> Browsing:
        """What it takes to come back to this place."""
        return Browsing(self.filter, self.order, self._cursor, tuple(self.marked))

    def take(self, summaries: Iterable[Summary]) -> bool:
        """Add runs, or what is new of them; says whether anything changed."""
        changed = [summary for summary in summaries if self._all.get(summary.path) is not summary]
        if changed:
            self._all.update((summary.path, summary) for summary in changed)
            self._settings |= setting_names(summary.config for summary in changed)
            self.arrange()
        return bool(changed)

    def keep(self, paths: Collection[Path]) -> bool:
        """Forget the runs that are not among these; says whether there were any."""
        gone = self._all.keys() - set(paths)
        for path in gone:
            del self._all[path]
        self.marked = {path: None for path in self.marked if path in self._all}
        if gone:
            self.arrange()
        if self._cursor not in self._all and self.current is not None and self._cursor is not None:
            self._cursor = self.current.path
        return bool(gone)

    def drop(self, path: Path) -> None:
        """Forget one run."""
        self.keep(self._all.keys() - {path})

    def replace(self, path: Path, summary: Summary) -> None:
        """Put a run that was renamed in its old place: cursor and mark go along."""
        self._all.pop(path, None)
        self._all[summary.path] = summary
        self.marked = {summary.path if marked == path else marked: None for marked in self.marked}
        if self._cursor == path:
            self._cursor = summary.path
        self.arrange()

    def narrow(self, text: str, *, typing: bool = False) -> None:
        """Show only what fits a filter, as far as it can be understood.

        While it is being typed, half a key hides no run: the list would be empty for as long as it takes to type.
        """
        self.filter = text
        self.arrange()
        if typing and not self.shown:
            self._fill(understand(without_begun_key(text, self._settings), self._settings))

    def sort(self, by: int) -> None:
        """Go on to the next order, or back to the one before."""
        self.order = (self.order + by) % len(ORDERS)
        self.arrange()

    def arrange(self) -> None:
        """Filter and sort anew; the cursor stays with its run where that is still shown."""
        self._fill(understand(self.filter, self._settings))

    def _fill(self, understood: RunFilter) -> None:
        self.understood = understood
        shown = [summary for summary in self._all.values() if self.understood.holds(summary)]
        shown.sort(key=lambda run: run.name, reverse=True)
        shown.sort(key=ORDERS[self.order].key)
        self.shown = shown
        at = next((index for index, run in enumerate(shown) if run.path == self._cursor), None)
        self.index = at if at is not None else max(min(self.index, len(shown) - 1), 0)

    def move(self, by: int) -> None:
        """Move the cursor by so many lines, as far as there are any."""
        if self.shown:
            self.index = max(min(self.index + by, len(self.shown) - 1), 0)
            self._cursor = self.shown[self.index].path

    def go_to(self, path: Path) -> None:
        """Put the cursor at a run, now or as soon as it is shown."""
        self._cursor = path
        self.arrange()

    def mark(self) -> None:
        """Mark the run at the cursor, or take its mark away."""
        if self.current is not None:
            path = self.current.path
            if path in self.marked:
                del self.marked[path]
            else:
                self.marked[path] = None
