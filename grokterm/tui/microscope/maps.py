"""What the microscope's maps share: residues in the order of a frequency, and how colours are chosen."""

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


@dataclass(frozen=True, eq=False, slots=True)
class Residues:
    """The residues along a side of a map: `order` has the one at each place, k · x mod p ascending, or 0, 1, 2 …"""

    order: NDArray[np.intp]
    frequency: int | None

    @classmethod
    def along(cls, p: int, frequency: int | None, *, reordered: bool) -> "Residues":
        """In the order of a frequency, where that is wanted and there is one."""
        if frequency is None or not reordered:
            return cls(np.arange(p), None)
        return cls(around(p, frequency), frequency)

    def arranged(self, values: NDArray[np.floating]) -> NDArray[np.floating]:
        """A function of (a, b) (p, p) with rows and columns in this order."""
        return values[np.ix_(self.order, self.order)]

    def axis(self, name: str) -> Axis:
        """The axis of a or b: of k · a mod p."""
        return Axis(name if self.frequency is None else f"{self.frequency}{name}")

    @property
    def remark(self) -> str:
        """How a title says it, "" for the usual order."""
        return "" if self.frequency is None else f"order {self.frequency}·x mod {len(self.order)}"

    def pair(self, column: int, row: int) -> tuple[int, int]:
        """The a and b that stand at a column and a row."""
        return int(self.order[row]), int(self.order[column])


def looked(sight: Sight, scale: Scale, pooling: Pooling = "mean") -> Look:
    """How a map is drawn."""
    return Look(scale, pooling, sight.markers, sight.colours)


def too_fine(p: int, frequency: int | None, residues: Residues, width: int, height: int) -> str:
    """What is to be said where blocks of a map of this size blur the waves of a frequency, "" where they do not."""
    if frequency is None or residues.frequency is not None:
        return ""
    period = p / min(frequency, p - frequency)
    blurred = min(width - 4, 2 * (height - 2)) * period < 2 * p
    return f"period {period:.3g}, blurred" if blurred else ""


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
    title: list[str], matrix: HeatMap, look: Look, spectrum: Spectrum | None, width: int, height: int
) -> Picture:
    """A map, and beside it a spectrum where the map does not need the room."""
    needed = natural_width(matrix.values.shape[1], width, gutter=5) + 3
    beside_it = width - needed - GAP
    if spectrum is None or beside_it < SPECTRUM_FROM or height < 8:
        drawing = draw_heatmaps([matrix], look, width, height)
        return Picture(" · ".join([*filter(None, title), *drawing.notes]), drawing.rows)
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
    return Picture(" · ".join([*filter(None, title), *drawing.notes, *bars.notes]), rows)
