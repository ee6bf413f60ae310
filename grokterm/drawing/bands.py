"""Bands: the range between the lowest and the highest of several curves, shaded below every line of a chart."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grokterm.drawing.axes import Frame, Limits
from grokterm.drawing.cells import Markers
from grokterm.drawing.dots import DOTS, cell_bits, characters, dot_rows
from grokterm.drawing.envelope import envelope

Floats = NDArray[np.float64]

_SHADES: dict[Markers, tuple[int, ...]] = {"braille": (0x21, 0x0C, 0x50, 0x82), "block": (9, 6), "ascii": (1,)}
"""Which dots of a cell a band leaves lit; neighbouring bands differ."""
_ASCII_SHADE = "."


@dataclass(frozen=True, eq=False, slots=True)
class Band:
    """A range over steps, drawn in style "STYLE.faint": x never decreases, low ≤ high, NaN where there is none."""

    x: Floats | NDArray[np.int64]
    low: Floats
    high: Floats
    style: str


@dataclass(frozen=True, eq=False, slots=True)
class Shaded:
    """A band's lowest and highest value in every dot column, in drawn coordinates, NaN where it is absent."""

    style: str
    low: Floats
    high: Floats


def shaded(bands: Sequence[Band], over: Limits, columns: int, markers: Markers, *, log_y: bool) -> list[Shaded]:
    """The ranges of bands in a plot of so many cells. On a log axis a band that reaches to 0 has no lowest value."""
    edges = np.linspace(over.low, over.high, columns * DOTS[markers][0] + 1)
    return [
        Shaded(
            f"{band.style}.faint",
            envelope(band.x, band.low, edges, log_x=over.log, log_y=log_y)[0],
            envelope(band.x, band.high, edges, log_x=over.log, log_y=log_y)[1],
        )
        for band in bands
    ]


def paint_bands(
    frame: Frame, dots: NDArray[np.uint8], ranges: Sequence[Shaded], limits: Limits, markers: Markers
) -> None:
    """Add bands to the dots of every cell and to the canvas, before any line."""
    codes = frame.canvas.codes[: frame.rows, frame.left :]
    styles = frame.canvas.styles[: frame.rows, frame.left :]
    rows = frame.rows * DOTS[markers][1]
    for index, band in enumerate(ranges):
        top = dot_rows(band.high, limits.low, limits.high, rows)
        bottom = dot_rows(np.where(np.isnan(band.low), limits.low, band.low), limits.low, limits.high, rows)
        shades = _SHADES[markers]
        bits = cell_bits(top, bottom, np.isfinite(band.high), frame.rows, markers) & shades[index % len(shades)]
        lit = bits > 0
        if markers == "ascii":
            codes[lit] = ord(_ASCII_SHADE)
        else:
            dots |= bits
            codes[lit] = characters(dots, markers)[lit]
        styles[lit] = frame.canvas.style(band.style)
