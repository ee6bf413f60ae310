"""Dots in cells: turns ranges of dot rows into braille, quadrant or ASCII characters, whole grids at a time."""

import numpy as np
from numpy.typing import NDArray

from grokterm.drawing.cells import Markers, Pattern

DOTS: dict[Markers, tuple[int, int]] = {"braille": (2, 4), "block": (2, 2), "ascii": (1, 1)}  # across, down
BITS: dict[Markers, NDArray[np.uint8]] = {  # (down, across)
    "braille": np.array([[1, 8], [2, 16], [4, 32], [64, 128]], dtype=np.uint8),
    "block": np.array([[1, 2], [4, 8]], dtype=np.uint8),
    "ascii": np.array([[1]], dtype=np.uint8),
}
_QUADRANTS = np.array([ord(char) for char in " ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█"], dtype=np.uint32)
_SHOWN: dict[Pattern, tuple[int, int]] = {
    "solid": (1, 1),
    "long": (13, 16),
    "dash": (5, 8),
    "dot": (1, 3),
    "thick": (1, 1),
}  # dots shown, of how many


def dot_rows(values: NDArray[np.float64], low: float, high: float, rows: int) -> NDArray[np.intp]:
    """The dot row of every value, 0 at the top (`high`); values outside go to the edge, NaN to row 0."""
    inside = np.clip(np.nan_to_num(values, nan=high, posinf=high, neginf=low), low, high)
    part = (inside / 2 - low / 2) / (high / 2 - low / 2)  # halves: high - low may overflow
    return np.rint((1 - part) * (rows - 1)).astype(np.intp)


def shown_columns(
    top: NDArray[np.intp], bottom: NDArray[np.intp], present: NDArray[np.bool_], pattern: Pattern
) -> NDArray[np.bool_]:
    """The dot columns in which a curve is drawn: a pattern leaves gaps, but only where nothing happens.

    In a gap the curve is at most two dots high, unbroken, and no higher or lower than beside the gap.
    """
    shown, period = _SHOWN[pattern]
    if shown == period or len(top) < 3:
        return present
    column = np.arange(len(top))
    phase = column % period
    before = np.clip(column - (phase - shown + 1), 0, len(top) - 1)  # the drawn columns on either side of the gap
    after = np.minimum(column + (period - phase), len(top) - 1)
    gap: NDArray[np.bool_] = (phase >= shown) & (bottom - top <= 1) & present[before] & present[after]
    gap &= (top >= np.minimum(top[before], top[after])) & (bottom <= np.maximum(bottom[before], bottom[after]))
    gap[1:-1] &= present[:-2] & present[2:]
    gap[0] = gap[-1] = False
    drawn: NDArray[np.bool_] = present & ~gap
    return drawn


def thickened(
    top: NDArray[np.intp], bottom: NDArray[np.intp], present: NDArray[np.bool_], rows: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The ranges of a curve that is one dot more below, above in the last row, and to the right."""
    high, low = np.where(bottom + 1 < rows, top, np.maximum(top - 1, 0)), np.minimum(bottom + 1, rows - 1)
    joined = present[1:] & present[:-1]
    wider_high, wider_low = high.copy(), low.copy()
    wider_high[1:][joined] = np.minimum(high[1:], high[:-1])[joined]
    wider_low[1:][joined] = np.maximum(low[1:], low[:-1])[joined]
    return wider_high, wider_low


def cell_bits(
    top: NDArray[np.intp], bottom: NDArray[np.intp], shown: NDArray[np.bool_], rows: int, markers: Markers
) -> NDArray[np.uint8]:
    """The lit dots of every cell (rows, columns) as bits, for one range of dot rows a dot column."""
    across, down = DOTS[markers]
    row = np.arange(rows * down)[:, np.newaxis]
    lit = (row >= np.where(shown, top, rows * down)) & (row <= bottom)
    grid = lit.view(np.uint8).reshape(rows, down, -1, across)
    bits: NDArray[np.uint8] = np.einsum("ydxa,da->yx", grid, BITS[markers])
    return bits


def characters(bits: NDArray[np.uint8], markers: Markers) -> NDArray[np.uint32]:
    """The code points of cells with these dots."""
    return bits.astype(np.uint32) + 0x2800 if markers == "braille" else _QUADRANTS[bits]
