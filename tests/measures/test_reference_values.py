"""Our measures on two checkpoints of other people, against an independent implementation's numbers."""

import math
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from grokterm import fourier
from grokterm.catalog import Catalog
from grokterm.engine.building import measures_of
from grokterm.engine.cross_entropy import cross_entropy, table_cross_entropy
from grokterm.engine.evaluation import Evaluation
from grokterm.tasks.modular import modular
from tests import reference
from tests.reference import FORMS, NAMES, NANDA, TRANSFORMER_LENS, Form

pytestmark = reference.needed

RTOL = {torch.float64: 1e-5, torch.float32: 1e-4}
"""Of a float64 and of a float32 forward pass; the cross-entropy is float64 in both."""

on_every_model = pytest.mark.parametrize("name", NAMES)
in_every_form = pytest.mark.parametrize("form", FORMS)
in_both_precisions = pytest.mark.parametrize("dtype", RTOL, ids=["float64", "float32"])


@cache
def evaluated(name: str, form: Form, dtype: torch.dtype) -> Evaluation:
    found = reference.load(name)
    return Evaluation(found.model(form, dtype), found.task)


@cache
def measured(name: str, form: Form, dtype: torch.dtype) -> dict[str, Any]:
    """Every number that the packaged measures of a live run give, by its column's name."""
    evaluation = evaluated(name, form, dtype)
    numbers: dict[str, Any] = {}
    for measure, function in measures_of(evaluation, Catalog()).items():
        result = evaluation.compute(function)
        numbers |= result if isinstance(result, dict) else {measure: result}
    return numbers


def expected(name: str, *path: str) -> Any:
    found: Any = reference.load(name).expected
    for key in path:
        found = found[key]
    return found


def frequencies(numbers: dict[str, int]) -> Tensor:
    """The counts of expected.json, as one number a frequency 1 … 56."""
    return torch.tensor([numbers.get(str(k), 0) for k in range(1, 57)], dtype=torch.float64)


NUMBERS = {
    "restricted_loss": ("restricted_10dir", "all"),
    "restricted_loss_train": ("restricted_10dir", "train"),
    "restricted_loss_test": ("restricted_10dir", "test"),
    "excluded_loss": ("excluded_2D_full", "train"),
    "excluded_loss_max": ("excluded_2D_max56",),
    "excluded_loss_k": ("excluded_2D_all56_train",),
    "logit_fve": ("logit_approx", "fve_rowcentred"),
    "logit_cosines_loss": ("logit_approx", "loss", "all"),
    "fourier_embedding": ("WE_norms",),
    "fourier_unembedding": ("WL_norms",),
    "gini_embedding": ("gini_WE", "components113"),
    "gini_unembedding": ("gini_WL", "components113"),
    "logit_margin_min": ("margin", "min"),
    "logit_margin_mean": ("margin", "mean"),
    "neuron_fve": ("neuron_fve_mean",),
    "neurons_in_clusters": ("n_neurons_ge_0.85",),
}


@on_every_model
@in_every_form
@in_both_precisions
@pytest.mark.parametrize("column", NUMBERS)
def test_measure(name: str, form: Form, dtype: torch.dtype, column: str) -> None:
    found = measured(name, form, dtype)[column].double().numpy()
    np.testing.assert_allclose(found, expected(name, *NUMBERS[column]), rtol=RTOL[dtype], atol=0)


@on_every_model
@in_every_form
@in_both_precisions
def test_losses_and_accuracies(name: str, form: Form, dtype: torch.dtype) -> None:
    evaluation = evaluated(name, form, dtype)
    for part, rows in (("train", evaluation.train), ("test", evaluation.test)):
        loss, accuracy = cross_entropy(evaluation.logits[rows], evaluation.labels[rows])
        kind = "loss_f64fwd" if dtype == torch.float64 else "loss_f32fwd"
        np.testing.assert_allclose(float(loss), expected(name, kind, part), rtol=RTOL[dtype])
        np.testing.assert_allclose(float(loss), expected(name, "loss_f64fwd", part), rtol=RTOL[dtype])
        np.testing.assert_allclose(float(accuracy), expected(name, "acc", part), rtol=1e-9)


@on_every_model
@in_every_form
def test_clusters_and_key_frequencies(name: str, form: Form) -> None:
    numbers = measured(name, form, torch.float32)
    assert numbers["neuron_clusters"].tolist() == frequencies(expected(name, "clusters_ge_0.85")).tolist()
    keys = evaluated(name, form, torch.float32).key_frequencies.nonzero()[:, 0] + 1
    assert keys.tolist() == expected(name, "keys_neuron085")
    assert int(numbers["key_frequencies"]) == len(expected(name, "keys_neuron085"))


@on_every_model
@in_every_form
def test_excluded_loss_of_each_key_frequency(name: str, form: Form) -> None:
    single = measured(name, form, torch.float64)["excluded_loss_k"]
    for k, loss in expected(name, "excluded_2D_per").items():
        assert float(single[int(k) - 1]) == pytest.approx(loss, rel=1e-5)


@on_every_model
@in_every_form
def test_logit_cosines(name: str, form: Form) -> None:
    """Coefficients span seven orders of magnitude, and in float64 the smallest is as exact as the largest.

    A float32 forward pass rounds each logit by up to 4e-6, which leaves 1e-3 in any coefficient.
    """
    coefficients = np.array(expected(name, "cos_coeff"))
    assert np.ptp(np.log10(np.abs(coefficients))) > 6
    exact = measured(name, form, torch.float64)["logit_cosines"].numpy()
    np.testing.assert_allclose(exact, coefficients, rtol=1e-5, atol=0)
    rounded = measured(name, form, torch.float32)["logit_cosines"].numpy()
    np.testing.assert_allclose(rounded, coefficients, rtol=1e-4, atol=1e-3)


@on_every_model
@in_both_precisions
def test_sums_of_squares(name: str, dtype: torch.dtype) -> None:
    numbers, found = measured(name, "fast", dtype), reference.load(name)
    sums = found.expected["sumsq"]
    ours = {column.partition("/")[2]: float(value) for column, value in numbers.items() if "/" in column}
    assert ours.keys() == found.weights.keys()
    for parameter, square in ours.items():
        dropped = found.dropped_sq if parameter == "W_U" else 0.0
        assert square + dropped == pytest.approx(sums[parameter], rel=1e-8)
    assert float(numbers["weight_norm_sq"]) + found.dropped_sq == pytest.approx(sums["total"], rel=1e-8)
    assert float(numbers["weight_norm"]) ** 2 == pytest.approx(float(numbers["weight_norm_sq"]))


# What a plausible mistake would give, and how far it is from the truth.


@on_every_model
def test_restricted_loss_without_the_mean_is_another_number(name: str) -> None:
    evaluation = evaluated(name, "fast", torch.float64)
    table = evaluation.wave_tables[evaluation.key_frequencies].sum(dim=0)
    wrong = float(table_cross_entropy(table, evaluation.sums, evaluation.labels).mean())
    assert wrong == pytest.approx(expected(name, "restricted_10dir_no_bias", "all"), rel=1e-5)
    assert wrong > 5 * float(measured(name, "fast", torch.float64)["restricted_loss"])


def test_float32_cross_entropy_loses_the_tail() -> None:
    evaluation = evaluated(TRANSFORMER_LENS, "fast", torch.float32)
    logits, labels = evaluation.logits[evaluation.train], evaluation.labels[evaluation.train]
    right = expected(TRANSFORMER_LENS, "loss_f64fwd", "train")
    assert abs(float(functional.cross_entropy(logits, labels)) / right - 1) > 0.1
    assert float(cross_entropy(logits, labels)[0]) == pytest.approx(right, rel=1e-4)


@pytest.mark.parametrize(("name", "split"), [(TRANSFORMER_LENS, "python"), (NANDA, "torch")])
def test_wrong_split_shows(name: str, split: Any) -> None:
    evaluation = evaluated(name, "fast", torch.float64)
    train = modular(split=split, split_seed=1).train
    loss = float(cross_entropy(evaluation.logits[train], evaluation.labels[train])[0])
    assert loss > 1.5 * expected(name, "loss_f64fwd", "train")


def test_other_parts_and_other_definitions_are_far() -> None:
    numbers = measured(NANDA, "fast", torch.float64)
    for column, wrong in {
        "excluded_loss": ("excluded_2D_full", "all"),
        "restricted_loss": ("restricted_2x2", "all"),
        "logit_fve": ("logit_approx", "fve_uncentred"),
        "gini_embedding": ("gini_WE", "sq113"),
        "gini_unembedding": ("gini_WL", "components112_noDC"),
        "neuron_fve": ("neuron_fve_median",),
    }.items():
        assert abs(float(numbers[column]) / expected(NANDA, *wrong) - 1) > 5e-3, column


def test_hindsight_uses_the_given_key_frequencies() -> None:
    found = reference.load(NANDA)
    keys = torch.zeros(56, dtype=torch.bool)
    keys[23 - 1] = True
    evaluation = Evaluation(found.model("fast", torch.float64), found.task, key_frequencies=keys)
    excluded = evaluation.compute(Catalog().load("measures", "excluded_loss"))["excluded_loss"]
    assert float(excluded) == pytest.approx(expected(NANDA, "excluded_2D_per", "23"), rel=1e-5)


@on_every_model
def test_sum_directions_carry_the_logits_as_expected(name: str) -> None:
    """The share of all waves in the centred logits, by a road that no measure takes."""
    evaluation = evaluated(name, "fast", torch.float64)
    basis = fourier.basis(113)
    waves = fourier.wave_tables(evaluation.sum_table, basis)[evaluation.key_frequencies]
    centred = evaluation.logits - evaluation.logits.mean(dim=0)
    share = 113 * float(waves.square().sum() / centred.square().sum())
    assert share == pytest.approx(expected(name, "logit_fve_sumdirs"), rel=1e-5)
    assert math.isclose(float(basis[0].sum()), math.sqrt(113))
