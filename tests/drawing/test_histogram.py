"""Histograms: what is counted where, and what is drawn of it."""

import itertools

import numpy as np
import pytest

from grokterm.drawing.cells import Markers
from grokterm.drawing.histogram import Bins, count_in_bins, draw_histogram
from tests.drawn_maps import text_of

BINS = Bins(np.array([8, 4, 0, 0, 1, 2, 0, 16]), 0.0, 0.8)


def test_every_value_is_counted_once() -> None:
    values = np.array([0.0, 0.1, 0.849999, 0.85, 0.99, 1.0, np.nan, 2.0])
    bins = count_in_bins(values, 0.0, 1.0, 20)
    assert bins.counts.sum() == 6
    assert bins.lost == 2
    assert bins.counts[[0, 2, 16, 17, 19]].tolist() == [1, 1, 1, 1, 2]
    assert bins.edges(17) == pytest.approx((0.85, 0.9))


def test_an_edge_belongs_to_the_bin_above_it() -> None:
    values = np.arange(100) / 100  # 0.29 · 100 is a little less than 29
    assert count_in_bins(values, 0.0, 1.0, 100).counts.tolist() == [1] * 100


def test_equal_values_and_none() -> None:
    assert count_in_bins(np.zeros(5), 0.0, 1.0, 4).counts.tolist() == [5, 0, 0, 0]
    assert "no data yet" in draw_histogram(count_in_bins(np.zeros(0), 0.0, 1.0, 4), width=30, height=8).text()


def test_bins_are_joined_by_whole_numbers() -> None:
    joined = BINS.merged(3)
    assert joined.counts.tolist() == [12, 3, 16]
    assert (joined.low, joined.high) == pytest.approx((0.0, 0.9))
    assert BINS.merged(8) is BINS


def test_a_golden_histogram() -> None:
    drawing = draw_histogram(BINS, width=36, height=8, cut=0.4, cursor=4, markers="ascii")
    assert text_of(drawing.rows) == [
        "  |                :           #### ",
        "  |                :           #### ",
        "10+                :           #### ",
        "  |###             :           #### ",
        "  |###             :           #### ",
        "  |### ###         :           #### ",
        " 0+### ###         ### ###     #### ",
        "  +0.0-----0.2-------^-----0.6------",
    ]


def test_heights_are_counts() -> None:
    rows = text_of(draw_histogram(BINS, width=36, height=17).rows)
    heights = [sum(" ▁▂▃▄▅▆▇█".index(row[4 + 4 * index]) for row in rows[:-1]) for index in range(8)]
    assert heights == [8 * count for count in BINS.counts.tolist()]


def test_counts_by_their_logarithm_show_a_single_one() -> None:
    rows = text_of(draw_histogram(Bins(np.array([1, 100]), 0.0, 1.0), width=24, height=12, log_y=True).rows)
    assert [row[:3] for row in rows if row[3:4] == "┤"] == ["100", " 10", "  1"]
    single = sum(row[5] == "█" for row in rows)
    assert single == 1
    assert next(y for y, row in enumerate(rows) if row[5] in "▁▂▃▄▅▆▇█") == [row[:3] for row in rows].index("  1")


def test_bins_from_the_cut_on_stand_out() -> None:
    drawing = draw_histogram(BINS, width=36, height=8, cut=0.4)
    styles = [span.style for span in drawing.rows[6] if "█" in span.text]
    assert styles == ["bar", "bar", "bar.key"]


@pytest.mark.parametrize("markers", ["braille", "block", "ascii"])
def test_exactly_so_many_cells(markers: Markers) -> None:
    for width, height, log_y in itertools.product((1, 5, 9, 12, 40, 90), (1, 2, 3, 9), (False, True)):
        drawing = draw_histogram(BINS, width=width, height=height, cut=0.3, cursor=7, log_y=log_y, markers=markers)
        assert [len(row) for row in text_of(drawing.rows)] == [width] * height


def test_lost_values_are_told() -> None:
    assert draw_histogram(Bins(np.array([1]), 0.0, 1.0, lost=3), width=30, height=8).notes == ("3 not finite",)
