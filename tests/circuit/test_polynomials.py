"""A neuron's part of degree 2 is its best fit by 1, four waves and their four products."""

import numpy as np

from grokterm.circuit.polynomials import polynomials

P = 11


def test_the_part_is_the_least_squares_fit() -> None:
    neurons = np.random.default_rng(0).normal(size=(P * P, 4)) + 1
    a, b = np.divmod(np.arange(P * P), P)
    made = polynomials(neurons, np.array([2, 5, 2, 0]))
    for neuron, k in enumerate((2, 5, 2)):
        ones = np.ones(P * P)
        of_a = [ones, np.cos(2 * np.pi * k * a / P), np.sin(2 * np.pi * k * a / P)]
        of_b = [ones, np.cos(2 * np.pi * k * b / P), np.sin(2 * np.pi * k * b / P)]
        design = np.stack([u * v for u in of_a for v in of_b], axis=1)
        fitted = design @ np.linalg.lstsq(design, neurons[:, neuron], rcond=None)[0]
        np.testing.assert_allclose(made[:, neuron], fitted, atol=1e-12)
    np.testing.assert_array_equal(made[:, 3], neurons[:, 3])


def test_a_neuron_that_is_one_already_stays_as_it_is() -> None:
    a, b = np.divmod(np.arange(P * P), P)
    neuron = (3 + np.cos(2 * np.pi * 3 * a / P) * np.sin(2 * np.pi * 3 * b / P))[:, None]
    np.testing.assert_allclose(polynomials(neuron, np.array([3])), neuron, atol=1e-12)
    np.testing.assert_allclose(polynomials(neuron, np.array([4])), np.full_like(neuron, 3), atol=1e-12)


def test_no_neuron_and_no_frequency() -> None:
    neurons = np.ones((P * P, 2), np.float32)
    np.testing.assert_array_equal(polynomials(neurons, np.array([0, 0])), neurons)
    assert polynomials(neurons[:, :0], np.array([], np.int64)).shape == (P * P, 0)
