"""Picture 2: how much each head looks at a, for every pair (a, b); after grokking, a wave of one frequency."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grokterm.circuit.attention import periodicity
from grokterm.circuit.circuit import Circuit
from grokterm.circuit.network import Array
from grokterm.drawing.colour_scale import Scale
from grokterm.drawing.heatmap import HeatMap, draw_heatmaps
from grokterm.drawing.ticks import format_value
from grokterm.tui.microscope.lens import Chooses, Sight, Subject
from grokterm.tui.microscope.maps import Residues, looked, titled, too_fine
from grokterm.tui.panel import Picture


@dataclass(frozen=True, eq=False, slots=True)
class AttentionFacts:
    """to_a (heads, p, p): from the last position to a; frequencies and fve, a head each, empty where p is even.

    head: the one that was chosen, whose frequency orders the residues of all maps.
    """

    to_a: Array
    frequencies: tuple[int, ...]
    fve: tuple[float, ...]
    head: int = 0

    def frequency(self, head: int) -> int | None:
        """The frequency that explains most of a head; None where none explains anything."""
        return self.frequencies[head] if self.frequencies and self.fve[head] > 0 else None


class Attention:
    """One map a head, all on one scale and in one order, side by side."""

    key = "2"
    name = "Attention"
    chooses: Chooses = "head"

    def look(self, circuit: Circuit, subject: Subject) -> AttentionFacts:
        """Fit every head."""
        to_a = circuit.attention[..., 0]
        head = min(subject.head, len(to_a) - 1)
        if circuit.p % 2 == 0:
            return AttentionFacts(to_a, (), (), head)
        fit = periodicity(circuit.attention)
        return AttentionFacts(to_a, tuple(fit.frequency.tolist()), tuple(fit.fve.tolist()), head)

    def extent(self, facts: AttentionFacts) -> tuple[int, int]:
        """Every pair; the cursor stands in all maps."""
        return facts.to_a.shape[2], facts.to_a.shape[1]

    def order(self, facts: AttentionFacts, sight: Sight) -> NDArray[np.intp]:
        """That of a and of b, in every head's map."""
        return self._residues(facts, sight).order

    def reading(self, facts: AttentionFacts, sight: Sight) -> str:
        """The pair, and each head's value."""
        if sight.cursor is None:
            return ""
        b, a = sight.cursor
        return f"a={a} b={b}: {'  '.join(format_value(float(value)) for value in facts.to_a[:, a, b])}"

    def draw(self, facts: AttentionFacts, sight: Sight, width: int, height: int) -> Picture:
        """The maps, each under its frequency and how much of it that explains."""
        heads = len(facts.to_a)
        scale = Scale.of(facts.to_a, from_zero=False, log=sight.flipped)
        residues = self._residues(facts, sight)
        maps = [
            HeatMap(
                residues.arranged(facts.to_a[head]),
                residues.axis("a"),
                residues.axis("b"),
                self._labels(facts, head),
                residues.place(sight.cursor),
            )
            for head in range(heads)
        ]
        drawing = draw_heatmaps(maps, looked(sight, scale), width, height)
        title = titled(
            width,
            (f"Attention to a{' by head' if heads > 1 else ''}", "Attention to a"),
            "log" if sight.flipped else "",
            residues.remarks(f"head {facts.head}" if heads > 1 else ""),
            self._blurred(facts, sight, residues, width, height),
            *drawing.notes,
        )
        return Picture(title, drawing.rows)

    def _blurred(
        self, facts: AttentionFacts, sight: Sight, residues: Residues, width: int, height: int
    ) -> tuple[str, ...]:
        """The finest wave where it is too fine for its map, in two lengths."""
        waves = [(head, k) for head in range(len(facts.to_a)) if (k := facts.frequency(head)) is not None]
        worst, blurred = too_fine(residues, [k for _, k in waves], width // len(facts.to_a), height)
        if not blurred:
            return ("",)
        told = f"head {waves[worst][0]}: {blurred}" if len(facts.to_a) > 1 else blurred
        return (told,) if sight.reordered else (f"{told}, o helps", told)

    def _residues(self, facts: AttentionFacts, sight: Sight) -> Residues:
        """In the order of the chosen head, for all of them: what stands at one place is the same input."""
        return Residues.along(facts.to_a.shape[1], facts.frequency(facts.head), reordered=sight.reordered)

    def _labels(self, facts: AttentionFacts, head: int) -> tuple[str, ...]:
        """Which head it is, its frequency and how much of it that explains: in words, and shorter."""
        k = facts.frequency(head)
        if k is None:
            return (f"head {head}", f"{head}")
        fve = facts.fve[head]
        return (
            f"head {head} · frequency {k} · FVE {fve:.3f}",
            f"head {head} · k={k} · FVE {fve:.2f}",
            f"head {head} · k={k}",
            f"{head} · k={k}",
            f"{head}",
        )
