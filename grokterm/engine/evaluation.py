"""Facts about one state of the weights: each computed once, when a measure first asks for it, and shared.

A measure is a function whose arguments are names of facts. It applies to a run when every fact it asks for exists
there: on a task with sums there are Fourier facts, elsewhere none. Every parameter is a fact by its own name (`W_1`).
`circuit` exists in hindsight only: what a measure reads from it is too dear for every few steps of training, or wants
the final key frequencies.
"""

from collections.abc import Callable, Mapping
from functools import cached_property
from inspect import signature
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from grokterm import fourier
from grokterm.circuit.circuit import CLUSTER_FVE, Circuit
from grokterm.engine.task import Task


class Evaluation:
    """Facts about `model` on every input of `task`; without gradients. Tensors stay on the model's device."""

    def __init__(
        self,
        model: nn.Module,
        task: Task,
        *,
        key_frequencies: Tensor | None = None,
        circuit: Circuit | None = None,
        in_nats: bool = True,
    ) -> None:
        """key_frequencies, circuit: of a saved state that is measured in hindsight. in_nats: whether the outputs were
        trained as logits, with a cross-entropy; without, losses of parts of them would mean nothing."""
        self.model = model
        self.task = task
        self._given_keys = key_frequencies
        self._circuit = circuit
        self._in_nats = in_nats

    @cached_property
    def _traced(self) -> tuple[Tensor, Tensor]:
        with torch.no_grad():
            traced: tuple[Tensor, Tensor] = self.model.trace(self.task.inputs)  # type: ignore[operator]
        return traced

    @property
    def logits(self) -> Tensor:
        """(n, n_classes), the model's dtype: every input of the task."""
        return self._traced[0]

    @property
    def neurons(self) -> Tensor:
        """(n, d_mlp): activations of the last layer of neurons; of a transformer, at the last position."""
        return self._traced[1]

    @property
    def labels(self) -> Tensor:
        """(n,) int64."""
        return self.task.labels

    @property
    def train(self) -> Tensor:
        """Row numbers of the training part."""
        return self.task.train

    @property
    def test(self) -> Tensor:
        """Row numbers of the test part."""
        return self.task.test

    @cached_property
    def parameters(self) -> Mapping[str, Tensor]:
        """Every trained tensor by its name."""
        return {name: weight.detach() for name, weight in self.model.named_parameters()}

    @property
    def sums(self) -> Tensor:
        """(n,): the residue in whose waves the logits are expected."""
        assert self.task.sums is not None
        return self.task.sums

    @cached_property
    def fourier_basis(self) -> Tensor:
        """(p, p) in the model's dtype."""
        assert self.task.p is not None
        return fourier.basis(self.task.p, dtype=self.logits.dtype, device=self.logits.device)

    @property
    def token_embedding(self) -> Tensor:
        """(p, d_model): W_E without the row of `=`."""
        return self.parameters["W_E"][: self.task.p]

    @cached_property
    def neuron_to_logit(self) -> Tensor:
        """W_L = W_U · W_out in the paper's orientation, (p, d_mlp)."""
        return (self.parameters["W_out"] @ self.parameters["W_U"]).T[: self.task.p]

    @cached_property
    def neuron_fve(self) -> Tensor:
        """(d_mlp, frequencies): share of each neuron's variance that each frequency explains."""
        return fourier.neuron_fve(self.neurons, self.fourier_basis)

    @cached_property
    def neuron_clusters(self) -> Tensor:
        """(frequencies,) int64: how many neurons belong to each frequency."""
        explained, frequency = self.neuron_fve.max(dim=1)
        return torch.bincount(frequency[explained >= CLUSTER_FVE], minlength=self.neuron_fve.shape[1])

    @cached_property
    def key_frequencies(self) -> Tensor:
        """(frequencies,) bool: those with a cluster now ("live"), or the set that was given ("hindsight")."""
        return self.neuron_clusters > 0 if self._given_keys is None else self._given_keys

    @cached_property
    def sum_table(self) -> Tensor:
        """(p, n_classes) float64: mean logits of the inputs that share a sum."""
        assert self.task.p is not None
        return fourier.sum_table(self.logits, self.sums, self.task.p)

    @cached_property
    def wave_tables(self) -> Tensor:
        """(frequencies, p, n_classes) float64: the logits' part in each frequency as a function of the sum."""
        assert self.task.p is not None
        return fourier.wave_tables(self.sum_table, fourier.basis(self.task.p, device=self.logits.device))

    @property
    def circuit(self) -> Circuit:
        """The same state as `grokterm.circuit` sees it, with NumPy; what was given."""
        assert self._circuit is not None
        return self._circuit

    def offers(self, fact: str) -> bool:
        """Whether this fact exists for this task and model."""
        names = {name for name, _ in self.model.named_parameters()}
        has_neurons = getattr(self.model, "has_neurons", False)
        has_waves = self.task.sums is not None
        always = {"logits", "labels", "train", "test", "parameters"}
        on_waves = {"sums", "fourier_basis", "sum_table", *(["wave_tables"] if self._in_nats else [])}
        of_neurons = {"neuron_fve", "neuron_clusters", "key_frequencies"}
        return (
            fact in always
            or fact in names
            or (fact == "neurons" and has_neurons)
            or (has_waves and fact in on_waves)
            or (has_waves and has_neurons and fact in of_neurons)
            or (has_waves and {"W_out", "W_U"} <= names and fact == "neuron_to_logit")
            or (has_waves and "W_E" in names and fact == "token_embedding")
            or (self._circuit is not None and fact == "circuit")
        )

    def applies(self, measure: Callable[..., Any]) -> bool:
        """Whether every fact that a measure asks for exists here."""
        return all(self.offers(fact) for fact in signature(measure).parameters)

    def compute(self, measure: Callable[..., Any]) -> Any:
        """Call a measure with the facts it asks for."""
        return measure(**{fact: self._fact(fact) for fact in signature(measure).parameters})

    def _fact(self, fact: str) -> Any:
        return self.parameters[fact] if fact in self.parameters else getattr(self, fact)

    def results(self, measures: Mapping[str, Callable[..., Any]]) -> tuple[dict[str, float], dict[str, NDArray[Any]]]:
        """What measures make of this state: the single numbers, and the vectors and matrices, by name.

        A measure that returns one value gives it its own name. Tensors and NumPy arrays count alike.
        """
        numbers: dict[str, float] = {}
        arrays: dict[str, NDArray[Any]] = {}
        for name, measure in measures.items():
            result = self.compute(measure)
            for column, value in (result if isinstance(result, dict) else {name: result}).items():
                if isinstance(value, Tensor | np.ndarray) and value.ndim:
                    arrays[column] = value.cpu().numpy() if isinstance(value, Tensor) else value
                else:
                    numbers[column] = float(value)
        return numbers, arrays
