"""Panel 6: how sparse and how sure the network has become: Gini, logit FVE, neurons in clusters, margin."""

from collections.abc import Sequence

from grokterm.ancestry import names
from grokterm.catalog import part
from grokterm.history import History
from grokterm.tui.hindsight import in_hindsight
from grokterm.tui.looks import Looks
from grokterm.tui.panel import Curve, CurvePanel, Drawn, Picture, draw_curves, drawn

MARGIN_FROM = 16
"""Rows from which the margin, which has a scale of its own, gets a chart of its own under the shares."""


@part
class Sparsity(CurvePanel):
    """Shares between 0 and 1 above, the logit margin below them where there is room."""

    digit = 6
    name = "Gini · logit FVE"
    both = "Gini · logit FVE · thick (h): hindsight"
    limits = (0.0, 1.0)
    curves = (
        Curve("gini_embedding", "Gini W_E", "train", "solid", "*", "W_E"),
        Curve("gini_unembedding", "Gini W_L", "test", "long", "o", "W_L"),
        Curve("logit_fve", "logit FVE", "restricted", "dash", "+", "FVE"),
        Curve("neuron_fve", "neuron FVE", "excluded", "dot", "x", "neuron"),
    )
    beside = (in_hindsight(curves[2], "F"),)
    margins = (
        Curve("logit_margin_mean", "mean margin", "fifth", "solid", "#"),
        Curve("logit_margin_min", "least", "sixth", "dash", "%"),
    )

    def draw(self, history: History, looks: Looks, width: int, height: int) -> Picture:
        """One chart, or two above one another."""
        margins = self._recorded(history, self.margins)
        if height < MARGIN_FROM or not margins:
            alone = super().draw(history, looks, width, height)
            values = [f"{margin.curve.label} {margin.text(looks.cursor)}" for margin in margins]
            return Picture(" · ".join([alone.title, *values]), alone.rows)
        above = super().draw(history, looks, width, height - height // 2)
        below = draw_curves("margin", margins, history, looks, width, height // 2, log_y=False)
        return Picture(f"{above.title} · {below.title}", (*above.rows, *below.rows))

    def _recorded(self, history: History, curves: Sequence[Curve]) -> list[Drawn]:
        recorded = set(names(history))
        return drawn([curve for curve in curves if curve.column in recorded], history, self.series)
