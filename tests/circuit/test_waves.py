"""The viewer's Fourier mathematics is the training side's."""

import numpy as np
import pytest
import torch

from grokterm import fourier
from grokterm.circuit import waves
from grokterm.circuit.network import Array
from grokterm.errors import RunError

P = 13


def functions(count: int = 5, seed: int = 0, p: int = P) -> Array:
    """Functions of (a, b) with means, (p², count)."""
    return np.random.default_rng(seed).normal(size=(p * p, count)) + np.arange(count)


@pytest.mark.parametrize("p", [3, 13, 113])
def test_the_basis(p: int) -> None:
    np.testing.assert_allclose(waves.basis(p), fourier.basis(p).numpy(), atol=1e-14)
    np.testing.assert_allclose(waves.basis(p) @ waves.basis(p).T, np.eye(p), atol=1e-13)
    assert waves.basis(p, np.dtype("f4")).dtype == np.float32


def test_an_even_modulus_is_refused_in_a_sentence() -> None:
    with pytest.raises(RunError, match="p = 10 is even"):
        waves.basis(10)


def test_the_2d_transform_is_two_products() -> None:
    F, values = waves.basis(P), functions()
    expected = np.einsum("ia,jb,abn->ijn", F, F, values.reshape(P, P, -1))
    np.testing.assert_allclose(waves.transformed(values), expected, atol=1e-12)


@pytest.mark.parametrize("p", [P, 37])  # 37: more components than are computed at once
def test_the_spectrum_is_the_norm_over_functions_of_their_2d_transforms(p: int) -> None:
    values = functions(5, p=p)
    T = waves.transformed(values - values.mean(axis=0))
    np.testing.assert_allclose(waves.spectrum(values), np.linalg.norm(T, axis=2), atol=1e-12)


def test_sum_and_wave_tables() -> None:
    logits = functions(P)
    a, b = np.divmod(np.arange(P * P), P)
    for sums in ((a + b) % P, (a - b) % P):
        table = waves.sum_table(logits, sums)
        theirs = fourier.sum_table(torch.from_numpy(logits), torch.from_numpy(sums), P)
        np.testing.assert_allclose(table, theirs.numpy(), rtol=1e-12)
        parts = fourier.wave_tables(theirs, fourier.basis(P)).numpy()
        np.testing.assert_allclose(waves.wave_tables(table), parts, atol=1e-12)


def test_wave_tables_are_the_projections_on_the_sum_directions() -> None:
    logits = functions(P)
    a, b = np.divmod(np.arange(P * P), P)
    sums = (a - b) % P
    directions = waves.sum_directions(sums, P)
    assert np.allclose(np.einsum("kix,ljx->kilj", directions, directions).reshape(P - 1, P - 1), np.eye(P - 1))
    tables = waves.wave_tables(waves.sum_table(logits, sums))
    for k, (c, s) in enumerate(directions):
        np.testing.assert_allclose(tables[k][sums], np.outer(c, c @ logits) + np.outer(s, s @ logits), atol=1e-12)


def test_component_norms_pairs_and_gini() -> None:
    M = np.random.default_rng(0).normal(size=(P, 4))
    norms = waves.component_norms(M)
    theirs = fourier.component_norms(fourier.basis(P), torch.from_numpy(M))
    np.testing.assert_allclose(norms, theirs.numpy(), rtol=1e-12)
    assert waves.gini(norms) == pytest.approx(float(fourier.gini(theirs)), rel=1e-12)
    np.testing.assert_allclose(waves.paired(norms)[2], np.hypot(norms[5], norms[6]))
    assert waves.gini(np.zeros(4)) == 0
    assert waves.gini(np.ones(4)) == pytest.approx(0)
