"""Parallelograms of embeddings: all close on a line, none in noise, and those that do are counted right."""

import itertools

import numpy as np
import pytest

from grokterm.circuit.network import Array
from grokterm.circuit.parallelograms import rqi
from grokterm.circuit.waves import waves


def counted(W_E: Array, delta: float) -> float:
    """By going through them one by one."""
    p, size = len(W_E), float(np.linalg.norm(W_E, axis=1).mean())
    pairs = itertools.combinations(itertools.combinations_with_replacement(range(p), 2), 2)
    closed = [
        np.linalg.norm(W_E[i] + W_E[j] - W_E[m] - W_E[n]) < delta * size for (i, j), (m, n) in pairs if i + j == m + n
    ]
    return float(np.mean(closed))


@pytest.mark.parametrize("delta", [0.1, 0.3, 0.9])
@pytest.mark.parametrize("centre", [0.0, 4.0])
def test_every_parallelogram_is_counted(delta: float, centre: float) -> None:
    rng = np.random.default_rng(0)
    W_E = np.arange(11)[:, None] * rng.normal(size=3) + rng.normal(size=(11, 3)) * 0.5 + centre
    expected = counted(W_E, delta)
    assert rqi(W_E, delta) == pytest.approx(expected)
    assert delta != 0.3 or 0 < expected < 1


def test_a_line_closes_all_wherever_it_lies() -> None:
    line = np.arange(30)[:, None] * np.array([0.3, -2.0, 0.1]) + 100
    assert rqi(line) == 1
    assert rqi(line.astype(np.float32)) == 1


def test_noise_closes_none() -> None:
    assert rqi(np.random.default_rng(0).normal(size=(113, 128))) == 0


@pytest.mark.parametrize("k", [1, 7])
def test_circles_do_not_close(k: int) -> None:
    circle = waves(113)[k - 1].T
    assert 0 < rqi(circle) < 1 / 15
    assert rqi(1000 * circle) == rqi(circle)
    several = np.concatenate([waves(113)[j - 1].T for j in (k, 20, 31, 44)], axis=1)
    assert rqi(several) < 0.01


def test_a_single_point_closes_all_unless_it_has_no_size() -> None:
    assert rqi(np.ones((5, 2))) == 1
    assert rqi(np.zeros((5, 2))) == 0
    assert np.isnan(rqi(np.full((5, 2), np.nan)))
