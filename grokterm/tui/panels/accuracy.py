"""Panel 2: the accuracy."""

from grokterm.catalog import part
from grokterm.tui.panel import Curve, CurvePanel


@part
class Accuracy(CurvePanel):
    """Share of right answers on train and test."""

    digit = 2
    name = "Accuracy"
    limits = (0.0, 1.0)
    curves = (
        Curve("train_accuracy", "train", "train", "solid", "*"),
        Curve("test_accuracy", "test", "test", "long", "o"),
    )
