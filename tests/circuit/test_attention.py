"""Attention that is waves by construction gives the waves back."""

import numpy as np
import pytest

from grokterm.circuit.attention import mean_attention, periodicity
from grokterm.circuit.network import Array
from tests import reference
from tests.reference_circuits import circuit

P = 23


def looking(at_a: Array) -> Array:
    """Attention (1, p, p, 3) with this to the first number, the rest of it to the second one."""
    return np.stack([at_a, 1 - at_a, np.zeros_like(at_a)], axis=-1)[None]


def wave(k: int, x: Array) -> Array:
    return np.cos(2 * np.pi * k * x / P)


A, B = np.meshgrid(np.arange(P), np.arange(P), indexing="ij")
DIFFERENCE = (
    0.5 + 0.2 * (wave(5, A) - wave(5, B)) - 0.1 * (np.sin(2 * np.pi * 5 * A / P) - np.sin(2 * np.pi * 5 * B / P))
)


def test_the_papers_form_is_recognised() -> None:
    found = periodicity(looking(DIFFERENCE))
    assert found.frequency.tolist() == [5]
    assert (found.alpha[0], found.beta[0]) == pytest.approx((0.2, -0.1))
    assert (found.fve[0], found.fve_2term[0]) == pytest.approx((1, 1))


def test_waves_of_a_and_b_that_do_not_mirror_are_five_terms_only() -> None:
    found = periodicity(looking(0.5 + 0.3 * wave(3, A)))
    assert found.fve[0] == pytest.approx(1)
    assert found.fve_2term[0] == pytest.approx(0.5)
    assert found.alpha[0] == pytest.approx(0.15)


def test_a_mean_away_from_a_half_is_held_against_the_papers_form() -> None:
    found = periodicity(looking(DIFFERENCE - 0.1))
    assert found.fve[0] == pytest.approx(1)
    variance = (0.2**2 + 0.1**2) * P * P
    assert found.fve_2term[0] == pytest.approx(1 - (0.1 * P) ** 2 / variance)


def test_the_fit_is_least_squares() -> None:
    at_a = np.random.default_rng(0).uniform(size=(P, P))
    found = periodicity(looking(at_a))
    k = int(found.frequency[0])
    angles = [2 * np.pi * k * x.ravel() / P for x in (A, B)]
    design = np.stack([np.ones(P * P), *(f(angle) for angle in angles for f in (np.cos, np.sin))], axis=1)
    rest = np.linalg.lstsq(design, at_a.ravel(), rcond=None)[1][0]
    assert found.fve[0] == pytest.approx(1 - rest / (P * P * at_a.var()))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_head_that_always_looks_at_the_same_place_explains_nothing(dtype: type) -> None:
    last_digit = np.random.default_rng(0).integers(0, 2, (P, P)) * np.finfo(dtype).eps / 4
    found = periodicity(looking((1 / 3 + last_digit).astype(dtype)))
    assert found.fve[0] == 0
    assert found.fve_2term[0] == 0


def test_mean_attention() -> None:
    np.testing.assert_allclose(mean_attention(looking(DIFFERENCE)), [[0.5, 0.5, 0]], atol=1e-12)


@reference.needed
def test_every_head_of_the_reference_models_follows_a_key_frequency() -> None:
    for name in reference.NAMES:
        c = circuit(name)
        found = periodicity(c.attention)
        assert {*found.frequency.tolist()} <= {*c.keys}
        assert found.fve.min() > 0.8
