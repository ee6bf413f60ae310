"""Names above a plot: none over another, none crossed by another's line."""

from itertools import combinations, pairwise

import numpy as np
import pytest

from grokterm.charts import Moments
from grokterm.drawing.axes import Limits, Mark, Stretch
from grokterm.figures.names import GAP, Name, placed

WIDTH = 300.0
OVER = Limits(0.0, 100.0)


def length(text: str) -> float:
    return 4.0 * len(text)


def clash(one: Name, other: Name) -> bool:
    """Whether two names touch, or the line of one goes through the other."""
    ends = [name.left + length(name.text) for name in (one, other)]
    touch = one.row == other.row and one.left < ends[1] and other.left < ends[0]
    crossed = [
        line.line is not None and line.row > name.row and name.left < line.line < name.left + length(name.text)
        for line, name in ((one, other), (other, one))
    ]
    return touch or any(crossed)


def test_a_wide_phase_has_its_name_in_its_middle_and_a_narrow_one_above() -> None:
    phases = (Stretch(0, 5, "memorization", ""), Stretch(5, 60, "formation", ""), Stretch(60, 100, "cleanup", ""))
    names = placed(Moments(phases), OVER, WIDTH, length)
    by_text = {name.text: name for name in names.phases}
    assert by_text["memorization"] == Name("memorization", GAP / 2, 1, 0.0)
    assert by_text["formation"].row == by_text["cleanup"].row == 0
    assert by_text["formation"].left + length("formation") / 2 == pytest.approx((5 + 60) / 2 * 3)
    assert names.rows == 2


def test_a_phases_name_steps_aside_for_a_mark() -> None:
    moments = Moments((Stretch(0, 100, "cleanup", ""),), (Mark(50, "wd 2", ""),))
    (name,) = placed(moments, OVER, WIDTH, length).phases
    assert not name.left <= 150 <= name.left + length("cleanup")


def test_no_names_clash_whatever_the_places() -> None:
    numbers = np.random.default_rng(0)
    for _ in range(200):
        steps = np.sort(numbers.uniform(0, 100, 7))
        marks = tuple(Mark(step, "x" * numbers.integers(1, 17), "") for step in steps)
        cuts = [0.0, *np.sort(numbers.uniform(0, 100, 3)), 100.0]
        phases = tuple(Stretch(a, b, "circuit formation", "") for a, b in pairwise(cuts))
        names = placed(Moments(phases, marks), OVER, WIDTH, length)
        assert len(names.marks) + names.nameless == 7
        assert not [pair for pair in combinations(names.marks, 2) if clash(*pair)]
        assert not [pair for pair in combinations(names.phases, 2) if clash(*pair)]
        assert min((name.row for name in names.marks), default=9) > max(name.row for name in names.phases)


def test_what_finds_no_room_is_counted() -> None:
    marks = tuple(Mark(50 + index / 10, "a long label", "") for index in range(10))
    names = placed(Moments((), marks), OVER, WIDTH, length)
    assert len(names.marks) == 3
    assert names.nameless == 7
    assert names.beyond(200.0, length) > 0
