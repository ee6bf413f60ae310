"""The measures of a circuit, which exist in hindsight only: their columns, their numbers, and weights that diverged."""

from collections.abc import Callable
from dataclasses import replace
from inspect import signature
from typing import Any

import numpy as np
import pytest

from grokterm.catalog import Catalog
from grokterm.circuit.ablations import without_each_head, without_top_neurons
from grokterm.circuit.circuit import Circuit
from grokterm.circuit.cosines import cosines, cube_losses
from grokterm.circuit.embedding import circularity, principal_components, random_control
from grokterm.circuit.parallelograms import rqi
from grokterm.circuit.saliency import skewness
from tests import reference
from tests.random_circuit import P, grid_task, random_circuit, random_network
from tests.reference_circuits import circuit, expected

SHAPES: dict[str, tuple[int, ...]] = {
    "attention_frequency": (3,),
    "attention_fve": (3,),
    "attention_fve_2term": (3,),
    "circularity": (),
    "circularity_frequency": (),
    "embedding_components": (P,),
    "excluded_loss_3d": (),
    "excluded_loss_3d_k": (5,),
    "excluded_loss_neurons": (),
    "key_share_cos": (5,),
    "key_share_sin": (5,),
    "loss_key_only": (),
    "loss_with_mean_head": (3,),
    "loss_with_mean_skip": (),
    "loss_with_polynomials": (),
    "loss_without_frequency": (5,),
    "loss_without_head": (3,),
    "loss_without_skip": (),
    "loss_without_top_neurons": (4,),
    "restricted_loss_neurons": (),
    "rqi": (),
    "saliency": (20,),
    "saliency_skewness": (),
    "W_E_singular_values": (P,),
    "W_E_singular_values_random": (P,),
    "W_L_residual": (),
    "W_L_residual_sq": (),
    "W_L_singular_values": (P,),
}


def measures() -> dict[str, Callable[[Circuit], Any]]:
    """Those of the package that ask for the circuit and nothing else."""
    catalog = Catalog()
    loaded = {name: catalog.load("measures", name) for name in catalog.names("measures")}
    return {name: measure for name, measure in loaded.items() if [*signature(measure).parameters] == ["circuit"]}


def measured(c: Circuit) -> dict[str, Any]:
    numbers: dict[str, Any] = {}
    for name, measure in measures().items():
        result = measure(c)
        columns = result if isinstance(result, dict) else {name: result}
        assert not columns.keys() & numbers.keys()
        numbers |= columns
    return numbers


def test_columns_and_shapes() -> None:
    found = measured(random_circuit())
    assert {name: np.shape(value) for name, value in found.items()} == SHAPES
    for name, value in found.items():
        assert isinstance(value, float | int | np.ndarray), name
        assert np.isfinite(value).all(), name


def test_columns_are_what_their_names_say() -> None:
    c = random_circuit()
    found = measured(c)
    assert found["saliency_skewness"] == skewness(c.saliency)
    assert found["rqi"] == rqi(c.W_E)
    for column, losses_of in {
        "loss_without_frequency": c.without_each_frequency,
        "loss_without_head": without_each_head(c, "zero"),
        "loss_with_mean_head": without_each_head(c, "mean"),
        "loss_without_top_neurons": without_top_neurons(c),
    }.items():
        np.testing.assert_array_equal(found[column], losses_of.all)
    np.testing.assert_array_equal(found["saliency"], c.saliency)
    np.testing.assert_array_equal(found["excluded_loss_3d_k"], cube_losses(c).without_each.train)
    np.testing.assert_array_equal(found["embedding_components"], principal_components(c.W_E).shares)
    np.testing.assert_array_equal(found["W_E_singular_values_random"], random_control(c.W_E))
    circle = circularity(principal_components(c.W_E))
    assert (found["circularity"], found["circularity_frequency"]) == (circle.power, circle.frequency)


def test_columns_are_not_those_of_a_live_run() -> None:
    """A row in hindsight has both."""
    names = {"restricted_loss", "excluded_loss", "excluded_loss_k", "logit_fve", "logit_cosines", "gini_embedding"}
    assert not names & SHAPES.keys()


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e30, 0.0])
@pytest.mark.parametrize("keys", [None, np.array([True, False, False, False, True])])
def test_weights_that_diverged_are_measured_without_a_warning(bad: float, keys: Any) -> None:
    network = random_network(dtype=np.float32)
    network = replace(network, **{name: np.full_like(weight, bad) for name, weight in network.parameters.items()})
    found = measured(Circuit(network, grid_task(), key_frequencies=keys))
    assert {name: np.shape(value) for name, value in found.items()} == SHAPES


REFERENCE = {
    "excluded_loss_3d": ("excluded_3D_full", "train"),
    "restricted_loss_neurons": ("tldemo_restricted", "all"),
    "excluded_loss_neurons": ("tldemo_excluded_resid", "train"),
    "loss_key_only": ("restricted_10dir", "all"),
    "loss_without_skip": ("skip_zero_ablate", "all"),
    "loss_with_mean_skip": ("skip_mean_ablate", "all"),
    "loss_with_polynomials": ("neurons_poly2", "all"),
    "W_L_residual": ("WL_rank10_resid_frac",),
    "W_L_residual_sq": ("WL_rank10_resid_frac_sq",),
}


@reference.needed
@pytest.mark.parametrize("name", reference.NAMES)
def test_reference_values(name: str) -> None:
    """One row of hindsight, in float32 as it is computed there; the functions behind it: tests/circuit."""
    c = circuit(name)
    found = measured(c)
    for column, path in REFERENCE.items():
        assert found[column] == pytest.approx(expected(name, *path), rel=1e-4), column
    for k in c.keys:
        assert found["excluded_loss_3d_k"][k - 1] == pytest.approx(expected(name, "excluded_3D_per", str(k)), rel=1e-4)
        shares = expected(name, "table1_fve", str(k))
        assert found["key_share_cos"][k - 1] == pytest.approx(shares["u_cos"], rel=1e-4)
        assert found["key_share_sin"][k - 1] == pytest.approx(shares["v_sin"], rel=1e-4)
    fits = expected(name, "attn_fit")
    assert found["attention_frequency"].tolist() == [fit["freq"] for fit in fits]
    np.testing.assert_allclose(found["attention_fve"], [fit["fve_5term"] for fit in fits], rtol=1e-4)
    np.testing.assert_allclose(found["attention_fve_2term"], [fit["fve_paper_2term"] for fit in fits], rtol=1e-4)
    np.testing.assert_allclose(found["W_E_singular_values"][:16], expected(name, "WE_svals_top16"), rtol=1e-4)
    np.testing.assert_allclose(found["W_L_singular_values"][:14], expected(name, "WL_svals_top14"), rtol=1e-4)
    assert cosines(c).fve == pytest.approx(expected(name, "logit_approx", "fve_rowcentred"), rel=1e-4)
