"""Curves in figures: as few vertices as there are columns, and every spike."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from grokterm.charts import Line, LineChart, Moments
from grokterm.drawing.axes import Limits
from grokterm.figures.curves import draw_lines, outline, strokes
from grokterm.figures.spectra import apart, columns_of
from grokterm.figures.style import power


def line(values: np.ndarray, steps: np.ndarray | None = None) -> Line:
    return Line("test", "test", np.arange(len(values)) if steps is None else steps, values)


@pytest.mark.parametrize("log_y", [False, True])
@pytest.mark.parametrize("log_x", [False, True])
def test_a_million_points_become_a_few_thousand_with_every_spike(log_x: bool, log_y: bool) -> None:
    values = np.random.default_rng(0).uniform(1.0, 2.0, 1_000_000)
    values[654_321], values[123_456] = 1e6, 1e-6
    over = Limits(0.0, 6.0, log=True) if log_x else Limits(0.0, 1e6)
    x, y = outline(line(values), over, 1200, log_y=log_y)
    assert len(x) == len(y) == 2400
    assert np.nanmax(y) == pytest.approx(6.0 if log_y else 1e6)
    assert np.nanmin(y) == pytest.approx(-6.0 if log_y else 1e-6)
    at = 10 ** x[np.nanargmax(y)] if log_x else x[np.nanargmax(y)]
    assert at == pytest.approx(654_321, rel=0.02)


def test_few_points_are_drawn_as_they_are() -> None:
    values = np.array([1.0, np.nan, 0.0, 100.0, np.inf])
    x, y = outline(line(values), Limits(0.0, 4.0), 1200, log_y=True)
    assert x.tolist() == [0, 1, 2, 3, 4]
    assert np.array_equal(y, [0.0, np.nan, np.nan, 2.0, np.nan], equal_nan=True)


def test_a_curve_goes_on_to_the_edge_of_the_view() -> None:
    x, _ = outline(line(np.arange(100.0)), Limits(10.5, 20.5), 1200, log_y=False)
    assert (x[0], x[-1]) == (10, 21)


def test_what_rises_throughout_is_drawn_without_steps() -> None:
    low, high = np.array([0.0, 1.0, 2.0]), np.array([1.0, 2.0, 3.0])
    assert strokes(low, high).tolist() == [0, 1, 1, 2, 2, 3]
    assert strokes(low[::-1], high[::-1])[2:].tolist() == [2, 1, 1, 0]


def test_a_column_of_a_heat_map_shows_its_largest_value_and_lasts() -> None:
    values = np.array([[1.0], [5.0], [2.0], [3.0]])
    picture = columns_of(values, np.array([10, 11, 12, 60]), Limits(0.0, 100.0), 10)
    assert np.array_equal(picture[0], [np.nan, 5, 2, 2, 2, 2, 3, 3, 3, 3], equal_nan=True)


def test_labels_of_neighbours_are_moved_apart() -> None:
    places = dict(apart([5, 1, 29, 7, 52], 4.0))
    assert list(places) == [1, 5, 7, 29, 52]
    assert places[29] == 29
    assert all(
        after - before >= 4.0 - 1e-9 for before, after in zip([*places.values()], [*places.values()][1:], strict=False)
    )


def test_powers_are_written_as_people_write_them() -> None:
    written = [power(exponent) for exponent in (-3, 0, 2, 4, np.log10(5e-3), np.log10(20), np.log10(3.3))]
    assert written == ["10⁻³", "1", "100", "10⁴", "5·10⁻³", "20", "3.3"]


def test_what_a_curve_has_from_a_parent_is_thinner_and_joins_its_own_part() -> None:
    axes = Figure().add_subplot()
    own = Line("train", "train", np.arange(100), np.linspace(1.0, 2.0, 100), inherited=40)
    draw_lines(axes, LineChart("", "", (own,), (0.0, 100.0), Moments()))
    before, after = axes.lines[:2]
    assert np.asarray(before.get_xdata()).tolist() == list(range(41))
    assert np.asarray(after.get_xdata()).tolist() == list(range(40, 100))
    assert before.get_linewidth() < after.get_linewidth()
