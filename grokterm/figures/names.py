"""Where the names of phases and interventions stand above a plot: in rows, none over another, none crossed by a line.

All lengths are points. Row 0 is the lowest. Pure.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from grokterm.charts import Moments
from grokterm.drawing.axes import Limits

ROW = 9.5
"""From one row to the next."""
GAP = 3.0
MOST_ROWS = 3
"""Of interventions, and of phases that are too narrow; what finds no room in them has its line and no name."""
MOST_BEYOND = 80.0
"""How far a name may reach beyond the plot's right edge."""


@dataclass(frozen=True)
class Name:
    """A name: its text, where it begins from the plot's left edge, its row, and where its line is; None without one."""

    text: str
    left: float
    row: int
    line: float | None = None


@dataclass(frozen=True)
class Names:
    """Every name above a plot, how many rows they take, and how many marks have none."""

    phases: tuple[Name, ...] = ()
    marks: tuple[Name, ...] = ()
    nameless: int = 0

    @property
    def rows(self) -> int:
        """Rows that all take together."""
        return 1 + max((name.row for name in (*self.phases, *self.marks)), default=-1)

    def beyond(self, width: float, length: Callable[[str], float]) -> float:
        """How far the longest reaches beyond a plot of this width."""
        return max((name.left + length(name.text) - width for name in (*self.phases, *self.marks)), default=0.0)


def placed(moments: Moments, over: Limits, width: float, length: Callable[[str], float]) -> Names:
    """Place all names over a plot of this width. A phase that is wide enough has its name inside its width, in row 0.

    Every other name begins at its line, a row higher than the lines that it passes over.
    """
    marks = [(mark.label, over.part(mark.x) * width) for mark in moments.marks if mark.label]
    wide: list[Name] = []
    narrow: list[tuple[str, float]] = []
    for phase in moments.phases:
        start, end = (min(max(over.part(step), 0.0), 1.0) * width for step in (phase.start, phase.end))
        room = length(phase.label) + 2 * GAP
        if room <= end - start:
            wide.append(Name(phase.label, _between(start, end, room, [line for _, line in marks]) + GAP, 0))
        else:
            narrow.append((phase.label, start))
    above = _climbing(narrow, length, 1 if wide else 0)
    lowest = 1 + max((name.row for name in (*wide, *above)), default=-1)
    named = _climbing(marks, length, lowest)
    return Names((*wide, *above), tuple(named), len(marks) - len(named))


def _between(start: float, end: float, room: float, lines: Sequence[float]) -> float:
    """Where in a width something begins that needs room: in its middle, or where the nearest line leaves that room."""
    middle = (start + end - room) / 2
    inside = sorted({start, end, *(line for line in lines if start < line < end)})
    free = [(low, high) for low, high in pairwise(inside) if high - low >= room]
    places = [min(max(middle, low), high - room) for low, high in free]
    return min(places, key=lambda place: abs(place - middle), default=middle)


def _climbing(wanted: Sequence[tuple[str, float]], length: Callable[[str], float], lowest: int) -> list[Name]:
    """Names that begin at their lines, from the right: each in the first row above those that it would run into."""
    names: list[Name] = []
    for text, line in sorted(wanted, key=lambda one: -one[1]):
        left = line + GAP / 2
        end = left + length(text) + GAP
        passed = [name.row for name in names if name.line is not None and name.line < end]
        row = 1 + max(passed, default=lowest - 1)
        if row < lowest + MOST_ROWS:
            names.append(Name(text, left, row, line))
    return names
