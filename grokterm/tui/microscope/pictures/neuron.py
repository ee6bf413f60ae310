"""Picture 1: what one neuron answers to every pair (a, b); after grokking, a wave in a and b."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from grokterm.circuit.circuit import Circuit
from grokterm.circuit.frequency_shares import frequency_shares
from grokterm.circuit.network import Array
from grokterm.drawing.colour_scale import Scale
from grokterm.drawing.heatmap import HeatMap
from grokterm.drawing.ticks import format_value
from grokterm.tui.microscope.lens import Chooses, Sight, Subject
from grokterm.tui.microscope.maps import Residues, Spectrum, draw_with_spectrum, looked, too_fine
from grokterm.tui.panel import Picture


@dataclass(frozen=True, eq=False, slots=True)
class NeuronFacts:
    """activations (p, p) of one of `count` neurons over (a, b); fve (frequencies,), none where p is even."""

    neuron: int
    count: int
    activations: Array
    fve: NDArray[np.floating]

    @property
    def frequency(self) -> int | None:
        """The frequency that explains most of it; None where none explains anything."""
        return int(self.fve.argmax()) + 1 if self.fve.any() else None

    @property
    def title(self) -> str:
        """Which neuron it is, and what it follows."""
        k = self.frequency
        if not self.activations.any():
            return f"Neuron {self.neuron} · off for every input"
        follows = "" if k is None else f" · frequency {k} · FVE {self.fve[k - 1]:.3f}"
        return f"Neuron {self.neuron}{follows}"


def look_at_neuron(circuit: Circuit, neuron: int) -> NeuronFacts:
    """The facts of one neuron, without computing all the others; the last one where there are not so many."""
    network = circuit.network
    neuron = min(neuron, network.d_mlp - 1)
    alone = replace(network, W_in=network.W_in[:, [neuron]], b_in=network.b_in[[neuron]])
    activations = alone.neurons(circuit.residual)
    fve = frequency_shares(activations)[0] if circuit.p % 2 else np.zeros(0)
    return NeuronFacts(neuron, network.d_mlp, activations.reshape(circuit.p, circuit.p), fve)


class Neuron:
    """A map over a and b."""

    key = "1"
    name = "Neuron"
    chooses: Chooses = "neuron"

    def look(self, circuit: Circuit, subject: Subject) -> NeuronFacts:
        """Compute the chosen neuron."""
        return look_at_neuron(circuit, subject.neuron)

    def extent(self, facts: NeuronFacts) -> tuple[int, int]:
        """Every pair."""
        return facts.activations.shape[1], facts.activations.shape[0]

    def reading(self, facts: NeuronFacts, sight: Sight) -> str:
        """The pair and the activation."""
        if sight.cursor is None:
            return ""
        b, a = sight.cursor
        return f"a={a} b={b}: {format_value(float(facts.activations[a, b]))}"

    def order(self, facts: NeuronFacts, sight: Sight) -> NDArray[np.intp]:
        """That of a and of b."""
        return self._residues(facts, sight).order

    def draw(self, facts: NeuronFacts, sight: Sight, width: int, height: int) -> Picture:
        """The map, and where there is room the share of variance that each frequency explains."""
        residues = self._residues(facts, sight)
        scale = Scale.of(facts.activations, from_zero=False, log=sight.flipped)
        values = residues.arranged(facts.activations)
        matrix = HeatMap(values, residues.axis("a"), residues.axis("b"), pointer=residues.place(sight.cursor))
        k = facts.frequency
        spectrum = Spectrum(facts.fve, () if k is None else (k,), "share of its variance, by frequency")
        _, blurred = too_fine(residues, () if k is None else (k,), width, height)
        helped = () if not blurred or sight.reordered else (f"{blurred}, o helps",)
        title = [facts.title, "log" if sight.flipped else "", residues.remarks(), (*helped, blurred)]
        return draw_with_spectrum(title, matrix, looked(sight, scale), spectrum if k else None, width, height)

    def _residues(self, facts: NeuronFacts, sight: Sight) -> Residues:
        return Residues.along(len(facts.activations), facts.frequency, reordered=sight.reordered)
