"""Facts are computed once, on demand, and only offered where they exist."""

from dataclasses import replace
from inspect import signature

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from grokterm.catalog import Catalog
from grokterm.circuit.circuit import Circuit
from grokterm.circuit.network import Network
from grokterm.engine.building import is_cross_entropy
from grokterm.engine.evaluation import Evaluation
from grokterm.engine.task import Task
from grokterm.models.transformer import Transformer
from grokterm.tasks.modular import modular


class Counted(Transformer):
    """Counts how often all inputs are computed."""

    traced = 0

    def trace(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        self.traced += 1
        return super().trace(tokens)


class Table(nn.Module):
    """One logit row a token of the first column: no neurons, no embedding called W_E."""

    def __init__(self, task: Task) -> None:
        super().__init__()
        self.rows = nn.Parameter(torch.randn(task.n_tokens, task.n_classes))

    def trace(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        return self.rows[tokens[:, 0]], tokens.new_zeros(len(tokens), 0)


OTHER_WEIGHTS = {"U", "V", "W", "W_1"}
"""Of models that are no transformers."""


@pytest.fixture
def task() -> Task:
    return modular(p=7)


@pytest.fixture
def model(task: Task) -> Counted:
    torch.manual_seed(0)
    return Counted(task, d_model=8, n_heads=2, d_mlp=6)


def test_every_measure_shares_one_forward_pass(task: Task, model: Counted) -> None:
    catalog, evaluation = Catalog(), Evaluation(model, task)
    assert model.traced == 0
    for name in catalog.names("measures"):
        measure = catalog.load("measures", name)
        asked = {*signature(measure).parameters}
        is_live = not asked & {"circuit", *OTHER_WEIGHTS}
        assert evaluation.applies(measure) == is_live, name
        if is_live:
            evaluation.compute(measure)
    assert model.traced == 1
    assert evaluation.wave_tables is evaluation.wave_tables
    assert not evaluation.logits.requires_grad
    assert not any(weight.requires_grad for weight in evaluation.parameters.values())


def test_facts_have_the_shapes_they_promise(task: Task, model: Counted) -> None:
    evaluation = Evaluation(model, task)
    shapes = {
        "logits": (49, 7),
        "neurons": (49, 6),
        "token_embedding": (7, 8),
        "neuron_to_logit": (7, 6),
        "neuron_fve": (6, 3),
        "neuron_clusters": (3,),
        "key_frequencies": (3,),
        "sum_table": (7, 7),
        "wave_tables": (3, 7, 7),
        "fourier_basis": (7, 7),
    }
    for fact, shape in shapes.items():
        assert evaluation.offers(fact)
        assert tuple(getattr(evaluation, fact).shape) == shape, fact
    assert evaluation.sum_table.dtype == evaluation.wave_tables.dtype == torch.float64
    torch.testing.assert_close(evaluation.neuron_to_logit, model.W_U.detach().T @ model.W_out.detach().T)
    assert torch.equal(evaluation.token_embedding, model.W_E.detach()[:7])


def test_outputs_that_are_no_logits_have_no_losses_of_their_waves(task: Task, model: Counted) -> None:
    catalog, evaluation = Catalog(), Evaluation(model, task, in_nats=False)
    assert not evaluation.applies(catalog.load("measures", "restricted_loss"))
    assert not evaluation.applies(catalog.load("measures", "excluded_loss"))
    assert evaluation.applies(catalog.load("measures", "neuron_clusters"))
    found = {name: is_cross_entropy(catalog.load("losses", name), 7) for name in catalog.names("losses")}
    assert found == {"cross_entropy": True, "cross_entropy_float32": True, "mse": False, "stablemax": True}


def test_parameters_are_facts_by_their_names(task: Task, model: Counted) -> None:
    evaluation = Evaluation(model, task)
    assert evaluation.compute(lambda W_E: W_E) is evaluation.parameters["W_E"]
    assert not evaluation.applies(lambda W_1: W_1)


def test_clusters_count_neurons_of_one_frequency(task: Task) -> None:
    """Neurons made by hand: two of frequency 2, one of frequency 3, one of noise, one that is always off."""
    a, b = task.inputs[:, 0], task.inputs[:, 1]
    angles = 2 * torch.pi / 7 * torch.stack([2 * (a + b), 2 * (a - b) + 1, 3 * a]).double()
    noise = torch.randn(49, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    neurons = torch.stack([*angles.cos(), noise, torch.zeros(49, dtype=torch.float64)], dim=1)

    class Fixed(Table):
        def trace(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
            return torch.zeros(len(tokens), 7, dtype=torch.float64), neurons

    evaluation = Evaluation(Fixed(task), task)
    assert evaluation.neuron_clusters.tolist() == [0, 2, 1]
    assert evaluation.key_frequencies.tolist() == [False, True, True]
    given = torch.tensor([True, False, False])
    assert Evaluation(Fixed(task), task, key_frequencies=given).key_frequencies is given


def test_measures_without_their_facts_do_not_apply(task: Task, model: Counted) -> None:
    catalog = Catalog()

    def applying(evaluation: Evaluation) -> set[str]:
        return {name for name in catalog.names("measures") if evaluation.applies(catalog.load("measures", name))}

    assert applying(Evaluation(model, replace(task, sums=None))) == {"logit_margin", "softmax_collapse", "weight_norm"}
    assert applying(Evaluation(Table(task), task)) == {"logit_margin", "softmax_collapse", "weight_norm"}
    assert not Evaluation(model, task).offers("wave_table")
    assert not Evaluation(Table(task), task).offers("neurons")


def test_a_circuit_is_a_fact_where_one_was_given(task: Task, model: Counted) -> None:
    tensors = {f"model/{name}": weight.detach().numpy() for name, weight in model.named_parameters()}
    given = Circuit(Network.of(tensors), task.recorded())

    def of_both(circuit: Circuit, logits: Tensor) -> dict[str, object]:
        return {"apart": float(np.abs(circuit.logits - logits.numpy()).max()), "clusters": circuit.clusters}

    assert not Evaluation(model, task).applies(of_both)
    numbers, arrays = Evaluation(model, task, circuit=given).results({"both": of_both, "p": lambda circuit: circuit.p})
    assert numbers == {"apart": pytest.approx(0, abs=1e-5), "p": 7.0}
    assert arrays["clusters"].shape == (3,)


def test_task_moves_as_a_whole(task: Task) -> None:
    moved = task.to(torch.device("meta"))
    assert moved.p == 7
    assert moved.inputs.device.type == moved.train.device.type == "meta"
    assert moved.sums is not None
    assert moved.sums.device.type == "meta"
