"""Picture 9: the loss when one frequency is taken out of the logits; only the key ones matter, in the end."""

from dataclasses import dataclass
from typing import Literal

from grokterm.circuit.circuit import Circuit
from grokterm.circuit.losses import Losses
from grokterm.circuit.waves import Floats
from grokterm.drawing.chart import draw_bars
from grokterm.drawing.ticks import format_value
from grokterm.tui.microscope.lens import Chooses, Sight, Subject
from grokterm.tui.panel import Picture


@dataclass(frozen=True, eq=False, slots=True)
class FrequencyAblationFacts:
    """The losses without each frequency, each (frequencies,), and as they are; keys: the key frequencies."""

    all: Floats
    train: Floats
    test: Floats
    whole: Losses
    keys: tuple[int, ...]


class FrequencyAblation:
    """One bar a frequency, on a logarithmic axis, before a line at the loss of the whole network."""

    key = "9"
    name = "Ablations"
    chooses: Chooses = ""
    along: Literal["frequency"] = "frequency"

    def look(self, circuit: Circuit, subject: Subject) -> FrequencyAblationFacts:  # noqa: ARG002 - all frequencies
        """Remove every frequency along its sum directions. Raises RunError where the task has no sum or p is even."""
        without = circuit.without_each_frequency
        return FrequencyAblationFacts(without.all, without.train, without.test, circuit.losses, tuple(circuit.keys))

    def extent(self, facts: FrequencyAblationFacts) -> tuple[int, int]:
        """Every frequency."""
        return len(facts.all), 1

    def reading(self, facts: FrequencyAblationFacts, sight: Sight) -> str:
        """The loss without the frequency on all inputs, against that of the whole network, on train and on test."""
        if sight.cursor is None:
            return ""
        index = sight.cursor[0]
        every, train, test = (format_value(float(each[index])) for each in (facts.all, facts.train, facts.test))
        whole = format_value(facts.whole.all)
        return f"without {index + 1}: all {every} (with it {whole}), train {train}, test {test}"

    def draw(self, facts: FrequencyAblationFacts, sight: Sight, width: int, height: int) -> Picture:
        """The bars of the loss on all inputs; those of key frequencies are named."""
        drawing = draw_bars(
            facts.all,
            width=width,
            height=height,
            style="bar",
            highlighted={k: str(k) for k in facts.keys},
            log_y=not sight.flipped,
            baseline=facts.whole.all,
            cursor=None if sight.cursor is None else sight.cursor[0] + 1,
            markers=sight.markers,
        )
        title = [
            f"Loss without one frequency{'' if sight.flipped else ', log y'}",
            f"with all {format_value(facts.whole.all)}",
            *drawing.notes,
        ]
        return Picture(" · ".join(title), drawing.rows)
