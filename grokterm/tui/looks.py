"""How a person looks at a run: the range of steps, the cursor, the axes. Shared by all panels; pure."""

import math
from dataclasses import dataclass, field, replace
from typing import Self

from grokterm.drawing.cells import Markers

LEAST_SPAN = 10.0
"""Steps that a zoom can go down to."""


@dataclass(frozen=True, slots=True)
class Looks:
    """The person's choices. `cursor` None follows the newest step; `span` None shows everything.

    flipped_y: digits of the panels whose y axis is not the panel's default. waterfall: bars become frequency × step.
    a, b: the steps of the person's two marks.
    """

    cursor: int | None = None
    span: tuple[float, float] | None = None
    log_x: bool = False
    flipped_y: frozenset[int] = field(default_factory=frozenset)
    smooth: bool = False
    waterfall: bool = False
    markers: Markers = "braille"
    a: int | None = None
    b: int | None = None

    def shown(self, last: int) -> tuple[float, float]:
        """The first and last step in view when training has reached `last`."""
        return self.span or (0.0, float(max(last, 1)))

    def moved(self, cells: int, columns: int, last: int) -> Self:
        """The cursor moved by so many cells of a plot `columns` wide; the view moves along when it leaves it."""
        low, high = self.shown(last)
        at = float(last if self.cursor is None else self.cursor)
        if self.log_x:
            low_log, high_log, at_log = (math.log10(max(x, 1.0)) for x in (low, high, at))
            there = 10 ** (at_log + cells * (high_log - low_log) / max(columns, 1))
            step = round(there) if abs(there - at) >= 1 else round(at) + (1 if cells > 0 else -1)
        else:
            stride = (high - low) / max(columns, 1)
            step = round(at + cells * stride) if abs(cells) * stride >= 1 else round(at) + (1 if cells > 0 else -1)
        return self.at(min(max(step, 0), last))

    def at(self, step: int) -> Self:
        """The cursor on a step, the view moved along if need be."""
        span = self.span
        if span is not None and not span[0] <= step <= span[1]:
            shift = step - span[0] if step < span[0] else step - span[1]
            span = (span[0] + shift, span[1] + shift)
        return replace(self, cursor=step, span=span)

    def zoomed(self, factor: float, last: int) -> Self:
        """The view `factor` times as wide around the cursor; everything once it holds everything."""
        low, high = self.shown(last)
        centre = float(last if self.cursor is None else self.cursor)
        width = max((high - low) * factor, LEAST_SPAN)
        if width >= max(last, 1):
            return replace(self, span=None)
        left = min(max(centre - width * (centre - low) / max(high - low, 1e-9), 0.0), max(last - width, 0.0))
        return replace(self, span=(left, left + width))

    def followed(self, last: int) -> Self:
        """What is shown while following: a zoomed view slides along with the newest step."""
        if self.cursor is not None or self.span is None or last <= self.span[1]:
            return self
        width = self.span[1] - self.span[0]
        return replace(self, span=(last - width, float(last)))

    def is_log_y(self, digit: int, default: bool) -> bool:
        """Whether a panel's y axis is logarithmic."""
        return default != (digit in self.flipped_y)

    def with_flipped_y(self, digit: int) -> Self:
        """The other kind of y axis for a panel."""
        return replace(self, flipped_y=self.flipped_y ^ {digit})
