"""Picture 0: how much each neuron matters to the loss of most inputs; many hardly, a few very much."""

from dataclasses import dataclass

import numpy as np

from grokterm.circuit.circuit import Circuit
from grokterm.circuit.saliency import skewness
from grokterm.drawing.histogram import Bins, count_in_bins, draw_histogram
from grokterm.drawing.ticks import format_value
from grokterm.tui.microscope.lens import Chooses, Sight, Subject
from grokterm.tui.panel import Picture

BINS = 40


@dataclass(frozen=True, eq=False, slots=True)
class SaliencyFacts:
    """Every neuron's saliency, counted; the most salient neurons first, with theirs; the skewness of all."""

    bins: Bins
    neurons: int
    top: tuple[tuple[int, float], ...]
    skewness: float


class Saliency:
    """A histogram from 0 to the largest."""

    key = "0"
    name = "Saliency"
    chooses: Chooses = ""

    def look(self, circuit: Circuit, subject: Subject) -> SaliencyFacts:  # noqa: ARG002 - of all neurons
        """Count."""
        saliency = circuit.saliency.astype(np.float64)
        finite = saliency[np.isfinite(saliency)]
        order = np.argsort(-np.nan_to_num(saliency, nan=-1.0), kind="stable")[:3]
        bins = count_in_bins(saliency, 0.0, float(finite.max(initial=0.0)) or 1.0, BINS)
        top = tuple((int(neuron), float(saliency[neuron])) for neuron in order)
        return SaliencyFacts(bins, len(saliency), top, skewness(saliency))

    def extent(self, facts: SaliencyFacts) -> tuple[int, int]:
        """Every bin."""
        return len(facts.bins.counts), 1

    def reading(self, facts: SaliencyFacts, sight: Sight) -> str:
        """The bin and how many neurons it has."""
        if sight.cursor is None:
            return ""
        low, high = (format_value(edge) for edge in facts.bins.edges(sight.cursor[0]))
        count = int(facts.bins.counts[sight.cursor[0]])
        return f"saliency {low} – {high}: {count} neuron{'' if count == 1 else 's'}"

    def draw(self, facts: SaliencyFacts, sight: Sight, width: int, height: int) -> Picture:
        """The counts."""
        drawing = draw_histogram(
            facts.bins,
            width=width,
            height=height,
            log_y=sight.flipped,
            cursor=None if sight.cursor is None else sight.cursor[0],
            markers=sight.markers,
        )
        neuron, largest = facts.top[0]
        title = [
            f"Saliency of {facts.neurons} neurons",
            f"skewness {facts.skewness:.2f}",
            f"largest {format_value(largest)} (neuron {neuron})",
            *(["log y"] if sight.flipped else []),
            *drawing.notes,
        ]
        return Picture(" · ".join(title), drawing.rows)
