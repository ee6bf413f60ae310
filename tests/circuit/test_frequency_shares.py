"""Shares of variance from sums along a, b, a + b and a − b are those of the whole 2D transform."""

import numpy as np
import pytest
import torch

from grokterm import fourier
from grokterm.circuit import waves
from grokterm.circuit.frequency_shares import frequency_shares
from grokterm.circuit.network import Array
from grokterm.errors import RunError
from tests.circuit.test_waves import P, functions


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_share_of_each_frequency(dtype: type) -> None:
    neurons: Array = np.asarray(functions(20), dtype)
    theirs = fourier.neuron_fve(torch.from_numpy(neurons), fourier.basis(P, dtype=torch.from_numpy(neurons).dtype))
    np.testing.assert_allclose(frequency_shares(neurons), theirs.numpy(), rtol=1e-4 if dtype == np.float32 else 1e-12)


def test_the_share_by_its_definition() -> None:
    neurons = functions()
    T = waves.transformed(neurons - neurons.mean(axis=0))
    for k in range(1, (P + 1) // 2):
        block = T[np.ix_([0, 2 * k - 1, 2 * k], [0, 2 * k - 1, 2 * k])]
        share = np.square(block).sum(axis=(0, 1)) / np.square(T).sum(axis=(0, 1))
        np.testing.assert_allclose(frequency_shares(neurons)[:, k - 1], share, rtol=1e-10)


def test_a_neuron_without_variance_or_with_that_of_rounding_explains_nothing() -> None:
    neurons = np.full((P * P, 3), 1e3, np.float32)
    neurons[:, 1] = 0
    neurons[:, 2] += np.random.default_rng(0).integers(0, 2, P * P) * np.float32(6.1e-5)  # the last digit
    assert neurons[:, 2].std() > 0
    assert not frequency_shares(neurons).any()


def test_a_large_mean_does_not_drown_a_small_wave() -> None:
    """In float32 a wave of 0.01 over a mean of 1,000 has three digits; its neighbours have none of it."""
    a, b = np.divmod(np.arange(P * P), P)
    wave = np.cos(2 * np.pi * 3 * (a + b) / P)[:, None]
    shares = frequency_shares((1000 + 0.01 * wave).astype(np.float32))
    assert shares[0, 2] == pytest.approx(1, abs=1e-3)
    assert shares[0, [0, 1, 3, 4, 5]].max() < 1e-3


@pytest.mark.parametrize("wave", ["a", "b", "a + b", "a - b"])
def test_each_kind_of_wave_is_found_alone(wave: str) -> None:
    a, b = np.divmod(np.arange(P * P), P)
    along = {"a": a, "b": b, "a + b": a + b, "a - b": a - b}[wave]
    shares = frequency_shares(np.sin(2 * np.pi * 5 * along / P)[:, None])
    np.testing.assert_allclose(shares, [[0, 0, 0, 0, 1, 0]], atol=1e-12)


def test_no_share_is_more_than_everything() -> None:
    """In float32 a pure wave comes out a little above or below 1."""
    a, b = np.divmod(np.arange(P * P), P)
    waves = np.stack([np.cos(2 * np.pi * k * (a + b) / P + phase) for k in range(1, 7) for phase in range(9)], axis=1)
    shares = frequency_shares(waves.astype(np.float32))
    assert shares.max() == 1
    np.testing.assert_allclose(shares.max(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("large", [1e20, np.inf, np.nan])
def test_what_no_number_can_hold_explains_nothing(large: float) -> None:
    with np.errstate(all="ignore"):
        assert not frequency_shares(np.float32(large) * functions(3).astype(np.float32)).any()


def test_an_even_modulus_is_refused() -> None:
    with pytest.raises(RunError, match="p = 10 is even"):
        frequency_shares(np.zeros((100, 1)))
