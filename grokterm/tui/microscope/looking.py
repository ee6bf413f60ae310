"""What the person looks at through the microscope, and how: pictures, one of them picked, neuron, cursors. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from grokterm.drawing.cells import Markers
from grokterm.tui.microscope.lens import Chooses, Sight, Subject

Place = tuple[int, int]
"""Column and row in a picture's own units, or how many of them there are."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many there are to choose from in a network."""

    neurons: int
    heads: int
    frequencies: int

    def of(self, chooses: Chooses) -> int:
        """How many of a kind; 0 for none."""
        return {"neuron": self.neurons, "head": self.heads, "frequency": self.frequencies, "": 0}[chooses]


@dataclass(frozen=True, slots=True)
class Looking:
    """The person's choices. `chosen` is the key of the picked picture; cursors has those of pictures that have one.

    flipped: keys of the pictures whose scale is not their own default.
    """

    chosen: str
    zoomed: bool = False
    subject: Subject = field(default_factory=Subject)
    cursors: Mapping[str, Place] = field(default_factory=dict)
    reordered: bool = True
    flipped: frozenset[str] = frozenset()
    markers: Markers = "braille"
    colours: int = 1 << 24

    def sight(self, key: str) -> Sight:
        """How a picture is looked at."""
        return Sight(self.cursors.get(key), self.reordered, key in self.flipped, self.markers, self.colours)

    def moved(self, columns: int, rows: int, extent: Place, order: NDArray[np.intp] | None = None) -> Self:
        """The picked picture's cursor so much further, within its extent; the first move puts it at the origin.

        order: the residue at each place along its sides, where they are residues and not 0, 1, 2 …
        """
        before = self.cursors.get(self.chosen)
        if before is None:
            return self.pointing_at((0, 0))
        column, row = (
            _further(at, by, most, order) for at, by, most in zip(before, (columns, rows), extent, strict=True)
        )
        return self.pointing_at((column, row))

    def pointing_at(self, place: Place) -> Self:
        """The picked picture's cursor there."""
        return replace(self, cursors={**self.cursors, self.chosen: place})

    def without_cursor(self) -> Self:
        """The picked picture without a cursor."""
        return replace(self, cursors={key: at for key, at in self.cursors.items() if key != self.chosen})

    def with_flipped_scale(self) -> Self:
        """The other scale for the picked picture."""
        return replace(self, flipped=self.flipped ^ {self.chosen})

    def at(self, chooses: Chooses, number: int, sizes: Sizes) -> Self:
        """Another neuron, head or frequency, the nearest that there is."""
        first = least(chooses)
        number = min(max(number, first), first + sizes.of(chooses) - 1)
        match chooses:
            case "neuron":
                subject = replace(self.subject, neuron=number)
            case "head":
                subject = replace(self.subject, head=number)
            case "frequency":
                subject = replace(self.subject, frequency=number)
            case "":
                subject = self.subject
        return replace(self, subject=subject)


def _further(at: int, by: int, most: int, order: NDArray[np.intp] | None) -> int:
    """What stands so many places further along a side of `most` places; a side of one place has no order."""
    if order is None or most == 1:
        return min(max(at + by, 0), most - 1)
    place = int(np.flatnonzero(order == at)[0])
    return int(order[min(max(place + by, 0), most - 1)])


def least(chooses: Chooses) -> int:
    """Where counting begins: neurons and heads at 0, frequencies at 1."""
    return 1 if chooses == "frequency" else 0
