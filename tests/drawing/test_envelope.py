import math

import numpy as np
import pytest
from numpy.typing import NDArray

from grokterm.drawing.envelope import envelope, log10_or_nan, undrawable

Floats = NDArray[np.float64]


def drawn(value: float, log: bool) -> float | None:
    if not math.isfinite(value) or (log and value <= 0):
        return None
    return math.log10(value) if log else value


def slow_envelope(x: Floats, y: Floats, edges: Floats, log_x: bool, log_y: bool) -> list[tuple[float, float]]:
    """The definition, one column and one point at a time."""
    at = [math.log10(max(step, 1.0)) if log_x else step for step in x]
    values = [drawn(value, log_y) for value in y]
    columns = []
    for column in range(len(edges) - 1):
        left, right, last = edges[column], edges[column + 1], column == len(edges) - 2
        found = [
            v
            for a, v in zip(at, values, strict=True)
            if v is not None and left <= a and (a < right or (last and a <= right))
        ]
        for edge in (left, right):
            for i in range(1, len(at)):
                before, after = values[i - 1], values[i]
                if at[i - 1] < edge <= at[i] and before is not None and after is not None:
                    part = (edge - at[i - 1]) / (at[i] - at[i - 1])
                    found.append(before * (1 - part) + after * part)
        columns.append((min(found), max(found)) if found else (math.nan, math.nan))
    return columns


@pytest.mark.parametrize("log_x", [False, True])
@pytest.mark.parametrize("log_y", [False, True])
@pytest.mark.parametrize("seed", range(25))
def test_agrees_with_the_definition(seed: int, log_x: bool, log_y: bool) -> None:
    rng = np.random.default_rng(seed)
    x = np.sort(rng.integers(0, 200, size=rng.integers(1, 80))).astype(float)
    y = rng.normal(size=len(x)) * 10.0 ** rng.integers(-3, 3, size=len(x))
    broken = rng.random(len(x)) < rng.choice([0.0, 0.1, 0.6])
    y[broken] = rng.choice([np.nan, np.inf, -np.inf, 0.0], size=broken.sum())
    # irrational edges: on log x no step falls on an edge, where one rounding would decide its column
    low, high = (0.0, 2.2187) if log_x else (rng.uniform(-20, 90), rng.uniform(100, 220))
    edges = np.linspace(low, high, int(rng.integers(2, 40)))

    fast = envelope(x, y, edges, log_x=log_x, log_y=log_y)

    np.testing.assert_allclose(np.transpose(fast), slow_envelope(x, y, edges, log_x, log_y), rtol=1e-9, atol=1e-12)


def test_whole_steps_and_edges_on_steps() -> None:
    x, y = np.arange(11), np.arange(11.0)
    low, high = envelope(x, y, np.array([0.0, 5.0, 10.0]))
    assert low.tolist() == [0.0, 5.0]
    assert high.tolist() == [5.0, 10.0]


def test_the_last_column_owns_its_right_edge() -> None:
    _, high = envelope(np.array([0.0, 1.0]), np.array([np.nan, 3.0]), np.array([0.0, 0.5, 1.0]))
    assert high[1] == 3.0


def test_a_nan_breaks_the_line() -> None:
    x, y = np.array([0.0, 4.0, 5.0, 6.0, 10.0]), np.array([1.0, 1.0, np.nan, 2.0, 2.0])
    low, high = envelope(x, y, np.arange(11.0))
    assert np.isnan(low).tolist() == [False] * 5 + [True] + [False] * 4
    assert high[4] == 1.0
    assert low[6] == 2.0


def test_one_spike_among_a_million_is_kept() -> None:
    y = np.zeros(1_000_000)
    y[654_321], y[123_456] = 7.0, -7.0
    low, high = envelope(np.arange(1_000_000), y, np.linspace(0, 999_999, 121))
    assert (np.nanmax(high), np.nanmin(low)) == (7.0, -7.0)


def test_a_constant_stays_one_to_the_last_bit() -> None:
    low, high = envelope(np.arange(7.0), np.full(7, 0.1), np.linspace(0, 6, 101))
    assert set(low) == set(high) == {0.1}


def test_huge_and_tiny_values() -> None:
    y = np.array([1e308, -1e308, 1e-300, 1.7e308])
    low, high = envelope(np.arange(4.0), y, np.linspace(0, 3, 50))
    assert (low.min(), high.max()) == (-1e308, 1.7e308)
    assert np.isfinite(low).all()


def test_nothing_to_draw() -> None:
    nothing = np.array([])
    assert np.isnan(envelope(nothing, nothing, np.arange(4.0))).all()
    assert np.isnan(envelope(np.arange(3.0), np.full(3, np.nan), np.arange(4.0))).all()
    assert np.isnan(envelope(np.arange(3.0), np.zeros(3), np.arange(4.0), log_y=True)).all()
    assert np.isnan(envelope(np.arange(3.0), np.ones(3), np.arange(10.0, 14.0))).all()


def test_points_outside_only_connect() -> None:
    low, high = envelope(np.array([0.0, 100.0]), np.array([0.0, 100.0]), np.array([40.0, 50.0, 60.0]))
    np.testing.assert_allclose([low, high], [[40, 50], [50, 60]])


def test_log10_or_nan() -> None:
    result = log10_or_nan(np.array([100.0, 0.0, -1.0, np.nan, np.inf, -np.inf]))
    np.testing.assert_array_equal(result, [2.0, np.nan, np.nan, np.nan, np.inf, np.nan])


def test_undrawable() -> None:
    y = np.array([1.0, np.nan, 0.0, np.inf, -1.0, -np.inf])
    assert undrawable(y).tolist() == [1, 3, 5]
    assert undrawable(y, log_y=True).tolist() == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("log_x", [False, True])
def test_whole_numbered_steps_are_drawn_as_the_same_numbers_with_a_point(log_x: bool) -> None:
    random = np.random.default_rng(7)
    for _ in range(200):
        x = np.unique(random.integers(0, 400, random.integers(1, 60)))
        y = random.normal(size=len(x))
        low, high = np.sort(random.uniform(0.0, 2.7 if log_x else 420.0, 2))
        edges = np.linspace(low, high + 0.01, int(random.integers(2, 40)))
        whole = envelope(x, y, edges, log_x=log_x)
        pointed = envelope(x.astype(np.float64), y, edges, log_x=log_x)
        assert np.array_equal(whole, pointed, equal_nan=True)
