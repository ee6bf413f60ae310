"""Parallelograms of embeddings: all close on a line, none in noise, and those that do are counted right."""

import itertools

import numpy as np
import pytest

from grokterm.circuit.network import Array
from grokterm.circuit.parallelograms import rqi
from grokterm.circuit.waves import waves


def counted(W_E: Array, delta: float, *, modular: bool) -> float:
    """By going through them one by one."""
    p, size = len(W_E), float(np.linalg.norm(W_E - W_E.mean(axis=0), axis=1).mean())
    pairs = itertools.combinations(itertools.combinations_with_replacement(range(p), 2), 2)
    closed = [
        np.linalg.norm(W_E[i] + W_E[j] - W_E[m] - W_E[n]) < delta * size
        for (i, j), (m, n) in pairs
        if (i + j - m - n) % (p if modular else 10**9) == 0
    ]
    return float(np.mean(closed))


@pytest.mark.parametrize("modular", [False, True])
@pytest.mark.parametrize("delta", [0.1, 0.3, 0.9])
def test_every_parallelogram_is_counted(modular: bool, delta: float) -> None:
    rng = np.random.default_rng(0)
    W_E = np.arange(11)[:, None] * rng.normal(size=3) + rng.normal(size=(11, 3)) * 0.5
    expected = counted(W_E, delta, modular=modular)
    assert rqi(W_E, delta, modular=modular) == pytest.approx(expected)
    assert delta == 0.1 or 0 < expected < 1


def test_a_line_closes_those_of_whole_numbers_wherever_it_lies() -> None:
    line = np.arange(30)[:, None] * np.array([0.3, -2.0, 0.1]) + 100
    assert rqi(line, modular=False) == 1
    assert rqi(line.astype(np.float32), modular=False) == 1
    assert rqi(line, modular=True) < 0.7  # a sum that wrapped is p steps away


def test_noise_closes_none() -> None:
    W_E = np.random.default_rng(0).normal(size=(113, 128))
    assert rqi(W_E) == 0
    assert rqi(W_E, modular=False) == 0


@pytest.mark.parametrize("k", [1, 7])
def test_on_a_circle_few_close_as_the_lengths_differ(k: int) -> None:
    circle = waves(113)[k - 1].T
    assert rqi(circle) == pytest.approx(0.052, abs=0.01)
    assert rqi(1000 * circle) == rqi(circle)


def test_a_single_point_has_no_size() -> None:
    assert rqi(np.ones((5, 2))) == 0
    assert np.isnan(rqi(np.full((5, 2), np.nan)))
