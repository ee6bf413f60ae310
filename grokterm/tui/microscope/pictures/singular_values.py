"""Picture 7: the singular values of the embedding, and what they would be without structure."""

from dataclasses import dataclass

import numpy as np

from grokterm.circuit.circuit import Circuit
from grokterm.circuit.embedding import random_control, singular_values
from grokterm.circuit.waves import Floats
from grokterm.drawing.chart import Entry, Line, View, draw_lines, legend
from grokterm.drawing.ticks import format_value
from grokterm.tui.microscope.lens import Chooses, Sight, Subject
from grokterm.tui.panel import Picture, legend_rows


@dataclass(frozen=True, eq=False, slots=True)
class SingularValuesFacts:
    """Singular values of W_E (shape), and of Gaussian matrices of its shape and norm, each descending."""

    shape: tuple[int, int]
    values: Floats
    control: Floats

    @property
    def leading(self) -> int:
        """How many from the first on are above the control."""
        above = self.values > self.control
        return int(np.argmin(above)) if not above.all() else len(above)


class SingularValues:
    """Two curves over the number of the singular value."""

    key = "7"
    name = "Singular values"
    chooses: Chooses = ""

    def look(self, circuit: Circuit, subject: Subject) -> SingularValuesFacts:  # noqa: ARG002 - of the whole matrix
        """Take them of the residues' embedding."""
        W_E = circuit.W_E
        return SingularValuesFacts((W_E.shape[0], W_E.shape[1]), singular_values(W_E), random_control(W_E))

    def extent(self, facts: SingularValuesFacts) -> tuple[int, int]:
        """Every singular value."""
        return len(facts.values), 1

    def reading(self, facts: SingularValuesFacts, sight: Sight) -> str:
        """Its number, its value, the control's."""
        if sight.cursor is None:
            return ""
        index = sight.cursor[0]
        value, control = float(facts.values[index]), float(facts.control[index])
        return f"singular value {index + 1}: {format_value(value)}, random {format_value(control)}"

    def draw(self, facts: SingularValuesFacts, sight: Sight, width: int, height: int) -> Picture:
        """Both curves under their legend."""
        number = np.arange(1.0, len(facts.values) + 1)
        entries = [Entry("W_E", "train"), Entry("random, same shape and norm", "norm", "dash", ascii_marker=".")]
        top = legend(entries, width, min(legend_rows(height), max(height - 6, 0)), markers=sight.markers)
        drawing = draw_lines(
            [
                Line("random", number, facts.control, "norm", "dash", "."),
                Line("W_E", number, facts.values, "train"),
            ],
            width=width,
            height=height - len(top),
            view=View(
                x_min=1.0,
                log_y=sight.flipped,
                y_min=None if sight.flipped else 0.0,
                cursor=None if sight.cursor is None else sight.cursor[0] + 1.0,
            ),
            markers=sight.markers,
        )
        rows, columns = facts.shape
        title = [
            f"Singular values of W_E, {rows} × {columns}",
            f"the first {facts.leading} above random" if facts.leading else "none above random",
            *(["log y"] if sight.flipped else []),
            *drawing.notes,
        ]
        return Picture(" · ".join(title), (*top, *drawing.rows))
