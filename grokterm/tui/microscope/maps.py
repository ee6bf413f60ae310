"""What the microscope's maps share: residues in the order of a frequency, and how colours are chosen."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grokterm.circuit.embedding import around
from grokterm.drawing.beside import beside, fitted
from grokterm.drawing.blocks import Pooling
from grokterm.drawing.cells import Row, Span, row_of
from grokterm.drawing.chart import draw_bars
from grokterm.drawing.colour_scale import Scale
from grokterm.drawing.heatmap import GAP, HeatMap, Look, draw_heatmaps, natural_width
from grokterm.drawing.map_axes import Axis
from grokterm.tui.microscope.lens import Sight
from grokterm.tui.panel import Picture

SPECTRUM_FROM = 28
"""Cells beside a map from which a spectrum is drawn there."""
AROUND_TITLE = 6
"""Cells of a picture's width that are not its title's: its key before it, and the frame."""


@dataclass(frozen=True, eq=False, slots=True)
class Residues:
    """The residues along a side of a map: `order` has the one at each place, k · x mod p ascending, or 0, 1, 2 …"""

    order: NDArray[np.intp]
    frequency: int | None

    @classmethod
    def along(cls, p: int, frequency: int | None, *, reordered: bool) -> "Residues":
        """In the order of a frequency, where that is wanted and there is one."""
        if frequency in (None, 1) or not reordered:
            return cls(np.arange(p), None)
        return cls(around(p, frequency), frequency)

    def arranged(self, values: NDArray[np.floating]) -> NDArray[np.floating]:
        """A function of (a, b) (p, p) with rows and columns in this order."""
        return values[np.ix_(self.order, self.order)]

    def axis(self, name: str) -> Axis:
        """The axis of a or b: of k · a mod p."""
        return Axis(name if self.frequency is None else f"{self.frequency}{name}")

    def remarks(self, whose: str = "") -> tuple[str, ...]:
        """How a title says it, longest first, "" for the usual order. whose: what has that frequency."""
        if self.frequency is None:
            return ("",)
        plain = f"order {self.frequency}·x mod {len(self.order)}"
        named = f"{plain} of {whose}" if whose else plain
        return f"{named} (o: 0, 1, 2 …)", named, plain, f"order {self.frequency}·x"

    def place(self, cursor: tuple[int, int] | None) -> tuple[int, int] | None:
        """The column and the row at which a cursor's residues stand."""
        if cursor is None:
            return None
        column, row = (int(np.flatnonzero(self.order == residue)[0]) for residue in cursor)
        return column, row

    def period(self, frequency: int) -> float:
        """How many places a wave of a frequency is long in this order; infinite where it is no wave in it."""
        p, step = len(self.order), 1 if self.frequency is None else self.frequency
        if math.gcd(step, p) > 1:  # several residues share a place on the circle
            return p if frequency == step else math.inf
        seen = frequency * pow(step, -1, p) % p
        return p / min(seen, p - seen) if seen else math.inf


def looked(sight: Sight, scale: Scale, pooling: Pooling = "mean") -> Look:
    """How a map is drawn."""
    return Look(scale, pooling, sight.markers, sight.colours)


def too_fine(residues: Residues, frequencies: Sequence[int], width: int, height: int) -> tuple[int, str]:
    """Which of these frequencies' waves is the finest, and what is to be said where blocks of a map blur it, or ""."""
    if not frequencies:
        return 0, ""
    periods = [residues.period(frequency) for frequency in frequencies]
    period = min(periods)
    blurred = min(width - 4, 2 * (height - 2)) * period < 2 * len(residues.order)
    return periods.index(period), f"period {period:.3g}, blurred" if blurred else ""


def titled(width: int, *told: str | Sequence[str]) -> str:
    """A title of these parts, each in one way or in several, the longest first: with the longest that have room.

    Parts are shortened from the last to the first. width: of the picture.
    """
    parts = [(part,) if isinstance(part, str) else part for part in told]
    ways = [0] * len(parts)
    for index in range(len(parts) - 1, -1, -1):
        while len(_joined(parts, ways)) > width - AROUND_TITLE and ways[index] < len(parts[index]) - 1:
            ways[index] += 1
    return _joined(parts, ways)


def _joined(parts: Sequence[Sequence[str]], ways: Sequence[int]) -> str:
    return " · ".join(filter(None, (part[way] for part, way in zip(parts, ways, strict=True))))


def component_axis(name: str, keys: tuple[int, ...]) -> Axis:
    """The axis of the components of the Fourier basis, numbered by their frequency: 0, cos 1, sin 1, cos 2 …"""
    return Axis(name, stride=2, offset=-1, keys=keys)


def component(index: int, name: str) -> str:
    """What a component of the Fourier basis is called: 1, cos 14a, sin 14a."""
    return "1" if index == 0 else f"{'sin' if index % 2 == 0 else 'cos'} {(index + 1) // 2}{name}"


@dataclass(frozen=True, eq=False, slots=True)
class Spectrum:
    """Bars that stand beside a map: one a frequency, those of `keys` named, and what they are."""

    values: NDArray[np.floating]
    keys: tuple[int, ...]
    label: str


def draw_with_spectrum(
    title: Sequence[str | Sequence[str]],
    matrix: HeatMap,
    look: Look,
    spectrum: Spectrum | None,
    width: int,
    height: int,
) -> Picture:
    """A map, and beside it a spectrum where the map does not need the room."""
    needed = natural_width(matrix.values.shape[1], width, gutter=5) + 3
    beside_it = width - needed - GAP
    if spectrum is None or beside_it < SPECTRUM_FROM or height < 8:
        drawing = draw_heatmaps([matrix], look, width, height)
        return Picture(titled(width, *title, *drawing.notes), drawing.rows)
    drawing = draw_heatmaps([matrix], look, needed, height)
    bars = draw_bars(
        spectrum.values.astype(np.float64),
        width=beside_it,
        height=height - 1,
        style="bar",
        highlighted={k: str(k) for k in spectrum.keys},
        markers=look.markers,
    )
    label: Row = row_of((Span(spectrum.label, "quiet"),), beside_it, ascii_only=look.markers == "ascii")
    rows = beside([drawing.rows, fitted((label, *bars.rows), beside_it, height)], GAP)
    return Picture(titled(width, *title, *drawing.notes, *bars.notes), rows)
