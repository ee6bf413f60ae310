"""What a picture of the microscope is: facts that take long to compute, and a drawing of them that takes no time.

One file a picture, in `pictures/`. The facts are computed off the screen's thread from a checkpoint, and kept; they are
small. Drawing is pure: the same facts and the same ways of looking give the same rows.
"""

from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from grokterm.circuit.circuit import Circuit
from grokterm.drawing.cells import Markers
from grokterm.tui.panel import Picture

Chooses = Literal["", "neuron", "head", "frequency"]
"""What of a network a picture shows one of."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Which neuron, head and frequency the person is looking at; a picture takes the one that it shows.

    neuron and head count from 0. frequency: k = 1 …, None for the picture's own choice.
    """

    neuron: int = 0
    head: int = 0
    frequency: int | None = None

    def of(self, chooses: Chooses) -> int | None:
        """The one that a picture shows; None for a picture that shows all."""
        chosen: int | None = None if chooses == "" else getattr(self, chooses)
        return chosen


@dataclass(frozen=True, slots=True)
class Sight:
    """How the person looks at a picture.

    cursor: a column and a row in the picture's own units (of a map, a table; a bar's is its number and 0), counted from
    0 at the left and at the top; of an `Ordered` picture the residues themselves, wherever they are drawn; None for
    none. reordered: residues in the order of the shown frequency, x → k·x mod p, instead of 0, 1, 2 … flipped: the
    other kind of y axis or colour scale than the picture's default. colours: as `Palette` takes them.
    """

    cursor: tuple[int, int] | None = None
    reordered: bool = False
    flipped: bool = False
    markers: Markers = "braille"
    colours: int = 1 << 24


class Lens(Protocol):
    """One picture of the microscope."""

    key: str
    """The key that picks it."""
    name: str
    chooses: Chooses

    def look(self, circuit: Circuit, subject: Subject) -> Any:
        """Compute what is shown: a frozen dataclass of small arrays. Runs in a thread of its own, not the screen's."""
        ...

    def extent(self, facts: Any) -> tuple[int, int]:
        """How many columns and rows the cursor can go to; (0, 0) where there is no cursor."""
        ...

    def reading(self, facts: Any, sight: Sight) -> str:
        """What stands at the cursor, with the exact value: "a=3 b=17: 0.8214"; "" without a cursor."""
        ...

    def draw(self, facts: Any, sight: Sight, width: int, height: int) -> Picture:
        """Draw in exactly width × height cells."""
        ...


@runtime_checkable
class Ordered(Protocol):
    """A picture whose residues may stand in another order than 0, 1, 2 …: its cursor stays on its residues."""

    def order(self, facts: Any, sight: Sight) -> NDArray[np.intp]:
        """The residue at each place along a side."""
        ...


@runtime_checkable
class AlongFrequencies(Protocol):
    """A picture of all frequencies k = 1 … side by side: to go to one is to put the cursor there."""

    along: Literal["frequency"]
