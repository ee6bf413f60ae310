"""The viewer's Fourier basis is the training side's, and a token lies where its cos and sin say."""

import numpy as np
import pytest
import torch

from grokterm.embedding import around, frequency_norms, on_circle, waves
from grokterm.fourier import basis, component_norms
from grokterm.tui.panels.fourier import paired


@pytest.mark.parametrize("p", [3, 23, 113])
def test_the_basis_is_that_of_the_measures(p: int) -> None:
    F = basis(p).numpy()
    assert np.allclose(waves(p).reshape(p - 1, p), F[1:], rtol=0, atol=1e-14)


def test_the_norms_are_those_that_are_recorded() -> None:
    W_E = np.random.default_rng(0).normal(size=(113, 128))
    recorded = component_norms(basis(113), torch.from_numpy(W_E)).numpy()[None]
    assert np.allclose(frequency_norms(W_E, waves(113)), paired(recorded)[0], rtol=1e-12)


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
        assert frequency_norms(W_E, waves(5)).shape == (2,)
