"""Picture 3: the logits in the 2D Fourier basis: nothing but the 2 × 2 blocks of the key frequencies, in the end."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from grokterm.circuit.circuit import Circuit
from grokterm.circuit.network import Array
from grokterm.drawing.colour_scale import Scale
from grokterm.drawing.heatmap import HeatMap
from grokterm.drawing.ticks import format_value
from grokterm.tui.microscope.lens import Chooses, Sight, Subject
from grokterm.tui.microscope.maps import Spectrum, component, component_axis, draw_with_spectrum, looked
from grokterm.tui.panel import Picture


@dataclass(frozen=True, eq=False, slots=True)
class LogitSpectrumFacts:
    """norms (p, p): over the classes, of every component; keys: the key frequencies."""

    norms: Array
    keys: tuple[int, ...]

    @property
    def block_shares(self) -> Array:
        """How much of the logits' variance each frequency's block of cos and sin in a and b has, (frequencies,)."""
        power = np.square(self.norms, dtype=np.float64)
        count = (len(power) - 1) // 2
        blocks = power[1:, 1:].reshape(count, 2, count, 2).sum(axis=(1, 3)).diagonal()
        total = power.sum()
        shares: Array = np.divide(blocks, total, out=np.zeros_like(blocks), where=total > 0)
        return shares


class LogitSpectrum:
    """A map over the components of a and of b."""

    key = "3"
    name = "Logits 2D"
    chooses: Chooses = ""

    def look(self, circuit: Circuit, subject: Subject) -> LogitSpectrumFacts:  # noqa: ARG002 - of the whole network
        """Transform the logits. Raises RunError where p is even."""
        return LogitSpectrumFacts(circuit.logit_spectrum, tuple(circuit.keys))

    def extent(self, facts: LogitSpectrumFacts) -> tuple[int, int]:
        """Every pair of components."""
        return facts.norms.shape[1], facts.norms.shape[0]

    def reading(self, facts: LogitSpectrumFacts, sight: Sight) -> str:
        """The two components, the norm, and its share of the variance."""
        if sight.cursor is None:
            return ""
        column, row = sight.cursor
        value, total = float(facts.norms[row, column]), float(np.square(facts.norms, dtype=np.float64).sum())
        share = f" ({value**2 / total:.1%} of the variance)" if total > 0 else ""
        return f"{component(row, 'a')} · {component(column, 'b')}: {format_value(value)}{share}"

    def draw(self, facts: LogitSpectrumFacts, sight: Sight, width: int, height: int) -> Picture:
        """The map, and where there is room the share of each frequency's block."""
        scale = Scale.of(facts.norms, log=sight.flipped)
        matrix = HeatMap(
            facts.norms, component_axis("a", facts.keys), component_axis("b", facts.keys), pointer=sight.cursor
        )
        shares = facts.block_shares
        named = " ".join(map(str, facts.keys))
        held = sum(float(shares[k - 1]) for k in facts.keys)
        title: list[str | Sequence[str]] = [
            "Logits in the 2D Fourier basis",
            f"{held:.1%} in blocks {named}" if facts.keys else "no key frequency",
            "log" if sight.flipped else "",
            ("norm over classes", ""),
        ]
        spectrum = Spectrum(shares, facts.keys, "share of the variance, by frequency's 2 × 2 block")
        return draw_with_spectrum(title, matrix, looked(sight, scale, "largest"), spectrum, width, height)
