"""Reads numbers back from drawn rows: the levels of a map's colours, and where dots of braille are."""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from grokterm.drawing.cells import Row

_LEVELS = re.compile(r"(map|around)(\d+)(?:\.(\d+))?")
NONE = -1
"""What stands where a cell has no colour of a map."""


def text_of(rows: Sequence[Row]) -> list[str]:
    """The rows without styles."""
    return ["".join(span.text for span in row) for row in rows]


def levels_of(rows: Sequence[Row]) -> NDArray[np.int64]:
    """Two levels a cell, (2 · rows, columns): of the upper and of the lower half."""
    found = np.full((2 * len(rows), sum(len(span.text) for span in rows[0])), NONE)
    for y, row in enumerate(rows):
        x = 0
        for span in row:
            style = _LEVELS.fullmatch(span.style)
            for sign in span.text:
                if style is not None and sign in "▀▄":
                    upper, lower = int(style[2]), NONE if style[3] is None else int(style[3])
                    found[2 * y, x], found[2 * y + 1, x] = (upper, lower) if sign == "▀" else (NONE, upper)
                x += 1
    return found


def map_of(rows: Sequence[Row]) -> NDArray[np.int64]:
    """The levels of the one map in a drawing, without what surrounds it; the row of its scale has none of its signs."""
    levels = levels_of(rows)
    there = levels != NONE
    return levels[np.ix_(there.any(axis=1), there.any(axis=0))]


def dots_of(rows: Sequence[Row], style: str) -> NDArray[np.float64]:
    """Where dots of braille in a style are, (n, 2): x from the left and y from the top, in widths of a cell."""
    places: list[tuple[float, float]] = []
    offsets = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3))
    for y, row in enumerate(rows):
        x = 0
        for span in row:
            for sign in span.text:
                bits = ord(sign) - 0x2800 if span.style == style and 0x2800 <= ord(sign) < 0x2900 else 0
                places += [
                    (x + (across + 0.5) / 2, 2 * y + (down + 0.5) / 2)
                    for bit, (across, down) in enumerate(offsets)
                    if bits >> bit & 1
                ]
                x += 1
    return np.array(places).reshape(-1, 2)
