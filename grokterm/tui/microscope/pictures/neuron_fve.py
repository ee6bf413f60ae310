"""Picture 8: how many neurons are explained how well by one frequency."""

from dataclasses import dataclass

import numpy as np

from grokterm.circuit.circuit import CLUSTER_FVE, Circuit
from grokterm.drawing.histogram import Bins, count_in_bins, draw_histogram
from grokterm.tui.microscope.lens import Chooses, Sight, Subject
from grokterm.tui.panel import Picture

BINS = 40
"""An edge of theirs is the cut at 0.85."""


@dataclass(frozen=True, eq=False, slots=True)
class NeuronFveFacts:
    """FVE of each neuron's own frequency, counted; how many neurons there are, how many belong to a cluster."""

    bins: Bins
    neurons: int
    in_cluster: int
    mean: float
    median: float


class NeuronFve:
    """A histogram from 0 to 1."""

    key = "8"
    name = "Neuron FVE"
    chooses: Chooses = ""

    def look(self, circuit: Circuit, subject: Subject) -> NeuronFveFacts:  # noqa: ARG002 - of all neurons
        """Count. Raises RunError where p is even."""
        fve = circuit.neuron_fve.max(axis=1)
        inside = int(circuit.in_cluster.sum())
        bins = count_in_bins(fve, 0.0, 1.0, BINS)
        return NeuronFveFacts(bins, len(fve), inside, float(fve.mean()), float(np.median(fve)))

    def extent(self, facts: NeuronFveFacts) -> tuple[int, int]:
        """Every bin."""
        return len(facts.bins.counts), 1

    def reading(self, facts: NeuronFveFacts, sight: Sight) -> str:
        """The bin and how many neurons it has."""
        if sight.cursor is None:
            return ""
        low, high = facts.bins.edges(sight.cursor[0])
        count = int(facts.bins.counts[sight.cursor[0]])
        return f"FVE {low:.3f} – {high:.3f}: {count} neuron{'' if count == 1 else 's'}"

    def draw(self, facts: NeuronFveFacts, sight: Sight, width: int, height: int) -> Picture:
        """The counts, and the cut above which a neuron belongs to a cluster."""
        drawing = draw_histogram(
            facts.bins,
            width=width,
            height=height,
            cut=CLUSTER_FVE,
            log_y=sight.flipped,
            cursor=None if sight.cursor is None else sight.cursor[0],
            markers=sight.markers,
        )
        title = [
            f"FVE of {facts.neurons} neurons",
            f"{facts.in_cluster} ≥ {CLUSTER_FVE}",
            f"median {facts.median:.3f}, mean {facts.mean:.3f}",
            *(["log y"] if sight.flipped else []),
            *drawing.notes,
        ]
        return Picture(" · ".join(title), drawing.rows)
