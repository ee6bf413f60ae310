"""Picture 2: how much each head looks at a, for every pair (a, b); after grokking, a wave of one frequency."""

from dataclasses import dataclass

from grokterm.circuit.attention import periodicity
from grokterm.circuit.circuit import Circuit
from grokterm.circuit.network import Array
from grokterm.drawing.colour_scale import Scale
from grokterm.drawing.heatmap import HeatMap, draw_heatmaps
from grokterm.drawing.ticks import format_value
from grokterm.tui.microscope.lens import Chooses, Sight, Subject
from grokterm.tui.microscope.maps import Residues, looked, too_fine
from grokterm.tui.panel import Picture


@dataclass(frozen=True, eq=False, slots=True)
class AttentionFacts:
    """to_a (heads, p, p): from the last position to a; frequencies and fve, a head each, empty where p is even."""

    to_a: Array
    frequencies: tuple[int, ...]
    fve: tuple[float, ...]


class Attention:
    """One map a head, all on one scale, side by side."""

    key = "2"
    name = "Attention"
    chooses: Chooses = ""

    def look(self, circuit: Circuit, subject: Subject) -> AttentionFacts:  # noqa: ARG002 - all heads are shown
        """Fit every head."""
        to_a = circuit.attention[..., 0]
        if circuit.p % 2 == 0:
            return AttentionFacts(to_a, (), ())
        fit = periodicity(circuit.attention)
        return AttentionFacts(to_a, tuple(fit.frequency.tolist()), tuple(fit.fve.tolist()))

    def extent(self, facts: AttentionFacts) -> tuple[int, int]:
        """Every pair; the cursor stands in all maps."""
        return facts.to_a.shape[2], facts.to_a.shape[1]

    def reading(self, facts: AttentionFacts, sight: Sight) -> str:
        """The pair, and each head's value; the pairs where their orders differ."""
        if sight.cursor is None:
            return ""
        pairs = [self._residues(facts, sight, head).pair(*sight.cursor) for head in range(len(facts.to_a))]
        values = [format_value(float(facts.to_a[head, *pair])) for head, pair in enumerate(pairs)]
        if len(set(pairs)) == 1:
            return f"a={pairs[0][0]} b={pairs[0][1]}: {'  '.join(values)}"
        return "  ".join(f"a={a} b={b}: {value}" for (a, b), value in zip(pairs, values, strict=True))

    def draw(self, facts: AttentionFacts, sight: Sight, width: int, height: int) -> Picture:
        """The maps, each under its frequency and how much of it that explains."""
        heads = len(facts.to_a)
        scale = Scale.of(facts.to_a, from_zero=False, log=sight.flipped)
        orders = [self._residues(facts, sight, head) for head in range(heads)]
        maps = [
            HeatMap(
                residues.arranged(facts.to_a[head]),
                residues.axis("a"),
                residues.axis("b"),
                self._labels(facts, head),
                sight.cursor,
            )
            for head, residues in enumerate(orders)
        ]
        drawing = draw_heatmaps(maps, looked(sight, scale), width, height)
        p = facts.to_a.shape[1]
        blurred = [
            too_fine(p, k, residues, width // heads, height)
            for k, residues in zip(facts.frequencies, orders, strict=False)
        ]
        title = [
            f"Attention to a{' by head' if heads > 1 else ''}",
            "log" if sight.flipped else "",
            next(filter(None, blurred), ""),
            *drawing.notes,
        ]
        return Picture(" · ".join(filter(None, title)), drawing.rows)

    def _residues(self, facts: AttentionFacts, sight: Sight, head: int) -> Residues:
        k = facts.frequencies[head] if facts.frequencies and facts.fve[head] > 0 else None
        return Residues.along(facts.to_a.shape[1], k, reordered=sight.reordered)

    def _labels(self, facts: AttentionFacts, head: int) -> tuple[str, ...]:
        """Which head it is, its frequency and how much of it that explains: in words, and shorter."""
        if not facts.frequencies or not facts.fve[head] > 0:
            return (f"head {head}", f"{head}")
        k, fve = facts.frequencies[head], facts.fve[head]
        return (
            f"head {head} · frequency {k} · FVE {fve:.3f}",
            f"{head} · k={k} · FVE {fve:.2f}",
            f"k={k} {fve:.2f}",
            f"k={k}",
        )
