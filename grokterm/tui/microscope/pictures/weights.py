"""Picture w: every parameter of the checkpoint, how large it is and how much of the weight norm it holds."""

import math
from dataclasses import dataclass

from grokterm.circuit.circuit import Circuit
from grokterm.circuit.parameters import Parameter, parameter_table
from grokterm.drawing.ticks import format_value
from grokterm.drawing.values_table import Column, draw_table
from grokterm.tui.microscope.lens import Chooses, Sight, Subject
from grokterm.tui.panel import Picture

BAR = 16
"""Cells of the bar of the parameter that holds most of the weight norm."""
EIGHTHS = " ▏▎▍▌▋▊▉█"


@dataclass(frozen=True, slots=True)
class WeightsFacts:
    """One row a parameter."""

    parameters: tuple[Parameter, ...]

    @property
    def total(self) -> Parameter:
        """All of them together."""
        each = self.parameters
        count, sumsq = sum(row.count for row in each), sum(row.sumsq for row in each)
        return Parameter(
            name="all",
            shape=(),
            count=count,
            sumsq=sumsq,
            share=sum(row.share for row in each),
            rms=(sumsq / count) ** 0.5,
            largest=max(row.largest for row in each),
            zeros=sum(row.zeros * row.count for row in each) / count,
        )


class Weights:
    """A table."""

    key = "w"
    name = "Weights"
    chooses: Chooses = ""

    def look(self, circuit: Circuit, subject: Subject) -> WeightsFacts:  # noqa: ARG002 - of the whole network
        """Measure every parameter."""
        return WeightsFacts(parameter_table(circuit.network.parameters))

    def extent(self, facts: WeightsFacts) -> tuple[int, int]:
        """Every row."""
        return 1, len(facts.parameters)

    def reading(self, facts: WeightsFacts, sight: Sight) -> str:
        """The row in words."""
        if sight.cursor is None:
            return ""
        row = facts.parameters[sight.cursor[1]]
        zeros = f", {row.zeros:.1%} zeros" if row.zeros else ""
        norm = f"norm² {row.sumsq:.6g} ({row.share:.2%})"
        return f"{row.name}: {norm}, RMS {row.rms:.6g}, largest {row.largest:.6g}{zeros}"

    def draw(self, facts: WeightsFacts, sight: Sight, width: int, height: int) -> Picture:
        """The table, as many columns of it as have room, over a row for all parameters together."""
        rows = (*facts.parameters, facts.total)
        columns = [
            Column("parameter", tuple(row.name for row in rows), 9, "left", ""),
            Column("shape", tuple(" × ".join(map(str, row.shape)) for row in rows), 4, "left", "quiet"),
            Column("weights", tuple(f"{row.count:,}" for row in rows), 3),
            Column("norm²", tuple(format_value(row.sumsq) for row in rows), 8),
            Column("share", tuple(f"{row.share:.1%}" for row in rows), 7),
            Column("", _bars(facts.parameters, ascii_only=sight.markers == "ascii"), 1, "left", "bar"),
            Column("RMS", tuple(format_value(row.rms) for row in rows), 6),
            Column("largest", tuple(format_value(row.largest) for row in rows), 5),
            Column("zeros", tuple(f"{row.zeros:.1%}" for row in rows), 2),
        ]
        drawing = draw_table(
            columns,
            width=width,
            height=height,
            last_apart=True,
            cursor=None if sight.cursor is None else sight.cursor[1],
            markers=sight.markers,
        )
        title = [f"{len(facts.parameters)} parameters", f"norm² {format_value(facts.total.sumsq)}", *drawing.notes]
        return Picture(" · ".join(title), drawing.rows)


def _bars(parameters: tuple[Parameter, ...], *, ascii_only: bool) -> tuple[str, ...]:
    """Bars to the right for the shares, by eighths of a cell, and nothing for their sum."""
    shares = [row.share if math.isfinite(row.share) else 0.0 for row in parameters]
    largest = max(shares) or 1.0
    eighths = [round(share / largest * BAR * 8) for share in shares]
    if ascii_only:
        return (*("#" * round(each / 8) for each in eighths), "")
    return (*("█" * (each // 8) + EIGHTHS[each % 8].strip() for each in eighths), "")
