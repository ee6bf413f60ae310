"""Panel 4: the Fourier norms of the embedding; a handful of tall bars is the circuit."""

from collections.abc import Sequence

import numpy as np

from grokterm.ancestry import array_at, array_names, forked_at, whole_array
from grokterm.catalog import part
from grokterm.circuit.waves import paired
from grokterm.drawing.chart import Drawing, draw_bars, draw_waterfall
from grokterm.growing import Rowwise
from grokterm.history import History
from grokterm.run.hindsight import PREFIX
from grokterm.tui.looks import Looks
from grokterm.tui.panel import Picture, marks_of, own_marks, row_at

SPECTRUM = "fourier_embedding"
FOURIER = frozenset({SPECTRUM, "fourier_unembedding"})
"""A constant, then cos and sin of every frequency."""
BY_FREQUENCY = FOURIER | {"neuron_clusters", "excluded_loss_k", "logit_cosines"}
BY_FREQUENCY |= {"excluded_loss_3d_k", "loss_without_frequency", "key_share_cos", "key_share_sin"}
"""Arrays whose k-th number belongs to frequency k."""
MOST_NAMED = 8


@part
class Fourier:
    """One bar per frequency k: hypot of its cos and sin component. `t` turns it into frequency × step."""

    digit = 4
    name = "Fourier norms of W_E"

    def reads(self) -> frozenset[str]:
        """The vectors, and the ticks of the waterfall."""
        return frozenset({"arrays", "events"})

    def has_something(self, history: History) -> bool:
        """Whether the run records Fourier norms."""
        return SPECTRUM in array_names(history)

    def draw(self, history: History, looks: Looks, width: int, height: int) -> Picture:
        """The spectrum at the cursor, or its history."""
        keys = key_frequencies(history, looks.cursor)
        title = [self.name, *([f"live key {' '.join(map(str, keys))}"] if keys else [])]
        drawing = draw_vectors(SPECTRUM, paired, keys, history, looks, width, height)
        spectra = array_at(history, SPECTRUM, looks.cursor)
        row = row_at(spectra.steps, looks.cursor)
        if looks.waterfall:
            title[0] += " × step"
        elif row is not None and (looks.cursor is not None or not len(history.array(SPECTRUM).steps)):
            title.append(f"step {int(spectra.steps[row]):,}")
        return Picture(" · ".join([*title, *drawing.notes]), drawing.rows)


def draw_vectors(
    name: str, through: Rowwise, keys: Sequence[int], history: History, looks: Looks, width: int, height: int
) -> Drawing:
    """One number a frequency: bars of the row at the cursor, or frequency × step; `keys` are named.

    Where a fork has no such row its ancestors' is shown; what they were in a waterfall is faint.
    """
    vectors = array_at(history, name, looks.cursor, through)
    row = row_at(vectors.steps, looks.cursor)
    newest = vectors.values[row].astype(np.float64) if row is not None else np.zeros(0)
    named = sorted(keys, key=lambda k: -newest[k - 1] if k <= len(newest) else 0.0)[:MOST_NAMED]
    highlighted = {k: str(k) for k in named}
    if not looks.waterfall:
        return draw_bars(
            newest, width=width, height=height, style="bar", highlighted=highlighted, markers=looks.markers
        )
    vectors = whole_array(history, name, through)
    low, high = looks.shown(history.step)
    first, end = (int(np.searchsorted(vectors.steps, edge, side="right")) for edge in (low, high))
    in_view = slice(max(first - 1, 0), end)  # with the row before the first step in view, which still holds there
    parent = forked_at(history)
    return draw_waterfall(
        vectors.values[in_view],
        vectors.steps[in_view].astype(np.float64),
        width=width,
        height=height,
        highlighted=highlighted,
        x_min=low,
        x_max=high,
        log_x=looks.log_x,
        cursor=looks.cursor,
        marks=[*marks_of(history), *own_marks(looks)],
        faint_before=None if parent is None else parent.step,
        markers=looks.markers,
    )


def key_frequencies(history: History, cursor: int | None) -> list[int]:
    """The frequencies that have a neuron cluster at the cursor ("live" key frequencies), ascending."""
    clusters = array_at(history, "neuron_clusters", cursor)
    row = row_at(clusters.steps, cursor)
    return [] if row is None else [int(k) + 1 for k in np.flatnonzero(clusters.values[row] > 0)]


def is_by_frequency(name: str) -> bool:
    """Whether an array's k-th number belongs to frequency k."""
    return name.removeprefix(PREFIX) in BY_FREQUENCY


def keys_of(history: History, name: str, step: int | None) -> tuple[int, ...]:
    """The key frequencies to point out in an array: those that hindsight used for its own, else those of that step."""
    if not is_by_frequency(name):
        return ()
    if name.startswith(PREFIX) and history.hindsight is not None:
        return history.hindsight.key_frequencies
    return tuple(key_frequencies(history, step))
