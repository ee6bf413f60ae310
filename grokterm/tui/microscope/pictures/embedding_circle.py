"""Picture 6: the tokens on the plane of one frequency of the embedding, where they lie on a circle in the end.

Beside it the plane of the first two principal components: a circle too where one frequency leads, and a mixture of
circles where several are alike.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grokterm.circuit.circuit import Circuit
from grokterm.circuit.embedding import around, on_circle, principal_components
from grokterm.circuit.waves import Floats, component_norms, paired, waves
from grokterm.drawing.beside import beside, fitted
from grokterm.drawing.cells import Row, Span, row_of
from grokterm.drawing.plane import CELL_HEIGHT, draw_plane
from grokterm.drawing.ticks import format_value
from grokterm.tui.microscope.lens import Chooses, Sight, Subject
from grokterm.tui.panel import Picture

GAP = 2
LABEL_FROM = 8
"""Rows from which two planes have a line that says which is which."""
BOTH_FROM = 1.6
"""Widths of one plane from which both are shown."""


@dataclass(frozen=True, eq=False, slots=True)
class CircleFacts:
    """places (p, 2): the tokens on the plane of a frequency; order (p,): as they follow one another round its circle.

    norms (frequencies,): how much of the embedding each frequency has. components (p, 2): the tokens along the first
    two principal components; shares: of the variance, of each; waves: the frequency that each has most of, how much.
    """

    frequency: int
    is_chosen: bool
    places: Floats
    order: NDArray[np.intp]
    norms: Floats
    components: Floats
    shares: tuple[float, ...]
    waves: tuple[tuple[int, float], ...]


class EmbeddingCircle:
    """Tokens as numbers on a plane."""

    key = "6"
    name = "Circle"
    chooses: Chooses = "frequency"

    def look(self, circuit: Circuit, subject: Subject) -> CircleFacts:
        """The plane of the chosen frequency, the strongest where none is. Raises RunError where p is even."""
        W_E, each = circuit.W_E.astype(np.float64), waves(circuit.p)
        norms = paired(component_norms(W_E))
        k = int(np.nan_to_num(norms).argmax()) + 1
        if subject.frequency is not None:
            k = min(max(subject.frequency, 1), len(norms))
        found = principal_components(circuit.W_E)
        return CircleFacts(
            frequency=k,
            is_chosen=subject.frequency is not None,
            places=on_circle(W_E, each[k - 1]),
            order=around(circuit.p, k),
            norms=norms,
            components=found.coordinates[:, :2],
            shares=tuple(found.shares[:2].tolist()),
            waves=tuple((int(part.argmax()) + 1, float(part.max())) for part in found.plane_shares.T),
        )

    def extent(self, facts: CircleFacts) -> tuple[int, int]:
        """Every token, as they follow one another round the circle."""
        return len(facts.order), 1

    def reading(self, facts: CircleFacts, sight: Sight) -> str:
        """The token at the cursor and where it lies."""
        if sight.cursor is None:
            return ""
        token = sight.cursor[0]
        x, y = (float(value) for value in facts.places[token])
        first, second = (float(value) for value in facts.components[token])
        where = f"({format_value(x)}, {format_value(y)}), radius {format_value(float(np.hypot(x, y)))}"
        return f"token {token}: {where}; components ({format_value(first)}, {format_value(second)})"

    def order(self, facts: CircleFacts, sight: Sight) -> NDArray[np.intp]:  # noqa: ARG002 - round the circle always
        """As the tokens follow one another round the circle."""
        return facts.order

    def draw(self, facts: CircleFacts, sight: Sight, width: int, height: int) -> Picture:
        """Both planes where they have room; one, the frequency's or with the other scale the components', elsewhere."""
        token = None if sight.cursor is None else sight.cursor[0]
        planes = [
            (facts.places, facts.order, self._on_frequency(facts)),
            (facts.components, _by_angle(facts.components), self._on_components(facts)),
        ]
        labelled = height >= LABEL_FROM
        both = width >= BOTH_FROM * (height - labelled) * CELL_HEIGHT
        if not both:
            planes, labelled = (planes[1:] if sight.flipped else planes[:1]), False
        each = max((width - GAP * (len(planes) - 1)) // len(planes), 1)
        drawn: list[tuple[Row, ...]] = []
        notes: list[str] = []
        for places, order, labels in planes:
            drawing = draw_plane(
                places,
                order=order.tolist(),
                width=each,
                height=height - labelled,
                cursor=token,
                markers=sight.markers,
            )
            label = next((text for text in labels if len(text) <= each), labels[-1])
            head = (row_of((Span(label, "strong"),), each, ascii_only=sight.markers == "ascii"),) if labelled else ()
            drawn.append((*head, *drawing.rows))
            notes += [note for note in drawing.notes if note not in notes]
        what = f"{planes[0][2][-1]} and principal components" if both else planes[0][2][0]
        title = [f"Embedding · {what}", *notes]
        return Picture(" · ".join(title), fitted(beside(drawn, GAP), width, height))

    def _on_frequency(self, facts: CircleFacts) -> tuple[str, ...]:
        """Which frequency's plane it is, and how even the circle: longest first."""
        k, radius = facts.frequency, np.hypot(*facts.places.T)
        name = f"frequency {k}{', the strongest' if facts.norms[k - 1] >= facts.norms.max(initial=0.0) else ''}"
        mean = float(radius.mean())
        if not (mean > 0 and np.isfinite(mean)):
            return name, f"frequency {k}"
        even = f"± {radius.std() / mean:.1%}"
        return (f"{name} · radius {format_value(mean)} {even}", f"frequency {k} · radius {even}", f"frequency {k}")

    def _on_components(self, facts: CircleFacts) -> tuple[str, ...]:
        """That it is the plane of principal components, and what they are made of: longest first."""
        name = "principal components 1 and 2"
        shares = " and ".join(f"{share:.1%}" for share in facts.shares)
        made = " and ".join(f"{power:.0%} k={k}" for k, power in facts.waves)
        return (f"{name} · {shares} of the variance · {made}", f"{name} · {made}", name, "components 1 and 2")


def _by_angle(places: Floats) -> NDArray[np.intp]:
    """The points (n, 2) as they follow one another round the origin."""
    return np.argsort(np.arctan2(places[:, 1], places[:, 0]), kind="stable")
