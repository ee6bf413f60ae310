"""Panel 1: the loss, on which grokking is seen."""

from grokterm.ancestry import names
from grokterm.catalog import part
from grokterm.history import History
from grokterm.tui.hindsight import in_hindsight
from grokterm.tui.panel import Curve, CurvePanel


@part
class Loss(CurvePanel):
    """Train and test loss, restricted and excluded loss, with the phases under the axis."""

    digit = 1
    name = "Loss (restricted, excluded: live)"
    both = "Loss · thin: live · thick (h): hindsight"
    log_y = True
    ribbon = True
    curves = (
        Curve("train_loss", "train", "train", "solid", "*"),
        Curve("test_loss", "test", "test", "long", "o"),
        Curve("restricted_loss", "restricted", "restricted", "dash", "+", "restr."),
        Curve("excluded_loss", "excluded", "excluded", "dot", "x", "excl."),
    )
    beside = (in_hindsight(curves[2], "R"), in_hindsight(curves[3], "E"))

    def title(self, history: History) -> str:
        """Whose key frequencies restricted and excluded loss have, where there are any."""
        return super().title(history) if "restricted_loss" in names(history) else "Loss"
