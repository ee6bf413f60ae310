"""The viewer's Fourier basis is the training side's, and a token lies where its cos and sin say."""

import numpy as np
import pytest
import torch

from grokterm.circuit.embedding import (
    around,
    circularity,
    on_circle,
    principal_components,
    random_control,
    singular_values,
)
from grokterm.circuit.waves import component_norms as norms_of_components
from grokterm.circuit.waves import paired, waves
from grokterm.fourier import basis, component_norms
from tests import reference
from tests.reference_circuits import circuit


@pytest.mark.parametrize("p", [3, 23, 113])
def test_the_basis_is_that_of_the_measures(p: int) -> None:
    F = basis(p).numpy()
    assert np.allclose(waves(p).reshape(p - 1, p), F[1:], rtol=0, atol=1e-14)


def test_the_norms_are_those_that_are_recorded() -> None:
    W_E = np.random.default_rng(0).normal(size=(113, 128))
    recorded = component_norms(basis(113), torch.from_numpy(W_E)).numpy()[None]
    assert np.allclose(paired(norms_of_components(W_E)), paired(recorded)[0], rtol=1e-12)


def test_an_embedding_of_one_frequency_is_a_circle_around_which_the_tokens_go_in_order() -> None:
    p, k, radius = 23, 5, 3.0
    cos, sin = waves(p)[k - 1]
    W_E = np.zeros((p, 6))
    W_E[:, 2], W_E[:, 4] = radius * cos, radius * sin
    places = on_circle(W_E, waves(p)[k - 1])
    angles = 2 * np.pi * k * np.arange(p) / p
    expected = radius * np.sqrt(2 / p) * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    assert np.allclose(places, expected, atol=1e-12)
    order = around(p, k)
    turns = np.diff(np.unwrap(np.arctan2(*places[order][:, ::-1].T)))
    assert order[0] == 0
    assert np.allclose(turns, 2 * np.pi / p)


def test_weights_without_the_frequency_and_weights_that_diverged_are_no_error() -> None:
    wave = waves(5)[0]
    assert not on_circle(np.zeros((5, 2)), wave).any()
    for bad in (np.nan, np.inf, 1e300):
        W_E = np.full((5, 2), bad)
        assert on_circle(W_E, wave).shape == (5, 2)
        assert paired(norms_of_components(W_E)).shape == (2,)


def test_the_random_control_is_what_gaussian_matrices_of_that_norm_have() -> None:
    noise = np.random.default_rng(5).normal(size=(113, 128)) * 3
    control, values = random_control(noise), singular_values(noise)
    assert control.shape == values.shape == (113,)
    assert np.allclose(values[:100], control[:100], rtol=0.1)
    assert np.sqrt(np.square(control).sum()) == pytest.approx(np.linalg.norm(noise), rel=1e-3)
    circle = np.outer(np.cos(np.arange(113)), np.ones(128))
    assert singular_values(circle)[0] > 5 * random_control(circle)[0]
    assert np.array_equal(random_control(noise), control)


def test_singular_values_are_of_the_matrix_as_it_is() -> None:
    M = np.full((5, 3), 2.0, np.float32)
    assert singular_values(M) == pytest.approx([2 * 15**0.5, 0, 0], abs=1e-6)
    assert np.isnan(singular_values(np.full((5, 3), np.inf))).all()


def test_principal_components_are_those_of_the_covariance() -> None:
    W_E = np.random.default_rng(0).normal(size=(23, 7)) * np.arange(1, 8) + 5
    found = principal_components(W_E)
    variances = np.linalg.eigvalsh(np.cov(W_E.T))[::-1]
    assert found.shares == pytest.approx(variances / variances.sum())
    assert np.allclose(found.coordinates.var(axis=0, ddof=1), variances)
    assert np.allclose(np.linalg.norm(found.in_waves, axis=0), np.linalg.norm(found.coordinates, axis=0))
    assert np.allclose(found.in_waves[0], 0, atol=1e-12)  # centred


@pytest.mark.parametrize("k", [1, 5, 11])
def test_a_perfect_circle_has_circularity_one_in_any_plane_of_any_size(k: int) -> None:
    plane = np.linalg.qr(np.random.default_rng(k).normal(size=(9, 2)))[0]
    circle = 3 * waves(23)[k - 1].T @ plane.T + 7
    for W_E in (circle, circle @ np.diag([1.0] * 8 + [4.0])):  # an ellipse too
        found = circularity(principal_components(W_E))
        assert found.power == pytest.approx(1)
        assert found.frequency == k


def test_an_embedding_of_one_dimension_has_a_second_component_of_zero() -> None:
    wave = 3 * waves(11)[1][:1].T
    found = principal_components(wave)
    assert (found.coordinates.shape, found.shares.tolist()) == ((11, 2), [pytest.approx(1), 0])
    assert np.abs(found.coordinates[:, 0]) == pytest.approx(np.abs(wave[:, 0]))
    assert not found.coordinates[:, 1].any()
    assert circularity(found).frequency == 2
    assert circularity(found).power == pytest.approx(0.5)
    assert principal_components(np.full((11, 1), np.nan)).coordinates.shape == (11, 2)


def test_components_of_two_frequencies_are_half_a_circle_of_either() -> None:
    W_E = np.stack([2 * waves(23)[1][0], waves(23)[4][1]], axis=1)
    found = circularity(principal_components(W_E))
    assert found.power == pytest.approx(0.5)
    assert found.frequency in (2, 5)


def test_noise_a_line_and_nothing_have_no_circle() -> None:
    noise = np.random.default_rng(0).normal(size=(113, 128))
    assert circularity(principal_components(noise)).power < 0.15
    assert circularity(principal_components(np.zeros((113, 4)))).power == 0
    assert np.isnan(circularity(principal_components(np.full((113, 4), np.nan))).power)
    line = np.arange(113.0)[:, None] * np.ones(3)
    assert circularity(principal_components(line)).power < 0.7


@reference.needed
def test_the_embeddings_of_the_reference_models_lie_on_circles_of_a_key_frequency() -> None:
    for name in reference.NAMES:
        c = circuit(name)
        found = circularity(principal_components(c.W_E))
        assert found.power > 0.95
        assert found.frequency in c.keys
        assert (singular_values(c.W_E)[:6] > 1.3 * random_control(c.W_E)[:6]).all()
