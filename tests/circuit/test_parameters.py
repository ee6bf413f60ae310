import numpy as np
import pytest

from grokterm.circuit.parameters import parameter_table


def test_a_row_a_tensor() -> None:
    first, second = parameter_table({"W": np.array([[3, -4], [0, 0]], np.float32), "b": np.array([0.0, 5.0])})
    assert (first.name, first.shape, first.count) == ("W", (2, 2), 4)
    assert (first.sumsq, first.rms, first.largest, first.zeros) == (25, 2.5, 4, 0.5)
    assert first.share == second.share == 0.5
    assert (second.shape, second.largest) == ((2,), 5)


def test_nothing_and_what_diverged() -> None:
    zero, empty = parameter_table({"b": np.zeros(3), "none": np.zeros((0, 2))})
    assert (zero.share, zero.zeros, empty.count, empty.rms, empty.zeros) == (0, 1, 0, 0, 0)
    (row,) = parameter_table({"W": np.array([np.nan, 1.0])})
    assert np.isnan(row.sumsq)
    assert np.isnan(row.largest)
    (row,) = parameter_table({"W": np.array([1e30], np.float32)})
    assert row.sumsq == pytest.approx(1e60)
