"""Panel 9: every recorded vector that panel 4 does not show, one below the other."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from grokterm.ancestry import array_names
from grokterm.catalog import part
from grokterm.drawing.cells import Row, Span, row_of
from grokterm.history import History
from grokterm.tui.looks import Looks
from grokterm.tui.panel import Picture
from grokterm.tui.panels.fourier import SPECTRUM, draw_vectors, key_frequencies, paired

LEAST_HEIGHT = 5
"""Rows of a vector: its name, three of bars and the numbers of the frequencies."""
FIRST = "fourier_unembedding"
LABELS = {
    FIRST: "Fourier norms of W_L, the neuron-to-logit map",
    "neuron_clusters": "neurons in each frequency's cluster",
    "excluded_loss_k": "excluded loss of each frequency alone",
    "logit_cosines": "logit cosines ⟨L, cos(w_k(a+b−c))⟩",
}


@part
class Vectors:
    """Fourier norms of W_L, neuron clusters, excluded loss and logit cosines per frequency, and a person's own."""

    digit = 9
    name = "Vectors"

    def reads(self) -> frozenset[str]:
        """The vectors, and the ticks of the waterfall."""
        return frozenset({"arrays", "events"})

    def has_something(self, history: History) -> bool:
        """Whether there is any."""
        return bool(_names(history))

    def draw(self, history: History, looks: Looks, width: int, height: int) -> Picture:
        """As many as fit, each under its name."""
        names = _names(history)[: max(1, height // LEAST_HEIGHT)]
        keys = key_frequencies(history, looks.cursor)
        rows: list[Row] = []
        for index, name in enumerate(names):
            share = height * (index + 1) // len(names) - len(rows)
            rows.append(row_of([Span(LABELS.get(name, name), "strong")], width))
            room = max(share - 1, 1)
            through = paired if name == FIRST else norms
            rows += draw_vectors(name, through, keys, history, looks, width, room).rows
        hidden = len(_names(history)) - len(names)
        title = self.name + (f" · {hidden} more in a taller panel" if hidden else "")
        rows += [row_of((), width) for _ in range(height - len(rows))]
        return Picture(title, tuple(rows[:height]))


def _names(history: History) -> list[str]:
    names = [name for name in array_names(history) if name != SPECTRUM]
    return sorted(names, key=lambda name: (name != FIRST, name))


def norms(values: NDArray[Any]) -> NDArray[Any]:
    """One number a frequency, (n, k): vectors as they are, of matrices (n, k, …) the norm of their rows."""
    if values.ndim <= 2:
        return values
    lengths: NDArray[Any] = np.sqrt(np.square(values, dtype=np.float64).sum(axis=tuple(range(2, values.ndim))))
    return lengths
