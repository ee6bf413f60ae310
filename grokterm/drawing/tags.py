"""Tags: a character on a curve that says whose it is, where the curve is by itself; for charts of many like curves."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grokterm.drawing.axes import Frame

LEAST_COLUMNS = 24
"""In a narrower plot tags would hide more than they tell."""
APART = 40
"""Cells from one tag of a curve to its next."""


@dataclass(frozen=True, eq=False, slots=True)
class Tagged:
    """A drawn curve: its tag ("" for none), its style, and the cells (rows, columns) that it goes through."""

    tag: str
    style: str
    cells: NDArray[np.bool_]


def draw_tags(frame: Frame, curves: Sequence[Tagged]) -> None:
    """Put every tag on cells of its own curve that no other curve goes through; the tags stand side by side.

    A curve that is nowhere by itself gets none, for it would be taken for another's.
    """
    tagged = [curve for curve in curves if curve.tag]
    if frame.columns < LEAST_COLUMNS or len(tagged) < 2:
        return
    shared = np.sum([curve.cells for curve in curves], axis=0)
    rounds = max(1, frame.columns // APART)
    for index, curve in enumerate(tagged):
        rows, columns = np.nonzero(curve.cells & (shared == 1) & (curve.cells.sum(axis=0) == 1))
        for turn in range(rounds if len(columns) else 0):
            wanted = ((index + 0.5) / len(tagged) + turn) * frame.columns / rounds
            nearest = int(np.argmin(np.abs(columns - wanted)))
            frame.canvas.write(int(rows[nearest]), frame.left + int(columns[nearest]), curve.tag, curve.style)
