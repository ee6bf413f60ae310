"""Panel 8: every recorded number that no other panel shows."""

from collections.abc import Sequence

from grokterm.ancestry import names
from grokterm.catalog import part
from grokterm.history import History
from grokterm.tui.panel import ASCII_MARKERS, PATTERNS, Curve, CurvePanel
from grokterm.tui.panels.accuracy import Accuracy
from grokterm.tui.panels.excluded import Excluded
from grokterm.tui.panels.loss import Loss
from grokterm.tui.panels.sparsity import Sparsity
from grokterm.tui.panels.weight_norm import PREFIX

COLOURS = ("train", "test", "restricted", "excluded", "fifth", "sixth")
ELSEWHERE = {curve.column for panel in (Loss, Accuracy, Excluded, Sparsity) for curve in panel.curves}
ELSEWHERE |= {curve.column for curve in Sparsity.margins} | {"weight_norm_sq", "weight_norm"}
KNOBS = {"lr", "weight_decay", "beta1", "beta2", "eps", "seconds"}
"""Shown in the header, or of no use as a curve."""


@part
class Others(CurvePanel):
    """Gradient and update norm, and whatever else the run's measures record."""

    digit = 8
    name = "Other measures"
    log_y = True

    def curves_of(self, history: History) -> Sequence[Curve]:
        """What is left."""
        left = [name for name in names(history) if name not in ELSEWHERE | KNOBS and not name.startswith(PREFIX)]
        looks = [(colour, pattern) for pattern in PATTERNS for colour in COLOURS]
        return [
            Curve(name, name.replace("_", " "), *looks[index % len(looks)], ASCII_MARKERS[index % len(ASCII_MARKERS)])
            for index, name in enumerate(left)
        ]
