"""Panel 5: the progress measures, restricted and excluded loss, with one curve per key frequency."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from grokterm.ancestry import array_at
from grokterm.catalog import part
from grokterm.history import History
from grokterm.tui.hindsight import in_hindsight
from grokterm.tui.panel import Curve, CurvePanel
from grokterm.tui.panels.fourier import key_frequencies

BY_FREQUENCY = "excluded_loss_k"
MOST_FREQUENCIES = 6
COLOURS = ("fifth", "sixth", "norm", "train", "test", "restricted")


@part
class Excluded(CurvePanel):
    """Excluded loss in all, its maximum over single frequencies, and each key frequency of the newest step alone.

    The maximum and the single ones need no key frequencies, so that hindsight knows no better.
    """

    digit = 5
    name = "Excluded / restricted loss, live keys"
    both = "Excluded / restricted loss · thick (h): hindsight"
    log_y = True
    curves = (
        Curve("excluded_loss", "excluded", "excluded", "solid", "x", "excl."),
        Curve("excluded_loss_max", "max k", "excluded", "dash", "#"),
        Curve("restricted_loss", "restricted", "restricted", "dash", "+", "restr."),
    )
    beside = (in_hindsight(curves[0], "E"), in_hindsight(curves[2], "R"))

    def curves_of(self, history: History) -> Sequence[Curve]:
        """The fixed ones, and the key frequencies whose removal costs most."""
        curves = [*super().curves_of(history)]
        losses = array_at(history, BY_FREQUENCY, None).values
        if len(losses):
            keys = sorted(key_frequencies(history, None), key=lambda k: -losses[-1][k - 1])[:MOST_FREQUENCIES]
            curves += [
                Curve(f"{BY_FREQUENCY}/{k}", f"k={k}", colour, "dot", str(k % 10))
                for k, colour in zip(sorted(keys), COLOURS, strict=False)
            ]
        return curves

    def series(self, history: History, column: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """A frequency's curve is one column of the vectors."""
        name, _, k = column.partition("/")
        if name != BY_FREQUENCY:
            return super().series(history, column)
        found = history.array(BY_FREQUENCY)
        if found.values.shape[1] < int(k):  # an ancestor that did not record them
            return found.steps[:0], np.zeros(0)
        return found.steps, found.values[:, int(k) - 1].astype(np.float64)
