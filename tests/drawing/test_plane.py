"""Points on a plane: a circle is a circle, and numbers stand beside their own points."""

import itertools
import re

import numpy as np
import pytest
from numpy.typing import NDArray

from grokterm.drawing.cells import Markers
from grokterm.drawing.plane import draw_plane
from tests.drawn_maps import dots_of, text_of

ANGLES = 2 * np.pi * np.arange(113) / 113
CIRCLE = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1) * 0.8


def numbers(rows: list[str]) -> dict[int, tuple[int, int]]:
    """Where numbers are written: row and column of their first digit."""
    return {int(found[0]): (y, found.start()) for y, row in enumerate(rows) for found in re.finditer(r"\d+", row)}


@pytest.mark.parametrize(("width", "height"), [(38, 12), (64, 16), (50, 34)])
def test_a_circle_is_a_circle(width: int, height: int) -> None:
    dots = dots_of(draw_plane(CIRCLE, order=range(113), width=width, height=height).rows, "bar.key")
    radius = np.hypot(dots[:, 0] - width / 2, dots[:, 1] - height)
    assert len(dots) > 50
    assert radius.std() < 0.03 * radius.mean()
    assert radius.mean() == pytest.approx(min((width - 9) / 2, height - 3), rel=0.06)


def test_numbers_stand_beside_their_points() -> None:
    rows = text_of(draw_plane(CIRCLE, order=range(113), width=80, height=40).rows)
    found = numbers(rows)
    assert len(found) > 60
    for token, (y, x) in found.items():
        angle = np.arctan2(20 - (y + 0.5), (x + len(str(token)) / 2 - 40) / 2)
        off = (angle - ANGLES[token] + np.pi) % (2 * np.pi) - np.pi
        assert abs(off) < 0.12
    assert max(np.diff(sorted(found))) <= 6


def test_few_numbers_are_spread_over_the_circle() -> None:
    found = sorted(numbers(text_of(draw_plane(CIRCLE, order=range(113), width=38, height=12).rows)))
    assert 15 <= len(found) <= 60
    assert max(np.diff([*found, found[0] + 113])) <= 12


def test_the_point_at_the_cursor_always_has_its_number() -> None:
    for token in (5, 40, 77, 101):
        rows = draw_plane(CIRCLE, order=range(113), width=30, height=10, cursor=token).rows
        assert [span.text for row in rows for span in row if span.style == "here"] == [f"[{token}]"]


def test_no_number_hides_a_point() -> None:
    there = draw_plane(CIRCLE, order=[], width=40, height=14).rows
    named = draw_plane(CIRCLE, order=range(113), width=40, height=14).rows
    np.testing.assert_array_equal(dots_of(there, "bar.key"), dots_of(named, "bar.key"))


def test_points_that_are_not_finite_are_counted() -> None:
    places: NDArray[np.float64] = CIRCLE.copy()
    places[3] = np.nan, 0.0
    places[4] = 0.0, np.inf
    drawing = draw_plane(places, order=range(113), width=40, height=14)
    assert drawing.notes == ("2 not finite",)


@pytest.mark.parametrize("markers", ["braille", "block", "ascii"])
def test_exactly_so_many_cells(markers: Markers) -> None:
    for width, height in itertools.product((1, 3, 9, 24, 60), (1, 2, 7, 20)):
        rows = text_of(draw_plane(CIRCLE, order=range(113), width=width, height=height, cursor=3, markers=markers).rows)
        assert [len(row) for row in rows] == [width] * height
        if markers == "ascii":
            assert all(row.isascii() for row in rows)
