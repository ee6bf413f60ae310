"""What is to be known about one checkpoint of a network on pairs (a, b): each fact computed once, when it is asked for.

The microscope, `grokterm probe` and the measures in hindsight ask a Circuit; `engine/evaluation.py` is its counterpart
during training.
"""

import numpy as np
from numpy.typing import NDArray

from grokterm.circuit import waves
from grokterm.circuit.diverged import fact
from grokterm.circuit.losses import Losses, PartLosses, losses, without_each_wave
from grokterm.circuit.network import Array, Network
from grokterm.circuit.saliency import saliency
from grokterm.circuit.through_neurons import ThroughNeurons, through_neurons
from grokterm.errors import RunError
from grokterm.run.recorded_task import RecordedTask

CLUSTER_FVE = 0.85
"""A neuron belongs to a frequency that explains this share of its variance (Nanda et al. 2023, section 4.2)."""


class Circuit:
    """A network and the task that it learned. Arrays are in the network's precision unless they are said to be float64.

    key_frequencies: (frequencies,) bool, those of another checkpoint ("hindsight"); by default those that have a
    cluster in this one. Raises RunError where the task is not one on all pairs of residues. Facts about frequencies
    raise it where p is even, facts about waves of the sum where the task has no sum.
    """

    def __init__(
        self, network: Network, task: RecordedTask, *, key_frequencies: NDArray[np.bool_] | None = None
    ) -> None:
        if not task.is_grid or task.p != network.p:
            raise RunError("what was learned is not a function of all pairs (a, b) of residues mod p")
        self.network = network
        self.task = task
        self._given_keys = key_frequencies

    @property
    def p(self) -> int:
        """The modulus."""
        return self.network.p

    @property
    def has_frequencies(self) -> bool:
        """Whether facts about frequencies exist: where p is odd."""
        return self.p % 2 == 1

    @fact
    def attention(self) -> Array:
        """Where each head looks from the last position, (n_heads, p, p, 3): at a, at b, at the last token itself."""
        return self.network.attention()

    @fact
    def residual(self) -> Array:
        """The residual stream before the MLP at the last position, (p², d_model)."""
        return self.network.residual(self.network.attended(self.attention))

    @fact
    def pre_activations(self) -> Array:
        """What the neurons get before the ReLU, (p², d_mlp)."""
        return self.network.pre_activations(self.residual)

    @fact
    def neurons(self) -> Array:
        """The neurons' activations after the ReLU, (p², d_mlp). Those before it are not kept: few ask for them."""
        return self.network.neurons(self.residual)

    @fact
    def _through_neurons(self) -> ThroughNeurons:
        """What is asked of all neurons but needs no more than those at one a at a time."""
        known: Array | None = vars(self).get("neurons")
        if known is not None:
            each = (some.copy() for some in known.reshape(self.p, self.p, -1))
        else:
            each = (self.network.neurons(some) for some in self.residual.reshape(self.p, self.p, -1))
        return through_neurons(each, self.W_L, self.p)

    @fact
    def neuron_logits(self) -> Array:
        """What the neurons alone add to the logits, (p², p)."""
        return self._through_neurons.logits

    @fact
    def skip_logits(self) -> Array:
        """What goes past the neurons adds to the logits, the residual stream before them and b_out, (p², p)."""
        return (self.residual + self.network.b_out) @ self.network.W_U

    @fact
    def logits(self) -> Array:
        """(p², p)."""
        logits = self.residual @ self.network.W_U
        logits += self.network.b_out @ self.network.W_U
        logits += self.neuron_logits
        return logits

    @fact
    def losses(self) -> Losses:
        """Of the network as it is."""
        return losses(self.logits, self.task)

    @property
    def W_E(self) -> Array:  # noqa: N802 - the papers' name
        """The embedding of the residues, (p, d_model): without the row of the last token."""
        return self.network.W_E[: self.p]

    @fact
    def W_L(self) -> Array:  # noqa: N802 - the papers' name
        """W_U · W_out, the neuron-to-logit map, (p, d_mlp)."""
        return self.network.neuron_to_logit()

    @fact
    def neuron_fve(self) -> Array:
        """(d_mlp, frequencies): share of each neuron's variance that each frequency explains."""
        fve = self._through_neurons.fve
        if fve is None:
            raise waves.no_frequencies(self.p)
        return fve

    @fact
    def neuron_frequencies(self) -> NDArray[np.int64]:
        """(d_mlp,): the frequency k = 1 … that explains most of each neuron."""
        frequencies: NDArray[np.int64] = self.neuron_fve.argmax(axis=1) + 1
        return frequencies

    @fact
    def dead_neurons(self) -> NDArray[np.bool_]:
        """(d_mlp,): those that are off whatever the input."""
        return np.logical_not(self._through_neurons.on)

    @fact
    def saliency(self) -> Array:
        """(d_mlp,): per neuron the median over all inputs of |activation × d loss / d activation|."""
        return saliency(self.logits, self.task.labels, self.neurons, self.W_L)

    @fact
    def in_cluster(self) -> NDArray[np.bool_]:
        """(d_mlp,): the neurons that belong to their frequency."""
        belongs: NDArray[np.bool_] = self.neuron_fve.max(axis=1) >= CLUSTER_FVE
        return belongs

    @fact
    def clusters(self) -> NDArray[np.int64]:
        """(frequencies,): how many neurons belong to each frequency."""
        return np.bincount(self.neuron_frequencies[self.in_cluster] - 1, minlength=self.neuron_fve.shape[1])

    @fact
    def key_frequencies(self) -> NDArray[np.bool_]:
        """(frequencies,): those with a cluster, or the set that was given."""
        return self.clusters > 0 if self._given_keys is None else self._given_keys

    @property
    def keys(self) -> list[int]:
        """The key frequencies by their numbers, ascending."""
        return [int(k) + 1 for k in np.flatnonzero(self.key_frequencies)]

    @fact
    def sums(self) -> NDArray[np.int64]:
        """(p²,): the residue in whose waves the answers are. Raises RunError for a task without one."""
        if self.task.sums is None:
            raise RunError("what was learned has no sum a + b or difference a − b in whose waves the answers could be")
        return self.task.sums

    @fact
    def logit_spectrum(self) -> Array:
        """(p, p): norm over the classes of each entry of the logits' 2D transform, each class's mean taken away."""
        return waves.spectrum(self.logits)

    @fact
    def sum_table(self) -> waves.Floats:
        """(p, p): mean logits of the inputs that share a sum."""
        return waves.sum_table(self.logits, self.sums)

    @fact
    def wave_tables(self) -> waves.Floats:
        """(frequencies, p, p): the logits' part in each frequency as a function of the sum."""
        return waves.wave_tables(self.sum_table)

    @fact
    def without_each_frequency(self) -> PartLosses:
        """The losses with one frequency removed from the logits along the sum directions, (frequencies,)."""
        return without_each_wave(self.logits, self.wave_tables, self.sums, self.task)
