"""A matrix brought to the size of a grid."""

import numpy as np
import pytest
from numpy.typing import NDArray

from grokterm.drawing.blocks import Side, blocks

RNG = np.random.default_rng(3)


def averaged(matrix: NDArray[np.float64], rows: int, columns: int) -> NDArray[np.float64]:
    """Means of equal blocks, by cutting every value into rows × columns pieces."""
    fine = np.repeat(np.repeat(matrix, rows, axis=0), columns, axis=1)
    height, width = matrix.shape
    means: NDArray[np.float64] = fine.reshape(rows, height, columns, width).mean(axis=(1, 3))
    return means


@pytest.mark.parametrize(("height", "width", "rows", "columns"), [(7, 5, 3, 4), (13, 13, 12, 5), (6, 6, 3, 2)])
def test_blocks_are_equal_and_have_the_mean(height: int, width: int, rows: int, columns: int) -> None:
    matrix = RNG.normal(size=(height, width))
    found = blocks(matrix, Side(height, rows), Side(width, columns), "mean")
    np.testing.assert_allclose(found.values, averaged(matrix, rows, columns), atol=1e-12)
    assert not found.broken.any()


def test_a_small_matrix_is_enlarged_by_whole_factors() -> None:
    matrix = RNG.normal(size=(3, 4))
    found = blocks(matrix, Side(3, 11), Side(4, 9), "mean")
    np.testing.assert_array_equal(found.values, np.repeat(np.repeat(matrix, 3, axis=0), 2, axis=1))


@pytest.mark.parametrize(("count", "room"), [(113, 40), (113, 113), (113, 90), (5, 23), (1, 9), (7, 6)])
def test_every_value_has_a_cell_and_every_cell_a_value(count: int, room: int) -> None:
    side = Side(count, room)
    cells = [side.cell(index) for index in range(count)]
    assert cells == sorted(cells)
    assert cells[0] <= side.cells // count
    assert cells[-1] <= side.cells - 1
    assert room < count or side.cells == count * (room // count)
    if side.each >= 1:
        assert sorted({*cells}) == [*range(side.cells)]
    assert all(side.first(index) <= side.cell(index) for index in range(count))


def test_the_largest_keeps_its_sign_and_is_never_lost() -> None:
    matrix = RNG.normal(size=(31, 29))
    matrix[17, 11] = -9.0
    found = blocks(matrix, Side(31, 8), Side(29, 10), "largest").values
    assert found[Side(31, 8).cell(17), Side(29, 10).cell(11)] == -9.0
    assert np.abs(found).min() >= 0.5  # the largest of some nine normal numbers
    assert np.isin(found, matrix).all()


def test_a_value_that_is_not_finite_is_marked_and_left_out() -> None:
    matrix = np.ones((6, 6))
    matrix[1, 4] = np.nan
    matrix[5, 0] = np.inf
    found = blocks(matrix, Side(6, 3), Side(6, 3), "mean")
    np.testing.assert_allclose(found.values, 1.0)
    assert np.argwhere(found.broken).tolist() == [[0, 2], [2, 0]]
    large = blocks(matrix, Side(6, 12), Side(6, 12), "largest")
    assert large.broken.sum() == 8
    assert large.broken[2:4, 8:10].all()
    assert np.isnan(matrix[1, 4])  # the matrix itself is left as it is
