"""Which colour, or which shade where there are no colours, stands for which number; and the row that says so."""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from grokterm.drawing.cells import Markers, Span, glyphs_for
from grokterm.drawing.colour_map import LEVELS, Kind
from grokterm.drawing.ticks import format_value

Floats = NDArray[np.float64]
DECADES = 6.0
"""A logarithmic scale reaches down so far below its largest value; what is smaller has its lowest colour."""
LONGEST = 16
"""Cells of a scale that shows colours."""


@dataclass(frozen=True, slots=True)
class Scale:
    """From which number to which the colours go; with `log` by the logarithm. kind "around": zero is in the middle."""

    low: float
    high: float
    kind: Kind = "map"
    log: bool = False

    @classmethod
    def of(cls, values: NDArray[np.floating], *, from_zero: bool = True, log: bool = False) -> Self:
        """For numbers ≥ 0: from zero, or from the lowest, to the highest; numbers that are not finite do not count."""
        finite = values[np.isfinite(values)].astype(np.float64)
        high = float(finite.max(initial=0.0))
        if not log:
            low = 0.0 if from_zero else float(finite.min(initial=high))
            return cls(low, high)
        lowest = float(finite[finite > 0].min(initial=high or 1.0))
        return cls(max(lowest, high * 10**-DECADES), high, log=True)

    @classmethod
    def around_zero(cls, values: NDArray[np.floating]) -> Self:
        """For numbers of both signs: as far below zero as above it."""
        finite = values[np.isfinite(values)].astype(np.float64)
        largest = float(np.abs(finite).max(initial=0.0))
        return cls(0.0 - largest, largest, "around")

    def levels(self, values: Floats, count: int) -> NDArray[np.intp]:
        """The level of each number, 0 … count − 1; numbers outside have the first and the last one, NaN the first."""
        low, high = (
            (math.log10(self.low), math.log10(self.high)) if self.log and self.high > 0 else (self.low, self.high)
        )
        if not high > low:
            return np.full(values.shape, count // 2 if self.kind == "around" else 0, dtype=np.intp)
        if self.log:
            values = np.log10(np.maximum(values, self.low))
        parts = (np.nan_to_num(np.clip(values, low, high), nan=low) - low) / (high - low)
        return np.minimum((parts * count).astype(np.intp), count - 1)


def has_blocks(markers: Markers, colours: int) -> bool:
    """Whether a terminal shows two colours in a cell; else a cell has one shade."""
    return markers != "ascii" and colours > 16


def shades(kind: Kind, markers: Markers) -> tuple[str, tuple[str, ...]]:
    """The signs that stand for numbers without colours, lowest first, and the style of each."""
    glyphs = glyphs_for(markers)
    if kind == "map":
        return glyphs.heat, tuple(f"heat{level}" for level in range(len(glyphs.heat)))
    half = len(glyphs.around) // 2
    return glyphs.around, (*["below"] * half, "", *["above"] * half)


def scale_spans(scale: Scale, room: int, *, markers: Markers, colours: int) -> tuple[Span, ...]:
    """The colours from the lowest to the highest between their numbers, in at most `room` cells; () without room."""
    at_most = glyphs_for(markers).at_most if scale.log else ""
    low = Span(f"{at_most}{format_value(scale.low)} ", "value")
    high = Span(f" {format_value(scale.high)}", "value")
    room -= len(low.text) + len(high.text)
    if has_blocks(markers, colours):
        count = min(LONGEST, room)
        levels = np.linspace(0, LEVELS[scale.kind] - 1, 2 * max(count, 1)).round().astype(int).tolist()
        pairs = zip(levels[::2], levels[1::2], strict=True)
        cells = tuple(Span("▌", f"{scale.kind}{left}.{right}") for left, right in pairs)
        return (low, *cells, high) if count >= LONGEST // 4 else ()
    signs, styles = shades(scale.kind, markers)
    each = min(2, room // len(signs))
    cells = tuple(Span(sign * each, style) for sign, style in zip(signs, styles, strict=True))
    return (low, *cells, high) if each else ()
