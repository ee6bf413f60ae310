"""Bands under the lines, tags on them: what is shaded, what stays visible, whose label stands where."""

import numpy as np

from grokterm.drawing.chart import Band, Line, View, draw_lines
from grokterm.drawing.tags import LEAST_COLUMNS

X = np.arange(101.0)
FLAT = np.full(101, 5.0)
BAND = Band(X, np.full(101, 2.0), np.full(101, 8.0), "train")
VIEW = View(y_min=0.0, y_max=10.0)


def rows_with(text: str, sign: str) -> list[int]:
    return [row for row, line in enumerate(text.splitlines()) if sign in line]


def test_a_band_shades_its_range_and_nothing_else() -> None:
    line = Line("a", X, FLAT, "train", ascii_marker="*")
    text = draw_lines([line], width=40, height=12, view=VIEW, bands=[BAND], markers="ascii").text()
    assert rows_with(text, ".....") == [2, 3, 4, 6, 7, 8]
    assert rows_with(text, "*****") == [5]


def test_a_line_lies_on_the_band_in_its_own_style() -> None:
    drawing = draw_lines([Line("a", X, FLAT, "test")], width=40, height=12, view=VIEW, bands=[BAND])
    styles = [{span.style for span in row} for row in drawing.rows[:11]]
    assert "test" in styles[5]
    assert all("train.faint" in styles[row] for row in (2, 3, 8))
    assert all("train.faint" not in styles[row] for row in (0, 10))


def test_the_axis_holds_the_whole_band() -> None:
    wide = Band(X, np.full(101, -300.0), np.full(101, 500.0), "train")
    text = draw_lines([Line("a", X, FLAT, "train")], width=40, height=12, bands=[wide]).text()
    assert "500" in text or "400" in text


def test_a_band_down_to_zero_on_a_log_axis_reaches_the_floor() -> None:
    band = Band(X, np.zeros(101), np.full(101, 10.0), "train")
    line = Line("a", X, np.full(101, 1.0), "train", ascii_marker="*")
    other = Line("b", X, np.full(101, 0.01), "train", ascii_marker="o")
    text = draw_lines([line, other], width=40, height=12, view=View(log_y=True), bands=[band], markers="ascii").text()
    assert rows_with(text, "ooooo") == [10]
    assert rows_with(text, ".....")[-1] == 9


def test_a_band_is_absent_where_it_has_no_value() -> None:
    high = np.where(X < 50, 8.0, np.nan)
    band = Band(X, np.where(X < 50, 2.0, np.nan), high, "train")
    text = draw_lines(
        [Line("a", X, FLAT, "train")], width=47, height=12, view=VIEW, bands=[band], markers="ascii"
    ).text()
    shaded = text.splitlines()[3][7:]
    assert shaded[:19] == "." * 19
    assert shaded[21:].strip() == ""


def tagged(*heights: float) -> list[Line]:
    return [Line(str(i), X, np.full(101, y), f"s{i}", tag=str(i)) for i, y in enumerate(heights)]


def test_every_curve_is_tagged_where_it_is_by_itself() -> None:
    drawing = draw_lines(tagged(1.0, 5.0, 9.0), width=60, height=12, view=VIEW)
    lines = drawing.text().splitlines()
    found = {sign: [row for row in range(11) if sign in lines[row][7:]] for sign in "012"}
    assert {sign: len(rows) for sign, rows in found.items()} == {"0": 1, "1": 1, "2": 1}
    assert found["0"] > found["1"] > found["2"]
    places = [lines[found[sign][0]].index(sign, 7) for sign in "012"]
    assert places == sorted(places)
    assert {span.style for row in drawing.rows for span in row if set(span.text) & set("12")} >= {"s1", "s2"}


def test_a_hidden_curve_gets_no_tag_for_it_would_be_another_ones() -> None:
    text = draw_lines(tagged(5.0, 5.0, 9.0), width=60, height=12, view=VIEW).text()
    plot = [line[7:] for line in text.splitlines()[:11]]
    assert not any("0" in line or "1" in line for line in plot)
    assert any("2" in line for line in plot)


def test_a_narrow_plot_has_no_tags() -> None:
    text = draw_lines(tagged(1.0, 9.0), width=LEAST_COLUMNS - 2, height=12, view=VIEW).text()
    assert not any("1" in line[7:] for line in text.splitlines()[:11])
