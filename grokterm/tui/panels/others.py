"""Panel 8: every recorded number that no other panel shows."""

from collections.abc import Collection, Sequence

from grokterm.ancestry import names
from grokterm.catalog import part
from grokterm.history import History
from grokterm.run.hindsight import PREFIX as HINDSIGHT
from grokterm.tui.hindsight import SIGN, repeats
from grokterm.tui.panel import ASCII_MARKERS, PATTERNS, Curve, CurvePanel
from grokterm.tui.panels.accuracy import Accuracy
from grokterm.tui.panels.excluded import Excluded
from grokterm.tui.panels.loss import Loss
from grokterm.tui.panels.sparsity import Sparsity
from grokterm.tui.panels.weight_norm import PREFIX

COLOURS = ("train", "test", "restricted", "excluded", "fifth", "sixth")
ELSEWHERE = {curve.column for panel in (Loss, Accuracy, Excluded, Sparsity) for curve in (*panel.curves, *panel.beside)}
ELSEWHERE |= {curve.column for curve in Sparsity.margins} | {"weight_norm_sq", "weight_norm"}
KNOBS = {"lr", "weight_decay", "beta1", "beta2", "eps", "seconds"}
"""Shown in the header, or of no use as a curve."""


@part
class Others(CurvePanel):
    """Gradient and update norm, whatever else the run's measures record, and what is known in hindsight only."""

    digit = 8
    name = "Other measures"
    log_y = True

    def curves_of(self, history: History) -> Sequence[Curve]:
        """What is left."""
        left = left_over(names(history), KNOBS | history.knobs.keys())
        looks = [(colour, pattern) for pattern in PATTERNS for colour in COLOURS]
        return [
            Curve(name, label_of(name), *looks[index % len(looks)], ASCII_MARKERS[index % len(ASCII_MARKERS)])
            for index, name in enumerate(left)
        ]

    def title(self, history: History) -> str:
        """With what the sign of the hindsight curves means: in full it would leave the legend no room."""
        known = any(curve.column.startswith(HINDSIGHT) for curve in self.curves_of(history))
        return f"{self.name} · {SIGN} hindsight" if known else self.name


def left_over(recorded: Sequence[str], known: Collection[str]) -> list[str]:
    """The series that no other panel shows, without those in `known` and what hindsight only repeats."""
    live = frozenset(recorded)
    return [
        name
        for name in recorded
        if name not in ELSEWHERE and name not in known and not name.startswith(PREFIX) and not repeats(name, live)
    ]


def label_of(name: str) -> str:
    """What a legend calls a series."""
    live = name.removeprefix(HINDSIGHT)
    return live.replace("_", " ") + (f" {SIGN}" if live != name else "")
