"""Scatter plots: where points are, and what stands around them."""

import itertools

import numpy as np
import pytest

from grokterm.drawing.axes import Limits
from grokterm.drawing.cells import Drawing, Markers
from grokterm.drawing.scatter import Cut, Points, draw_scatter
from tests.drawn_maps import dots_of, text_of

CUT = Cut(0.85, "cut 0.85")


def drawn(x: list[int], values: list[float], **kwargs: object) -> Drawing:
    options = {"first": 1, "last": 10, "y": Limits(0.0, 1.0), "width": 43, "height": 10, **kwargs}
    return draw_scatter([Points(np.array(x), np.array(values), "bar")], **options)  # type: ignore[arg-type]


def test_a_golden_plot() -> None:
    drawing = drawn([1, 4, 4, 10], [0.0, 0.9, 0.1, 1.0], cut=CUT, highlighted={4: "4: 2"}, cursor=10, markers="ascii")
    assert text_of(drawing.rows) == [
        "1.0+                                    *  ",
        "   |- cut 0.85 -*--------------------------",
        "   |                                       ",
        "   |                                       ",
        "0.5+                                       ",
        "   |                                       ",
        "   |             *                         ",
        "0.0+ *                                     ",
        "   +---2-------4-------6-------8-------10^-",
        "              4: 2                         ",
    ]


def test_labels_that_would_touch_stand_apart() -> None:
    drawing = drawn([1, 2, 3], [0.5] * 3, highlighted={1: "1: 40", 2: "2: 69", 3: "3: 78"})
    assert "1: 40  2: 69  3: 78" in text_of(drawing.rows)[-1]


def test_points_lie_at_their_values() -> None:
    values = [0.0, 0.25, 0.5, 1.0]
    dots = dots_of(drawn([2, 2, 2, 2], values, height=22).rows, "bar")
    heights = sorted((41.75 - dots[:, 1]) / 41.5)
    np.testing.assert_allclose(heights, values, atol=0.02)


def test_points_of_one_x_lie_side_by_side_in_its_own_columns() -> None:
    dots = dots_of(drawn([3] * 6, [0.5] * 6).rows, "bar")
    assert len({*dots[:, 0]}) == 6
    width = 39 / 10
    assert ((dots[:, 0] - 4) >= 2 * width - 0.5).all()
    assert ((dots[:, 0] - 4) <= 3 * width).all()


def test_values_outside_are_on_the_edge_and_those_that_are_no_numbers_are_counted() -> None:
    drawing = drawn([1, 2, 3, 4], [7.0, -3.0, np.nan, np.inf])
    assert len(dots_of(drawing.rows, "bar")) == 2
    assert drawing.notes == ("2 not finite",)
    log = drawn([1, 2, 3], [0.0, 0.1, 1.0], y=Limits(-2.0, 0.0, log=True))
    assert log.notes == ("1 not finite or ≤ 0",)


def test_a_later_group_lies_on_top() -> None:
    groups = [Points(np.array([5]), np.array([0.5]), style) for style in ("bar", "bar.key")]
    rows = draw_scatter(groups, first=1, last=10, y=Limits(0.0, 1.0), width=43, height=10).rows
    assert len(dots_of(rows, "bar")) == 0
    assert len(dots_of(rows, "bar.key")) == 1


def test_without_points() -> None:
    assert "no data yet" in drawn([], []).text()


@pytest.mark.parametrize("markers", ["braille", "block", "ascii"])
def test_exactly_so_many_cells(markers: Markers) -> None:
    for width, height in itertools.product((1, 5, 12, 40), (1, 2, 3, 9)):
        drawing = drawn(
            [1, 9], [0.3, 0.9], width=width, height=height, markers=markers, cut=CUT, highlighted={9: "9"}, cursor=3
        )
        assert [len(row) for row in text_of(drawing.rows)] == [width] * height
