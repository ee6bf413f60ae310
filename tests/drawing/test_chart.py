from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import get_args

import numpy as np
import pytest
from numpy.typing import NDArray

from grokterm.drawing.cells import one_cell_each
from grokterm.drawing.chart import (
    Drawing,
    Entry,
    Line,
    Mark,
    Markers,
    Pattern,
    Row,
    Span,
    Stretch,
    View,
    draw_bars,
    draw_lines,
    draw_waterfall,
    legend,
)

Floats = NDArray[np.float64]
STEPS = np.arange(1001.0)
DECAY = Line("train", STEPS, np.exp(-STEPS / 150) + 0.001, "train")
PHASES = (Stretch(0, 400, "one", "phase1"), Stretch(400, 1000, "two", "phase2"))
EDIT = Mark(500, "lr", "edit")


def picture(text: str) -> list[str]:
    """The rows of a golden picture; a final "." on a row guards its trailing blanks."""
    return [row.removesuffix(".") for row in text.strip("\n").split("\n")]


def rows_of(drawing: Drawing) -> list[str]:
    return drawing.text().split("\n")


def style_at(row: Row, column: int) -> str:
    for span in row:
        if column < len(span.text):
            return span.style
        column -= len(span.text)
    raise AssertionError("outside the row")


def check_size(rows: Sequence[Row], width: int, height: int) -> None:
    assert len(rows) == height
    for row in rows:
        text = "".join(span.text for span in row)
        assert len(text) == width
        assert one_cell_each(text) == text
        assert all(span.text for span in row)


def test_log_curve_with_mark_cursor_and_ribbon() -> None:
    view = View(log_y=True, x_min=0, cursor=800)
    drawing = draw_lines([DECAY], width=32, height=9, view=view, marks=[EDIT], ribbon=PHASES)
    assert rows_of(drawing) == picture("""
1e+0┤⠲⢤⣀          ┊lr     │     .
    │  ⠈⠙⠲⢤⣀      ┊       │     .
1e-1┤      ⠈⠙⠦⣄⡀  ┊       │     .
    │          ⠉⠓⠦⣄⡀      │     .
    │             ┊⠉⠓⠦⣄⣀  │     .
1e-2┤             ┊    ⠈⠙⠲⢤⣀⡀   .
    │             ┊       │ ⠉⠓⠲⠤.
    └0────────────▲500──────────.
     ░░░ one ░░░▒▒▒▒▒ two ▒▒▒▒▒▒.
""")
    styles = [style_at(drawing.rows[r], c) for r, c in ((0, 0), (0, 6), (0, 18), (0, 20), (0, 26), (7, 18), (8, 6))]
    assert styles == ["axis", "train", "edit", "edit", "cursor", "edit", "phase1"]


def test_quadrants_and_a_value_off_scale() -> None:
    drawing = draw_lines([DECAY], width=32, height=9, view=View(y_min=0, y_max=1), markers="block")
    assert rows_of(drawing) == picture("""
 1.0┤▌                          .
    │▜▖                         .
    │ ▙                         .
    │ ▝▙                        .
 0.5┤  ▝▙▖                      .
    │    ▜▄                     .
    │     ▝▀▙▄▖                 .
 0.0┤         ▀▀▀▀▜▄▄▄▄▄▄▄▄▄▄▄▄▄
    └0────────────500───────────
""")
    assert drawing.notes == ("1 off scale",)


def test_ascii_stays_ascii() -> None:
    view = View(y_min=0, y_max=0.5)
    drawing = draw_lines([DECAY], width=32, height=9, view=view, marks=[EDIT], ribbon=PHASES, markers="ascii")
    assert rows_of(drawing) == picture("""
    |****         :lr           .
 0.4+   *         :             .
    |   ***       :             .
    |     **      :             .
 0.2+      ***    :             .
    |        *****:             .
 0.0+            ***************
    +0------------^500----------
     ... one ...----- two ------
""")
    assert drawing.notes == ("105 off scale",)


def test_what_cannot_be_drawn_is_marked_and_counted() -> None:
    line = Line("t", np.arange(6.0), np.array([1, np.nan, np.inf, 0, 0.1, 1]), "t")
    drawing = draw_lines([line], width=32, height=7, view=View(log_y=True))
    assert rows_of(drawing) == picture("""
1e+0┤⠁    ×    ×               ⡼.
    │                         ⡼⠁.
    │                        ⣰⠃ .
    │                       ⣰⠃  .
    │                      ⣰⠃   .
1e-1┤                ×    ⢰⠃    .
    └0─────────2──────────4─────
""")
    assert drawing.notes == ("1 nan", "1 inf", "1 ≤ 0")
    assert style_at(drawing.rows[5], 21) == "problem"
    assert draw_lines([line], width=32, height=7, view=View(log_y=True), markers="ascii").notes[2] == "1 <= 0"
    assert draw_lines([line], width=32, height=7, view=View(x_min=3.5, log_y=True)).notes == ()


def test_nothing_to_draw() -> None:
    assert rows_of(draw_lines([], width=24, height=5)) == picture("""
    │                   .
    │    no data yet    .
    │                   .
    │                   .
    └───────────────────
""")
    assert "nothing in this range" in draw_lines([DECAY], width=40, height=5, view=View(x_min=2e3, x_max=3e3)).text()
    assert draw_lines([], width=5, height=1).text() == "no da"


def test_dots_of_two_lines_share_a_cell_and_the_later_one_colours_it() -> None:
    x = np.array([0.0, 1.0])
    low, high = Line("a", x, np.zeros(2), "a"), Line("b", x, np.full(2, 1.0), "b")
    view = View(y_min=0, y_max=1)
    drawing = draw_lines([low, high], width=4, height=1, view=view)
    assert drawing.rows == ((Span("⣉⣉⣉⣉", "b"),),)
    assert draw_lines([low, replace(high, faint=True)], width=4, height=1, view=view).rows[0][0].style == "a"
    assert draw_lines([replace(high, faint=True)], width=4, height=1, view=view).rows[0][0].style == "b.faint"


def test_patterns_leave_gaps_where_a_line_is_flat() -> None:
    line = Line("a", np.array([0.0, 1.0]), np.zeros(2), "a")
    texts = [
        draw_lines([replace(line, pattern=p)], width=8, height=1, view=View(y_min=0, y_max=1)).text()
        for p in get_args(Pattern)
    ]
    assert texts == ["⣀⣀⣀⣀⣀⣀⣀⣀", "⣀⣀⣀⣀⣀⣀⡀⢀", "⣀⣀⡀ ⣀⣀⡀⢀", "⡀⢀ ⡀⢀ ⡀⢀", "⣤⣤⣤⣤⣤⣤⣤⣤"]


def lit_dot_rows(drawing: Drawing, column: int, markers: Markers) -> set[int]:
    """The dot rows lit in a column of cells."""
    bits = {"braille": [0x09, 0x12, 0x24, 0xC0], "block": [3, 12], "ascii": [1]}[markers]
    lit = set()
    for row, text in enumerate(rows_of(drawing)):
        char = text[column]
        if markers == "braille":
            dots = ord(char) - 0x2800 if char != " " else 0
        else:
            dots = " ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█".index(char) if markers == "block" else int(char == "*")
        lit |= {row * len(bits) + dot for dot, mask in enumerate(bits) if dots & mask}
    return lit


@pytest.mark.parametrize(
    ("markers", "pattern"),
    [
        ("braille", "solid"),
        ("braille", "long"),
        ("braille", "dash"),
        ("braille", "dot"),
        ("braille", "thick"),
        ("block", "dot"),
        ("ascii", "dash"),
    ],
)
def test_one_spike_in_a_million_points_is_drawn_at_every_width(markers: Markers, pattern: Pattern) -> None:
    rows, count = 10, 1_000_000
    x, y = np.arange(float(count)), np.zeros(count)
    dots = rows * {"braille": 4, "block": 2, "ascii": 1}[markers]
    for width in range(20, 201):
        up, down = (width * 4_973) % (count // 2), count // 2 + (width * 7_919) % (count // 2)
        y[up], y[down] = 1.0, -1.5
        view = View(y_min=-2, y_max=2, x_min=0, x_max=count - 1)
        line = Line("a", x, y, "a", pattern=pattern)
        drawing = draw_lines([line], width=width, height=rows + 1, view=view, markers=markers)
        left = rows_of(drawing)[rows].index("+" if markers == "ascii" else "└") + 1
        plot = Drawing(tuple((Span("".join(s.text for s in row)[left:], ""),) for row in drawing.rows[:rows]))
        for step, value in ((up, 1.0), (down, -1.5)):
            column = min(int(step / (count - 1) * (width - left)), width - left - 1)
            assert round((2 - value) / 4 * (dots - 1)) in lit_dot_rows(plot, column, markers)
        y[up] = y[down] = 0.0


@pytest.mark.parametrize("pattern", get_args(Pattern))
def test_a_spike_of_one_dot_is_not_lost_in_a_gap(pattern: Pattern) -> None:
    for at in range(60):
        y = np.zeros(61)
        y[at] = 1.0
        line = Line("a", np.arange(61.0), y, "a", pattern=pattern)
        drawing = draw_lines([line], width=8, height=1, view=View(y_min=0, y_max=3, x_min=0, x_max=60))
        assert any(2 in lit_dot_rows(drawing, column, "braille") for column in range(8))


@pytest.mark.parametrize("pattern", get_args(Pattern))
def test_no_gap_in_noise_and_none_at_a_lone_point(pattern: Pattern) -> None:
    noise = Line("a", np.arange(500.0), np.arange(500.0) % 2, "a", pattern)
    assert draw_lines([noise], width=8, height=1, view=View(y_min=0, y_max=1)).text() == "⣿" * 8
    for at in range(1, 15):
        y = np.zeros(17)
        y[[at - 1, at + 1]] = np.nan
        line = Line("a", np.arange(17.0), y, "a", pattern)
        text = draw_lines([line], width=8, height=3, view=View(y_min=0, y_max=1)).text().split("\n")[2]
        assert (ord(text[at // 2]) - 0x2800) & (0x40, 0x80)[at % 2]


HARD = {
    "nothing": [],
    "one": [3.0],
    "constant": [0.25] * 9,
    "zeros": [0.0] * 9,
    "negative": [-3.0, -2.0, -5.0],
    "nans": [np.nan] * 5,
    "infinite": [np.inf, -np.inf, np.inf],
    "mixed": [1.0, np.nan, 0.0, -1.0, np.inf, 5.0, -np.inf, 2.0, 2.0, 0.5],
    "huge": [1e300, 1e-300, 1.0, -1e300],
    "hugest": [1.7e308, -1.7e308, 5e-324],
    "huge constant": [1.7e308] * 3,
    "tiny constant": [5e-324] * 3,
    "nearly constant": [1.0, 1.0 + 1e-15, 1.0],
}
SIZES = [(1, 1), (1, 2), (3, 3), (8, 4), (13, 3), (20, 6), (41, 9), (200, 50)]
ZOOMS = [(None, None), (0.5, 2.5), (100.0, 200.0), (5.0, 5.0), (7.0, 2.0), (-1e9, 1e9), (np.nan, np.inf)]


@pytest.mark.parametrize("name", HARD)
@pytest.mark.parametrize("markers", get_args(Markers))
def test_any_data_at_any_size_and_zoom(name: str, markers: Markers) -> None:
    y = np.array(HARD[name], dtype=np.float64)
    lines = [
        Line("a", np.arange(float(len(y))), y, "a", "dash"),
        Line("b", np.arange(0.0, 10.0 * len(y), 10.0), y, "b", "dot"),
    ]
    marks = [Mark(2, "wide 漢\n", "edit"), Mark(2, "two", "edit"), Mark(1e9, "far", "edit"), Mark(np.nan, "", "edit")]
    ribbon = [Stretch(-5, 2, "phase", "p1"), Stretch(2, np.inf, "x", "p2"), Stretch(np.nan, 3, "nan", "p3")]
    for (width, height), (x_min, x_max), log_x, log_y in product(SIZES, ZOOMS, (False, True), (False, True)):
        view = View(x_min, x_max, log_x, log_y, cursor=1.5)
        drawing = draw_lines(lines, width=width, height=height, view=view, marks=marks, ribbon=ribbon, markers=markers)
        check_size(drawing.rows, width, height)
        assert markers != "ascii" or drawing.text().isascii()


@pytest.mark.parametrize("limits", [(0.0, 1.0), (-1.0, None), (None, 2.0), (5.0, 5.0), (1e300, 1e-300), (0.0, np.nan)])
def test_any_fixed_limits(limits: tuple[float | None, float | None]) -> None:
    for values, log_y in product(HARD.values(), (False, True)):
        y = np.array(values, dtype=np.float64)
        view = View(log_y=log_y, y_min=limits[0], y_max=limits[1])
        drawing = draw_lines([Line("a", np.arange(float(len(y))), y, "a")], width=40, height=9, view=view)
        check_size(drawing.rows, 40, 9)


def test_every_small_size() -> None:
    for width, height in product(range(1, 24), range(1, 9)):
        drawing = draw_lines([DECAY], width=width, height=height, marks=[EDIT], ribbon=PHASES)
        check_size(drawing.rows, width, height)
        check_size(draw_bars(DECAY.y[:40], width=width, height=height, style="b").rows, width, height)
        waterfall = draw_waterfall(np.ones((5, 9)), np.arange(5.0), width=width, height=height)
        check_size(waterfall.rows, width, height)


def test_every_mark_has_a_tick_and_labels_do_not_touch() -> None:
    marks = [Mark(float(step), f"mark{step}", "edit") for step in (0, 100, 130, 500, 1000)]
    rows = rows_of(draw_lines([replace(DECAY, y=-STEPS)], width=60, height=8, marks=marks))
    assert rows[-1].count("▲") == 5
    assert "mark500" in rows[0]
    assert "mark1000┊" in rows[0]


def test_labels_of_close_marks_go_to_different_rows() -> None:
    view = View(x_min=0, x_max=33, y_min=-1, y_max=1e3)
    marks = [Mark(27, "ab", "edit"), Mark(33, "xy", "edit")]
    rows = rows_of(draw_lines([replace(DECAY, y=-STEPS)], width=38, height=9, view=view, marks=marks))
    assert (rows[0][-6:], rows[1][-6:]) == ("┊ab  ┊", "┊  xy┊")


def test_a_mark_on_log_x_stands_at_its_step() -> None:
    drawing = draw_lines(
        [DECAY], width=47, height=9, view=View(x_min=1, x_max=100, log_x=True), marks=[Mark(10, "", "e")]
    )
    assert rows_of(drawing)[-1] == "      └1" + "─" * 19 + "▲10" + "─" * 17


def test_log_x_puts_step_0_at_the_left_edge() -> None:
    line = Line("a", np.array([0.0, 1.0, 10.0, 100.0]), np.array([0.0, 3.0, 0.0, 0.0]), "a")
    drawing = draw_lines([line], width=40, height=9, view=View(log_x=True, y_min=0, y_max=3))
    assert "└1" in rows_of(drawing)[-1]
    assert lit_dot_rows(
        Drawing(tuple((Span("".join(s.text for s in row)[7:], ""),) for row in drawing.rows[:8])), 0, "braille"
    ) >= {0, 31}


def test_bars() -> None:
    values = np.array([1, 2, 0.1, 8, 0, 4.0])
    drawing = draw_bars(values, width=24, height=7, style="b", highlighted={4: "4", 6: "six"})
    assert rows_of(drawing) == picture("""
 │         ██           .
5┤         ██           .
 │         ██    ▄▄     .
 │   ▂▂    ██    ██     .
0┤▅▅ ██ ▁▁ ██    ██     .
 └1──2─────4─────6──────.
            4    six    .
""")


def test_bars_are_numbered_keyed_and_counted() -> None:
    values = np.array([1, np.nan, -1, 8, np.inf])
    drawing = draw_bars(values, width=24, height=6, style="b", highlighted={1: "k"}, first=0)
    assert drawing.notes == ("1 nan", "1 inf", "1 < 0")
    assert drawing.text().count("×") == 3
    empty = draw_bars(np.array([]), width=24, height=6, style="b")
    check_size(empty.rows, 24, 6)
    assert "no data yet" in empty.text()


@pytest.mark.parametrize("markers", get_args(Markers))
@pytest.mark.parametrize("width", [1, 10, 30, 58, 62, 124, 200])
def test_the_highest_bar_shows_at_every_width(width: int, markers: Markers) -> None:
    for position in range(56):
        values = np.full(56, 0.1)
        values[position] = 3.0
        drawing = draw_bars(values, width=width, height=16, style="b", highlighted={position + 1: "k"}, markers=markers)
        check_size(drawing.rows, width, 16)
        assert any(span.style == "b.key" and span.text[0] in "█#" for span in drawing.rows[0])


def test_waterfall() -> None:
    matrix = np.array([[0, 1.0, 0], [0, 2, 4], [8, 0, 4], [8, np.nan, 0]])
    drawing = draw_waterfall(matrix, np.array([0, 10.0, 20, 30]), width=24, height=7, highlighted={2: "k2"})
    assert rows_of(drawing) == picture("""
    │      ▒▒▒▒▒▒▒▒▒▒▒▒×.
    │      ▒▒▒▒▒▒▒▒▒▒▒▒ .
    │      ░░░░░░       .
  k2┤      ░░░░░░       .
    │            ███████.
    │            ███████.
    └0───────────20─────.
""")
    assert drawing.notes == ("1 not finite",)
    assert style_at(drawing.rows[4], 20) == "heat4"
    assert style_at(drawing.rows[3], 3) == "heat.key"


@pytest.mark.parametrize("markers", get_args(Markers))
def test_any_waterfall(markers: Markers) -> None:
    rng = np.random.default_rng(0)
    for (width, height), times, log_x, zoom in product(SIZES, (0, 1, 2, 300), (False, True), ZOOMS):
        matrix = rng.choice([0.0, 1.0, -2.0, np.nan, np.inf, 1e300], size=(times, 56))
        drawing = draw_waterfall(
            matrix,
            np.arange(0.0, 7.0 * times, 7.0),
            width=width,
            height=height,
            log_x=log_x,
            cursor=10,
            x_min=zoom[0],
            x_max=zoom[1],
            highlighted={3: "3", 99: "far"},
            markers=markers,
        )
        check_size(drawing.rows, width, height)


def test_legend() -> None:
    entries = [
        Entry("train", "train", "solid", "1.663e-07"),
        Entry("test", "test", "dash", "0.1504", "o"),
        Entry("restricted", "restricted", "dot"),
    ]
    texts = ["".join(span.text for span in row) for row in legend(entries, 60, 1)]
    assert texts == ["━ train 1.663e-07  ╍ test 0.1504  ┄ restricted".ljust(60)]
    assert "".join(span.text for span in legend(entries, 40, 1)[0]) == "━ train 1.663e-07  ╍ test 0.1504  +1".ljust(40)
    assert [span.style for span in legend(entries, 60, 1)[0]][:3] == ["train", "value", ""]
    assert "".join(span.text for span in legend(entries, 60, 1, markers="ascii")[0]).startswith("* train 1.663e-07  o")
    wrapped = ["".join(span.text for span in row).rstrip() for row in legend(entries, 31, 2)]
    assert wrapped == ["━ train 1.663e-07", "╍ test 0.1504  ┄ restricted"]
    for width, rows in product(range(1, 80), range(1, 4)):
        found = legend(entries, width, rows)
        assert 1 <= len(found) <= rows
        check_size(found, width, len(found))
        shown = "  ".join("".join(span.text for span in row).strip() for row in found).split("  ")
        assert set(shown) <= {"━ train 1.663e-07", "╍ test 0.1504", "┄ restricted", "+1", "+2", "+3", "+"}


@pytest.mark.parametrize("markers", ["braille", "block"])
@pytest.mark.parametrize("value", [-1.0, 0.0, 1.0])
def test_a_thick_line_is_two_dots_high_everywhere(markers: Markers, value: float) -> None:
    view = View(y_min=-1, y_max=1)
    lines = [Line("a", np.array([0.0, 10.0]), np.full(2, value), "a", pattern=p) for p in ("solid", "thick")]
    thin, thick = (draw_lines([line], width=30, height=9, view=view, markers=markers) for line in lines)
    plots = [Drawing(drawing.rows[:-1]) for drawing in (thin, thick)]
    for column in range(10, 29):
        once, twice = (lit_dot_rows(plot, column, markers) for plot in plots)
        assert len(once) == 1
        assert len(twice) == 2
        assert once < twice
