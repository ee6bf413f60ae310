"""What the microscope's header tells of a checkpoint: its losses, its key frequencies, and which neurons lead there."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grokterm.circuit.circuit import Circuit
from grokterm.circuit.losses import Losses
from grokterm.errors import RunError
from grokterm.tui.microscope.lens import Chooses, Subject


@dataclass(frozen=True, eq=False)
class About:
    """keys: the key frequencies, ascending. leaders: of each of them the neuron that it explains best.

    frequencies (d_mlp,): the frequency k = 1 … that explains most of each neuron. trouble: why there are none of these,
    as where p is even.
    """

    losses: Losses
    keys: tuple[int, ...]
    leaders: tuple[int, ...]
    frequencies: NDArray[np.int64]
    trouble: str = ""

    def next_leader(self, neuron: int, by: int) -> int | None:
        """The leading neuron of the key frequency after this neuron's own, or of that before; None at an end."""
        near = self.next_key(int(self.frequencies[neuron]), by) if neuron < len(self.frequencies) else None
        return None if near is None else self.leaders[self.keys.index(near)]

    def next_key(self, frequency: int, by: int) -> int | None:
        """The next key frequency after one, or the one before; None at an end."""
        beyond = [key for key in self.keys if (key > frequency if by > 0 else key < frequency)]
        return None if not beyond else beyond[0] if by > 0 else beyond[-1]


class AboutLens:
    """Computed as a picture's facts are."""

    key = "about"
    chooses: Chooses = ""

    def look(self, circuit: Circuit, subject: Subject) -> About:  # noqa: ARG002 - of the whole checkpoint
        """Compute it; losses there always are."""
        try:
            fve = circuit.neuron_fve
        except RunError as error:
            return About(circuit.losses, (), (), np.zeros(0, dtype=np.int64), str(error))
        leaders = tuple(int(neuron) for neuron in fve[:, [key - 1 for key in circuit.keys]].argmax(axis=0))
        return About(circuit.losses, tuple(circuit.keys), leaders, circuit.neuron_frequencies)
