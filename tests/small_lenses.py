"""Pictures for tests of the microscope: read at a glance, and computed when the test says so."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grokterm.circuit.circuit import Circuit
from grokterm.drawing.cells import Span, row_of
from grokterm.tui.microscope.lens import Chooses, Sight, Subject
from grokterm.tui.panel import Picture


@dataclass(frozen=True, eq=False)
class Seen:
    """What a small lens finds: which one it was asked for, a number of the weights, and a table."""

    one: int | None
    weight: float
    table: NDArray[np.float64]
    frequency: int = 2


@dataclass
class SmallLens:
    """`gate`: computing waits until it is set. `fails`: what it raises instead. `looked` counts."""

    key: str
    name: str
    chooses: Chooses = ""
    gate: threading.Event | None = None
    fails: Callable[[], Exception] | None = None
    looked: list[int | None] = field(default_factory=list)

    def look(self, circuit: Circuit, subject: Subject) -> Seen:
        one = subject.of(self.chooses)
        self.looked.append(one)
        if self.gate is not None:
            assert self.gate.wait(30)
        if self.fails is not None:
            raise self.fails()
        return Seen(one, weight_of(circuit), np.arange(12.0).reshape(3, 4))

    def extent(self, facts: Any) -> tuple[int, int]:
        return (4, 3) if self.chooses == "neuron" else (0, 0)

    def reading(self, facts: Any, sight: Sight) -> str:
        if sight.cursor is None:
            return ""
        column, row = sight.cursor
        return f"a={column} b={row}: {facts.table[row, column]:g}"

    def draw(self, facts: Any, sight: Sight, width: int, height: int) -> Picture:
        looks = f"{'log ' if sight.flipped else ''}{'ordered ' if sight.reordered else ''}{sight.markers}"
        text = f"weight {facts.weight:.6f} {looks}"
        title = self.name if facts.one is None else f"{self.name} {facts.one}"
        return Picture(title, tuple(row_of([Span(text if y == 0 else "", "")], width) for y in range(height)))


def weight_of(circuit: Circuit) -> float:
    """A number by which networks are told apart."""
    return float(circuit.network.W_E[0, 0])


def small_lenses() -> tuple[SmallLens, SmallLens, SmallLens, SmallLens]:
    """One of every kind."""
    return (
        SmallLens("1", "Neuron", "neuron"),
        SmallLens("2", "Attention of head", "head"),
        SmallLens("3", "Circle of frequency", "frequency"),
        SmallLens("w", "Weights"),
    )
