"""Picture 5: every neuron's frequency against how much of it that explains; clusters are what lies above the cut."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from grokterm.circuit.circuit import CLUSTER_FVE, Circuit
from grokterm.drawing.axes import Limits
from grokterm.drawing.scatter import Cut, Points, draw_scatter
from grokterm.tui.microscope.lens import Chooses, Sight, Subject
from grokterm.tui.microscope.maps import titled
from grokterm.tui.panel import Picture

LEAST_UNEXPLAINED, MOST_UNEXPLAINED = 1e-3, 0.1
"""Between which values of 1 − FVE a logarithmic axis begins, at the smallest that there is."""
COUNTS_FROM = 60
"""Cells from which the clusters' sizes stand below them."""


@dataclass(frozen=True, eq=False, slots=True)
class NeuronFrequenciesFacts:
    """frequency and fve of every neuron (d_mlp,); dead (d_mlp,): off for every input; clusters (frequencies,)."""

    frequency: NDArray[np.int64]
    fve: NDArray[np.floating]
    dead: NDArray[np.bool_]
    clusters: NDArray[np.int64]


class NeuronFrequencies:
    """A scatter plot, one dot a neuron."""

    key = "5"
    name = "Clusters"
    chooses: Chooses = ""
    along: Literal["frequency"] = "frequency"

    def look(self, circuit: Circuit, subject: Subject) -> NeuronFrequenciesFacts:  # noqa: ARG002 - all are shown
        """Fit every neuron. Raises RunError where p is even."""
        fve = circuit.neuron_fve.max(axis=1)
        return NeuronFrequenciesFacts(circuit.neuron_frequencies, fve, circuit.dead_neurons, circuit.clusters)

    def extent(self, facts: NeuronFrequenciesFacts) -> tuple[int, int]:
        """Every frequency."""
        return len(facts.clusters), 1

    def reading(self, facts: NeuronFrequenciesFacts, sight: Sight) -> str:
        """How many neurons follow the frequency, how many belong to its cluster, and which it explains best."""
        if sight.cursor is None:
            return ""
        k = sight.cursor[0] + 1
        there = np.flatnonzero((facts.frequency == k) & ~facts.dead)
        if not len(there):
            return f"frequency {k}: no neuron"
        best = int(there[facts.fve[there].argmax()])
        many = f"{len(there)} neuron{'s' if len(there) > 1 else ''}, {facts.clusters[k - 1]} in its cluster"
        return f"frequency {k}: {many}, best neuron {best} (FVE {facts.fve[best]:.4f})"

    def draw(self, facts: NeuronFrequenciesFacts, sight: Sight, width: int, height: int) -> Picture:
        """Neurons in a cluster on top of the others; below the axis the clusters' frequencies and sizes."""
        alive = ~facts.dead
        heights = 1 - facts.fve if sight.flipped else facts.fve
        limits, cut = self._limits(heights[alive & np.isfinite(heights)], flipped=sight.flipped)
        inside = facts.fve >= CLUSTER_FVE
        groups = [
            Points(facts.frequency[shown], heights[shown].astype(np.float64), style, marker)
            for shown, style, marker in ((alive & ~inside, "bar", "."), (alive & inside, "bar.key", "*"))
        ]
        sizes = {int(k) + 1: int(facts.clusters[k]) for k in np.flatnonzero(facts.clusters)}
        drawing = draw_scatter(
            groups,
            first=1,
            last=len(facts.clusters),
            y=limits,
            width=width,
            height=height,
            cut=cut,
            highlighted={k: f"{k}: {size}" if width >= COUNTS_FROM else str(k) for k, size in sizes.items()},
            cursor=None if sight.cursor is None else sight.cursor[0] + 1,
            markers=sight.markers,
        )
        told = self._title(facts, sizes, flipped=sight.flipped)
        return Picture(titled(width, *told, *drawing.notes), drawing.rows)

    def _title(
        self, facts: NeuronFrequenciesFacts, sizes: dict[int, int], *, flipped: bool
    ) -> list[str | Sequence[str]]:
        what = "1 − FVE by frequency, log" if flipped else "FVE by frequency"
        many = f"{len(sizes)} cluster{'s' if len(sizes) != 1 else ''}"
        dead = int(facts.dead.sum())
        held = sum(sizes.values())
        counts = f"{held} of {len(facts.fve)} neurons in {many}", f"{held} of {len(facts.fve)} in {many}"
        return [what, counts, *([(f"{dead} off for every input", f"{dead} off")] if dead else [])]

    def _limits(self, heights: NDArray[np.floating], *, flipped: bool) -> tuple[Limits, Cut]:
        if not flipped:
            return Limits(0.0, 1.0), Cut(CLUSTER_FVE, f"FVE {CLUSTER_FVE}")
        least = float(heights[heights > 0].min(initial=1.0))
        low = min(max(least, LEAST_UNEXPLAINED), MOST_UNEXPLAINED)
        return Limits(math.log10(low), 0.0, log=True), Cut(1 - CLUSTER_FVE, f"FVE {CLUSTER_FVE}")
