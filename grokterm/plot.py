"""Charts that are printed once, drawn by plotext: the closing report of a headless run and `grokterm plot`.

plotext 6.1 aborts the process on NaN and on points far outside its limits, and knows no logarithm of 0. So it gets
nothing raw: the envelope of every curve at the chart's own resolution, as numbers of dots inside the plot, and labels
that are ready. A column of dots is one upright stroke from the curve's lowest to its highest value there; neighbouring
strokes meet (`grokterm.envelope`), and where a curve is not finite there is no stroke.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grokterm.envelope import envelope, undrawable
from grokterm.history import History
from grokterm.tui.axes import Limits, linear_limits, log_limits, step_limits
from grokterm.tui.cells import Markers, glyphs_for, one_cell_each
from grokterm.tui.dots import dot_rows
from grokterm.tui.ticks import across, upward

SIGNS: dict[Markers, tuple[str, ...]] = {
    "braille": ("braille", "hd", "x", "o", "+"),  # plotext's names; a sign for every curve, coloured or not
    "block": ("hd", "x", "o", "+", "*"),
    "ascii": ("*", "o", "x", "+", "#"),
}
SHOWN_AS = {"braille": "⣿", "hd": "▞"}
COLOURS = (74, 214, 36, 175, 145)  # of 256: the Okabe-Ito sky blue, orange, green, purple, and grey
LEAST_COLUMNS, LEAST_ROWS = 10, 3
_DOTS = 2, 4  # of a cell, across and down: those of braille; plotext rounds them to what a coarser marker has
_ASCII_FRAME = str.maketrans("┤└┬─│┴├┼", "|+++|+|+" if False else "|++-|+|+")


@dataclass(frozen=True, eq=False)
class Curve:
    """A curve over steps: x never decreases, y holds any values."""

    label: str
    x: NDArray[np.int64] | NDArray[np.float64]
    y: NDArray[np.float64]


@dataclass(frozen=True)
class Boundary:
    """A step from which something has another name."""

    label: str
    at: float
