"""Panel 3: the weight norm, which weight decay pulls down once the circuit carries the answer."""

from collections.abc import Sequence

from grokterm.ancestry import names, value_at
from grokterm.catalog import part
from grokterm.history import History
from grokterm.tui.panel import ASCII_MARKERS, PATTERNS, Curve, CurvePanel

PREFIX = "weight_norm_sq/"
COLOURS = ("train", "test", "restricted", "excluded", "fifth", "sixth")


@part
class WeightNorm(CurvePanel):
    """Σ w² in all and per parameter: the paper's "L2 norm" curve."""

    digit = 3
    name = "Weight norm²"

    def curves_of(self, history: History) -> Sequence[Curve]:
        """The total, then every parameter, largest first."""
        recorded = names(history)
        parameters = [name for name in recorded if name.startswith(PREFIX)]
        last = {name: found[1] if (found := value_at(history, name, history.step)) else 0.0 for name in parameters}
        looks = [(colour, pattern) for pattern in PATTERNS for colour in COLOURS]
        known = {name: index for index, name in enumerate(parameters)}  # colours stay with the parameter
        curves = [
            Curve(name, name.removeprefix(PREFIX), *looks[known[name] % len(looks)], ASCII_MARKERS[known[name] % 9 + 1])
            for name in sorted(parameters, key=lambda name: -last[name])
        ]
        total = [Curve("weight_norm_sq", "total", "norm", "solid", "*")] if "weight_norm_sq" in recorded else []
        return [*total, *curves]
