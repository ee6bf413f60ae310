"""Panel 9: every recorded vector that panel 4 does not show, one below the other."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grokterm.ancestry import array_names
from grokterm.catalog import part
from grokterm.circuit.ablations import TOP_COUNTS
from grokterm.circuit.waves import paired
from grokterm.drawing.cells import Row, Span, row_of
from grokterm.history import History
from grokterm.run.hindsight import PREFIX
from grokterm.tui.hindsight import repeats
from grokterm.tui.looks import Looks
from grokterm.tui.panel import Picture
from grokterm.tui.panels.fourier import FOURIER, SPECTRUM, draw_vectors, keys_of

LEAST_HEIGHT = 5
"""Rows of a vector: its name, three of bars and the numbers of the frequencies."""
LEAST_WIDTH = 72
"""Cells of a panel from which on so many more make room for a second column of vectors."""
FIRST = "fourier_unembedding"
APART = Span(" ", "")
LABELS = {
    FIRST: "Fourier norms of W_L, the neuron-to-logit map",
    "neuron_clusters": "neurons in each frequency's cluster",
    "excluded_loss_k": "excluded loss of each frequency alone",
    "excluded_loss_3d_k": "excluded loss of each frequency alone, 3D",
    "logit_cosines": "logit cosines ⟨L, cos(w_k(a+b−c))⟩",
    "loss_without_frequency": "loss without each frequency",
    "loss_without_head": "loss without each head",
    "loss_with_mean_head": "loss with the mean of each head",
    "attention_frequency": "frequency of each head's attention",
    "attention_fve": "how much of each head's attention one frequency explains",
    "attention_fve_2term": "how much of each head's attention the paper's two terms explain",
    "key_share_cos": "share of each key frequency's cosine in its sum direction",
    "key_share_sin": "share of each key frequency's sine in its sum direction",
    "embedding_components": "share of each principal component of W_E",
    "W_E_singular_values": "singular values of W_E",
    "W_E_singular_values_random": "singular values of random matrices like W_E",
    "W_L_singular_values": "singular values of W_L",
    "saliency": "saliency of each neuron",
    "input_norms": "norm of the weights that read each input",
    "ipr": "inverse participation ratio of each neuron",
    "loss_without_top_neurons": f"loss without the {', '.join(map(str, TOP_COUNTS))} most salient neurons",
}


@part
class Vectors:
    """Fourier norms of W_L, neuron clusters, excluded loss, logit cosines, what hindsight adds, and a person's own."""

    digit = 9
    name = "Vectors"

    def reads(self) -> frozenset[str]:
        """The vectors, and the ticks of the waterfall."""
        return frozenset({"arrays", "hindsight", "events"})

    def has_something(self, history: History) -> bool:
        """Whether there is any."""
        return bool(_names(history))

    def draw(self, history: History, looks: Looks, width: int, height: int) -> Picture:
        """As many as fit, each under its name; side by side where it is wide."""
        every = _names(history)
        columns = max(1, width // LEAST_WIDTH)
        deep = max(1, height // LEAST_HEIGHT)
        names = every[: columns * deep]
        deep = min(deep, -(-len(names) // columns))
        shares = [names[start : start + deep] for start in range(0, len(names), deep)] or [[]]
        edges = [width * index // len(shares) for index in range(len(shares) + 1)]
        widths = [end - start - (end < width) for start, end in pairwise(edges)]
        parts = [_below_another(history, each, looks, wide, height) for each, wide in zip(shares, widths, strict=True)]
        rows = [tuple(span for part in row for span in (*part, APART))[:-1] for row in zip(*parts, strict=True)]
        hidden = len(every) - len(names)
        title = self.name + (f" · {hidden} more in a larger panel" if hidden else "")
        return Picture(title, tuple(rows))


def _below_another(history: History, names: Sequence[str], looks: Looks, width: int, height: int) -> list[Row]:
    """Vectors one below the other in exactly width × height cells."""
    rows: list[Row] = []
    for index, name in enumerate(names):
        share = height * (index + 1) // len(names) - len(rows)
        rows.append(row_of([Span(_label_of(name), "strong")], width))
        through = paired if name.removeprefix(PREFIX) in FOURIER else norms
        keys = keys_of(history, name, looks.cursor)
        rows += draw_vectors(name, through, keys, history, looks, width, max(share - 1, 1)).rows
    rows += [row_of((), width) for _ in range(height - len(rows))]
    return rows[:height]


def _names(history: History) -> list[str]:
    there = array_names(history)
    live = frozenset(there)
    names = [name for name in there if name != SPECTRUM and not repeats(name, live)]
    return sorted(names, key=lambda name: (name != FIRST, name.startswith(PREFIX), name))


def _label_of(name: str) -> str:
    """What stands above a vector; what is known in hindsight only says so."""
    live = name.removeprefix(PREFIX)
    return LABELS.get(live, live) + (" (hindsight)" if live != name else "")


def norms(values: NDArray[Any]) -> NDArray[Any]:
    """One number a frequency, (n, k): vectors as they are, of matrices (n, k, …) the norm of their rows."""
    if values.ndim <= 2:
        return values
    lengths: NDArray[Any] = np.sqrt(np.square(values, dtype=np.float64).sum(axis=tuple(range(2, values.ndim))))
    return lengths
