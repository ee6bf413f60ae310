"""Numbers and the levels that stand for them."""

import numpy as np
import pytest

from grokterm.drawing.colour_map import LEVELS
from grokterm.drawing.colour_scale import Scale, has_blocks, scale_spans, shades


def test_a_scale_goes_from_zero_or_from_the_lowest() -> None:
    values = np.array([2.0, 3.0, np.nan, 4.0, np.inf])
    assert Scale.of(values) == Scale(0.0, 4.0)
    assert Scale.of(values, from_zero=False) == Scale(2.0, 4.0)
    assert Scale.around_zero(np.array([-3.0, 1.0])) == Scale(-3.0, 3.0, "around")


def test_a_logarithmic_scale_begins_at_the_smallest_number_above_zero_or_six_decades_down() -> None:
    assert Scale.of(np.array([0.0, 0.01, 10.0]), log=True) == Scale(0.01, 10.0, log=True)
    assert Scale.of(np.array([1e-12, 10.0]), log=True).low == pytest.approx(1e-5)


def test_levels_are_equal_parts_of_the_range() -> None:
    values = np.array([-1.0, 0.0, 0.49, 0.5, 1.0, 7.0, np.nan])
    assert Scale(0.0, 1.0).levels(values, 4).tolist() == [0, 0, 1, 2, 3, 3, 0]
    powers = np.array([0.0, 1e-3, 1e-2, 0.1, 1.0])
    assert Scale(1e-3, 1.0, log=True).levels(powers, 3).tolist() == [0, 0, 1, 2, 2]


def test_zero_has_the_middle_level() -> None:
    count = LEVELS["around"]
    found = Scale(-2.0, 2.0, "around").levels(np.array([-2.0, 0.0, 2.0]), count)
    assert found.tolist() == [0, count // 2, count - 1]
    assert Scale(0.0, 0.0, "around").levels(np.zeros(1), count).tolist() == [count // 2]


def test_equal_numbers_have_the_lowest_level() -> None:
    assert Scale.of(np.zeros(3)).levels(np.zeros(3), 5).tolist() == [0, 0, 0]
    assert Scale.of(np.zeros(3), log=True).levels(np.zeros(3), 5).tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("markers", "colours", "blocks"),
    [("braille", 1 << 24, True), ("block", 256, True), ("braille", 16, False), ("ascii", 1 << 24, False)],
)
def test_two_colours_a_cell_where_the_terminal_has_them(markers: str, colours: int, blocks: bool) -> None:
    assert has_blocks(markers, colours) is blocks  # type: ignore[arg-type]


def test_a_scale_shows_its_colours_between_its_numbers() -> None:
    spans = scale_spans(Scale(0.0, 2.5), 60, markers="braille", colours=256)
    assert "".join(span.text for span in spans) == "0 " + "▌" * 16 + " 2.5"
    assert spans[1].style == "map0.1"
    assert spans[-2].style == "map30.31"
    assert scale_spans(Scale(0.0, 2.5), 6, markers="braille", colours=256) == ()


def test_a_scale_of_shades() -> None:
    def text(scale: Scale, room: int, markers: str) -> str:
        return "".join(span.text for span in scale_spans(scale, room, markers=markers, colours=16))  # type: ignore[arg-type]

    assert text(Scale(0.0, 2.5), 60, "braille") == "0   ░░▒▒▓▓██ 2.5"
    assert text(Scale(0.0, 2.5), 12, "braille") == "0  ░▒▓█ 2.5"
    assert text(Scale(0.1, 2.5, log=True), 60, "ascii") == "<=0.1   ..::**## 2.5"
    assert text(Scale(-1.0, 1.0, "around"), 60, "ascii") == "-1 @@%%==--  ..::**## 1"


def test_both_signs_differ_without_colours() -> None:
    for markers in ("braille", "ascii"):
        signs, styles = shades("around", markers)
        assert len(signs) == len(set(signs)) == len(styles) == 9
