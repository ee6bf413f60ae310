"""Maps: which number stands where, in which colour, and what is said of those that share a place."""

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from grokterm.drawing.cells import Drawing, Markers
from grokterm.drawing.colour_map import LEVELS
from grokterm.drawing.colour_scale import Scale
from grokterm.drawing.heatmap import HeatMap, Look, draw_heatmaps
from grokterm.drawing.map_axes import Axis
from tests.drawn_maps import NONE, levels_of, map_of, text_of

Floats = NDArray[np.float64]
WAVE = np.cos(2 * np.pi * np.add.outer(np.arange(113), 3 * np.arange(113)) / 113)


def drawn(values: Floats, width: int, height: int, **kwargs: object) -> Drawing:
    matrix = HeatMap(values, Axis("a"), Axis("b"), pointer=kwargs.pop("pointer", None))  # type: ignore[arg-type]
    return draw_heatmaps([matrix], Look(Scale.of(values), **kwargs), width, height)  # type: ignore[arg-type]


def test_two_values_a_cell() -> None:
    values = np.array([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0], [6.0, 7.0, 8.0]])
    drawing = draw_heatmaps([HeatMap(values, Axis("a"), Axis("b"))], Look(Scale.of(values)), 9, 5)
    levels = map_of(drawing.rows)
    expected = np.minimum((values / 8 * 32).astype(int), 31)
    np.testing.assert_array_equal(levels[:6], np.repeat(np.repeat(expected, 2, axis=0), 2, axis=1))


def test_an_odd_row_has_nothing_below_it() -> None:
    levels = levels_of(drawn(np.arange(9.0).reshape(3, 3), 8, 3).rows)
    assert (levels[:3, 2:] != NONE)[:, :3].all()
    assert (levels[3] == NONE).all()


def test_a_golden_map_in_shades() -> None:
    values = np.add.outer(np.arange(10.0), np.zeros(20)) + np.arange(20.0)
    rows = text_of(drawn(values, 36, 13, markers="ascii", pointer=(4, 7)).rows)
    assert rows == [
        "0+      ......:::::***              ",
        " |     ......:::::****              ",
        " |    ......:::::*****              ",
        " |   ......:::::******              ",
        " |  ......:::::******#              ",
        "5+ ......:::::******##              ",
        " |......:::::******###              ",
        " >....+:::::******####              ",
        " |....:::::******#####              ",
        " |...:::::******######              ",
        "a+0---^-----10-------- b            ",
        "                                    ",
        "  0   ..::**## 28                   ",
    ]


def test_a_map_larger_than_the_room_says_so() -> None:
    drawing = drawn(WAVE + 1, 64, 16)
    assert text_of(drawing.rows)[-1].rstrip().endswith("1 block = 1.9 × 4 values")
    assert drawing.notes == ()
    narrow = drawn(WAVE + 1, 30, 16)
    assert narrow.notes == ("1 block = 4.3 × 4 values",)
    assert drawn(WAVE[:10, :10] + 1, 64, 16).notes == ()


def test_a_narrow_scale_says_it_in_fewer_words() -> None:
    values = np.abs(WAVE) * 12345.678
    drawing = drawn(values, 64, 16, pooling="largest")
    assert text_of(drawing.rows)[-1].rstrip().endswith("1 block = largest of 1.9 × 4")


@pytest.mark.parametrize("pointer", [(0, 0), (112, 112), (30, 77)])
def test_the_cursor_stands_on_its_value_and_points_from_both_axes(pointer: tuple[int, int]) -> None:
    rows = text_of(drawn(WAVE + 1, 118, 59, pointer=pointer).rows)
    column, row = pointer
    assert [(y, line.index("╋")) for y, line in enumerate(rows) if "╋" in line] == [(row // 2, 4 + column)]
    assert rows[row // 2][3] == "▸"
    assert rows[57][4 + column] == "▲"


def test_the_cursor_keeps_the_colour_of_its_value() -> None:
    values = np.zeros((4, 4))
    values[2, 1] = 1.0
    (span,) = (s for row in drawn(values, 12, 4, pointer=(1, 2)).rows for s in row if "╋" in s.text)
    assert span.style == "map31.here"


def test_ticks_stand_at_their_residues() -> None:
    for size in ((64, 16), (78, 20), (118, 59), (196, 46)):
        rows = text_of(drawn(WAVE + 1, *size).rows)
        floor = next(y for y, row in enumerate(rows) if "└" in row)
        columns = levels_of(drawn(WAVE + 1, *size).rows)
        first, count = 4, int((columns[0] != NONE).sum())
        marks = [(at, int(text)) for at, text in numbers_in(rows[floor], first)]
        assert [number for _, number in marks][:2] in ([0, 10], [0, 20])
        assert all(at - first == number * count // 113 for at, number in marks)
        height = int((columns[:, first] != NONE).sum())
        for y, row in enumerate(rows[:floor]):
            if row[3] == "┤":
                number = int(row[:3])
                assert y == int((number + 0.5) * height / 113) // 2


def numbers_in(row: str, first: int) -> list[tuple[int, str]]:
    """Where numbers begin in an axis, and the numbers."""
    found: list[tuple[int, str]] = []
    for is_number, signs in itertools.groupby(enumerate(row), key=lambda sign: sign[1].isdecimal()):
        run = [*signs]
        if is_number and run[0][0] >= first:
            found.append((run[0][0], "".join(sign for _, sign in run)))
    return found


def test_key_numbers_are_written_where_they_are_and_joined_where_they_touch() -> None:
    axis = Axis("a", stride=2, offset=-1, keys=(7, 33, 34, 55))
    values = np.zeros((113, 113))
    drawing = draw_heatmaps([HeatMap(values, axis, axis)], Look(Scale(0.0, 1.0)), 64, 16)
    floor = text_of(drawing.rows)[-2]
    assert "33,34" in floor
    assert {span.text for span in drawing.rows[-2] if span.style == "bar.key"} == {"7", "33,34", "55"}
    keys = [span.text for row in drawing.rows[:-2] for span in row if span.style == "bar.key"]
    assert keys == ["7", "33,34", "55"]
    assert floor.index("7") - 6 == (2 * 7 - 1) * 58 // 113


def test_values_that_are_not_finite_are_marked_and_counted() -> None:
    values = WAVE + 1
    values[3, 5] = np.nan
    values[100, 60] = np.inf
    for colours in (1 << 24, 16):
        drawing = drawn(values, 64, 16, colours=colours)
        assert sum(row.count("×") for row in text_of(drawing.rows)[:-1]) == 2
        assert drawing.notes == ("2 not finite",)


def maps(count: int) -> list[HeatMap]:
    return [
        HeatMap(WAVE + head, Axis("a"), Axis("b"), (f"head {head} of them all", f"head {head}"), (3, 4))
        for head in range(count)
    ]


@pytest.mark.parametrize("count", [1, 2, 3, 4, 8])
def test_several_maps_share_a_scale_and_the_room(count: int) -> None:
    drawing = draw_heatmaps(maps(count), Look(Scale(0.0, 9.0)), 120, 30)
    rows = text_of(drawing.rows)
    assert [sum(f"head {head}" in row for row in rows) for head in range(count)] == [1] * count
    assert sum(row.count("╋") for row in rows) == count
    assert rows[-1].split()[0] == "0"
    assert rows[-1].split()[2] == "9"
    for head in range(count):
        line = next(y for y, row in enumerate(rows) if f"head {head}" in row)
        assert any(wall in rows[line + 2] for wall in "┤│▸")


def test_maps_side_by_side_are_equally_wide() -> None:
    levels = levels_of(draw_heatmaps(maps(4), Look(Scale(0.0, 9.0)), 120, 30).rows)
    there = (levels != NONE).any(axis=0)
    widths = [len([*run]) for filled, run in itertools.groupby(there) if filled]
    assert len(widths) == 4
    assert len({*widths}) == 1


SIZES = ((1, 1), (2, 1), (1, 3), (4, 2), (9, 4), (12, 5), (20, 8), (38, 12), (64, 16))


@pytest.mark.parametrize("markers", ["braille", "block", "ascii"])
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_exactly_so_many_cells(width: int, height: int, markers: Markers) -> None:
    for colours, count, size in itertools.product((1 << 24, 256, 16, 0), (1, 5), (1, 2, 13, 113)):
        values = WAVE[:size, :size]
        each = HeatMap(values, Axis("a"), Axis("b"), ("label",), (size - 1, 0))
        look = Look(Scale.around_zero(values), "largest", markers, colours)
        rows = draw_heatmaps([each] * count, look, width, height).rows
        assert [len(row) for row in text_of(rows)] == [width] * height
        if markers == "ascii":
            assert all(row.isascii() for row in text_of(rows))


def test_few_styles_for_a_large_map() -> None:
    styles = {span.style for row in drawn(WAVE + 1, 196, 46).rows for span in row}
    assert len(styles) <= LEVELS["map"] ** 2 + 10
