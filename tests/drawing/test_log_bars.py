"""Bars on a logarithmic axis, before a line to compare them with; and the arrow at one of them."""

import numpy as np

from grokterm.drawing.chart import draw_bars
from tests.drawn_maps import text_of

LOSSES = np.array([1e-6, 1e-6, 10.0, 1e-6, 1e-3])


def test_a_golden_picture() -> None:
    drawing = draw_bars(
        LOSSES, width=30, height=10, style="bar", highlighted={3: "3"}, log_y=True, baseline=1e-6, cursor=5
    )
    assert text_of(drawing.rows) == [
        "    │          ████           ",
        "1e+0┤          ████           ",
        "    │          ████           ",
        "    │          ████           ",
        "1e-3┤          ████      ▃▃▃▃ ",
        "    │          ████      ████ ",
        "    │          ████      ████ ",
        "1e-6┤▁▁▁▁╌▁▁▁▁╌████╌▁▁▁▁╌████╌",
        "    └1────2─────────4──────▲──",
        "                 3            ",
    ]


def test_heights_are_logarithms() -> None:
    rows = text_of(draw_bars(10.0 ** np.arange(-4.0, 5.0), width=15, height=10, style="bar", log_y=True).rows)[:-1]
    heights = [sum(" ▁▂▃▄▅▆▇█".index(row[5 + index]) for row in rows) for index in range(9)]
    steps = np.diff(heights)
    assert heights[0] >= 1
    assert heights[-1] == 72
    assert max(steps) - min(steps) <= 1


def test_what_has_no_logarithm_is_marked_and_counted() -> None:
    values = np.array([0.0, 1.0, np.nan, 10.0, -2.0])
    drawing = draw_bars(values, width=30, height=8, style="bar", log_y=True)
    assert drawing.notes == ("1 nan", "2 ≤ 0")
    assert draw_bars(values, width=30, height=8, style="bar", log_y=True, markers="ascii").notes == ("1 nan", "2 <= 0")
    assert sum(row.count("×") for row in text_of(drawing.rows)) == 3


def test_a_baseline_is_in_range_and_behind_the_bars() -> None:
    rows = text_of(draw_bars(np.array([1.0, 2.0]), width=30, height=9, style="bar", baseline=4.0).rows)
    assert rows[0].count("╌") == 28
    assert "4" in rows[0][:2]


def test_the_arrow_points_at_its_bar() -> None:
    rows = text_of(draw_bars(np.arange(1.0, 6.0), width=12, height=6, style="bar", cursor=4).rows)
    bars, floor = rows[-2], rows[-1]
    assert bars[floor.index("▲")] == "█"
    assert floor.index("▲") - 2 in range(6, 8)
