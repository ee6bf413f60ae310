import math
from itertools import pairwise

import numpy as np
import pytest

from grokterm.drawing.ticks import (
    across,
    format_setting,
    format_value,
    linear_ticks,
    log_labels,
    log_ticks,
    step_labels,
    upward,
    value_labels,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.6632e-7, "1.663e-07"),
        (0.15041, "0.1504"),
        (12.346, "12.35"),
        (3827.2, "3827"),
        (0.0, "0"),
        (math.nan, "nan"),
        (math.inf, "inf"),
        (-math.inf, "-inf"),
    ],
)
def test_format_value(value: float, text: str) -> None:
    assert format_value(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (30_000, "30,000"),
        (3e4, "30,000"),
        (2.0, "2"),
        (0.0, "0"),
        (2e-3, "0.002"),
        (1e-8, "1e-08"),
        (1e300, "1e+300"),
        (10**30, "1,000,000,000,000,000,000,000,000,000,000"),
        (math.inf, "inf"),
        (math.nan, "nan"),
    ],
)
def test_a_setting_that_is_whole_is_told_in_full(value: float, text: str) -> None:
    assert format_setting(value) == text


def test_linear_ticks_are_round() -> None:
    assert linear_ticks(0, 25_000, 6) == [0, 5_000, 10_000, 15_000, 20_000, 25_000]
    assert linear_ticks(-0.03, 1.03, 3) == [0.0, 0.5, 1.0]
    assert linear_ticks(0.0, 0.7, 4) == [0.0, 0.2, 0.4, 0.6]
    assert linear_ticks(0, 1.5, 8, whole=True) == [0, 1]


def test_log_ticks() -> None:
    assert log_ticks(-7, 2, 10) == [-7, -6, -5, -4, -3, -2, -1, 0, 1, 2]
    assert log_ticks(-7, 2, 4) == [-6, -3, 0]
    assert log_labels(log_ticks(0, 1, 5)) == ["1e+0", "2e+0", "5e+0", "1e+1"]
    assert log_labels(log_ticks(math.log10(1.1), math.log10(1.5), 5)) == ["1.1", "1.2", "1.3", "1.4", "1.5"]


def test_step_labels() -> None:
    assert step_labels([0, 500, 1000, 4000, 12_500, 1_200_000]) == ["0", "500", "1k", "4k", "12.5k", "1.2M"]
    assert step_labels([12_340, 12_345, 12_350]) == ["12340", "12345", "12350"]


def test_value_labels() -> None:
    assert value_labels([0, 0.5, 1]) == ["0.0", "0.5", "1.0"]
    assert value_labels([0, 1200, 2400]) == ["0", "1.2k", "2.4k"]
    assert value_labels([0, 1.5e-5, 3e-5]) == ["0", "1.5e-5", "3e-5"]
    assert value_labels([-1e300, 0, 1e300]) == ["-1e+300", "0", "1e+300"]


def ranges() -> list[tuple[float, float]]:
    rng = np.random.default_rng(0)
    centres = rng.normal(size=100) * 10.0 ** rng.uniform(-12, 12, 100)
    spans = np.abs(centres) * 10.0 ** rng.uniform(-6, 3, 100)
    found = [(float(c - s), float(c + s)) for c, s in zip(centres, spans, strict=True)]
    return [*found, (-1e308, 1e308), (0.0, 1.7e308), (0.0, 1e-290), (0.0, 1.0)]


@pytest.mark.parametrize("log", [False, True])
def test_labels_of_any_axis_are_apart_inside_and_different(log: bool) -> None:
    for low, high in ranges():
        if log:
            low, high = low % 280, low % 280 + min(max(high - low, 1e-7), 20.0)
        for size in (1, 2, 3, 7, 16, 60, 200):
            texts = across(low, high, size, log=log)
            assert all(column >= 0 and column + len(text) <= size for column, text in texts)
            assert all(column + len(text) < after for (column, text), (after, _) in pairwise(texts))
            rows = upward(low, high, size, log=log, dots=4)
            assert all(0 <= row < size for row, _ in rows)
            assert all(row - above > 1 for (row, _), (above, _) in pairwise(rows))
            for labels in (texts, rows):
                assert len({text for _, text in labels}) == len(labels)


def test_ordinary_axes_have_labels() -> None:
    for high in (1.0, 40.0, 12_345.0, 1e6):
        assert len(across(0, high, 60)) >= 2
        assert len(upward(0, high, 12)) >= 3


def test_ticks_lie_where_their_labels_say() -> None:
    assert across(0, 100, 50) == [(0, "0"), (10, "20"), (20, "40"), (30, "60"), (40, "80")]
    assert upward(0, 1, 9) == [(8, "0.0"), (4, "0.5"), (0, "1.0")]
