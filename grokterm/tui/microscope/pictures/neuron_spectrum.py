"""Picture 4: one neuron in the 2D Fourier basis: a few components of one frequency, once there is a circuit."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grokterm.circuit import waves
from grokterm.circuit.circuit import Circuit
from grokterm.circuit.network import Array
from grokterm.drawing.colour_scale import Scale
from grokterm.drawing.heatmap import HeatMap
from grokterm.drawing.ticks import format_value
from grokterm.tui.microscope.lens import Chooses, Sight, Subject
from grokterm.tui.microscope.maps import Spectrum, component, component_axis, draw_with_spectrum, looked
from grokterm.tui.microscope.pictures.neuron import look_at_neuron
from grokterm.tui.panel import Picture


@dataclass(frozen=True, eq=False, slots=True)
class NeuronSpectrumFacts:
    """coefficients (p, p): the 2D transform of a neuron's centred activations; fve (frequencies,); its title."""

    title: str
    coefficients: Array
    fve: NDArray[np.floating]


class NeuronSpectrum:
    """A map over the components of a and of b, of both signs."""

    key = "4"
    name = "Neuron 2D"
    chooses: Chooses = "neuron"

    def look(self, circuit: Circuit, subject: Subject) -> NeuronSpectrumFacts:
        """Transform the chosen neuron. Raises RunError where p is even."""
        facts = look_at_neuron(circuit, subject.neuron)
        centred = facts.activations.reshape(-1, 1) - facts.activations.mean()
        return NeuronSpectrumFacts(facts.title, waves.transformed(centred)[..., 0], facts.fve)

    def extent(self, facts: NeuronSpectrumFacts) -> tuple[int, int]:
        """Every pair of components."""
        return facts.coefficients.shape[1], facts.coefficients.shape[0]

    def reading(self, facts: NeuronSpectrumFacts, sight: Sight) -> str:
        """The two components, the coefficient, and its share of the variance."""
        if sight.cursor is None:
            return ""
        column, row = sight.cursor
        value = float(facts.coefficients[row, column])
        total = float(np.square(facts.coefficients, dtype=np.float64).sum())
        share = f" ({value**2 / total:.1%} of the variance)" if total > 0 else ""
        return f"{component(row, 'a')} · {component(column, 'b')}: {format_value(value)}{share}"

    def draw(self, facts: NeuronSpectrumFacts, sight: Sight, width: int, height: int) -> Picture:
        """The map, and where there is room the share of variance that each frequency explains."""
        values = np.abs(facts.coefficients) if sight.flipped else facts.coefficients
        scale = Scale.of(values, log=True) if sight.flipped else Scale.around_zero(values)
        keys = (int(facts.fve.argmax()) + 1,) if facts.fve.any() else ()
        matrix = HeatMap(values, component_axis("a", keys), component_axis("b", keys), pointer=sight.cursor)
        spectrum = Spectrum(facts.fve, keys, "share of its variance, by frequency") if keys else None
        title = [facts.title, ("2D Fourier basis", "2D"), ("size, log", "log") if sight.flipped else ""]
        return draw_with_spectrum(title, matrix, looked(sight, scale, "largest"), spectrum, width, height)
