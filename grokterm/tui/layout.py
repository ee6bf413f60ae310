"""Where things go on a terminal of any size; pure, in cells."""

from collections.abc import Collection
from dataclasses import dataclass

PANEL_WIDTH = 58
PANEL_HEIGHT = 13
LOG_DIGIT = 7
NARROW = 100
"""Below this width one panel is shown at a time, picked by its digit."""

ORDER = (1, 4, 3, 2, 5, 6)
"""Panels in the order in which they get a place: loss and spectrum side by side, then norm and accuracy."""
INSTEAD = (9, 8)
"""Panels that take the places of those for which a run records nothing."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Rows of panel digits, the heights of the parts around them, and whether the panels have frames."""

    grid: tuple[tuple[int, ...], ...]
    header: int
    log: int
    footer: int
    framed: bool


def arrange(
    width: int, height: int, chosen: int, *, zoomed: bool, log_digit: int, filled: Collection[int] = ORDER
) -> Layout:
    """Lay out panels on a terminal of width × height; `chosen` is the panel that must be visible.

    filled: the panels that have something to show, where that is known.
    """
    header = 2 if height >= 8 else 1 if height >= 4 else 0
    footer = 1 if height >= 6 else 0
    framed = height >= 12 and width >= 30
    left = height - header - footer
    if width < NARROW or left < PANEL_HEIGHT or zoomed:
        log = 0 if chosen == log_digit else 3 if left >= 40 else 2 if left >= 20 else 0
        return Layout(((chosen,),), header, log, footer, framed)
    columns = min(3, max(2, width // PANEL_WIDTH))
    rows = 2 if left >= 2 * PANEL_HEIGHT else 1
    log = 8 if left - rows * 18 >= 8 else min(left - rows * PANEL_HEIGHT, 4)
    ranked = [digit for digit in (*ORDER, *INSTEAD) if digit in filled]
    places = (*ranked, *(digit for digit in ORDER if digit not in ranked))[: rows * columns]
    if chosen not in places and chosen != log_digit:
        places = (*places[:-1], chosen)
    if chosen == log_digit:
        places, log = (*places[:-1], log_digit), 0
    grid = tuple(places[row * columns : (row + 1) * columns] for row in range(rows))
    return Layout(tuple(row for row in grid if row), header, log, footer, framed)
