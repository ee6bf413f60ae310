"""What a chart says of itself: which points cannot be drawn, and what happened in the steps in view."""

from pathlib import Path

import numpy as np
import pytest

from grokterm.charts import BarChart, Line, Spectrum, joined, lost, moments_in, whole
from grokterm.history import History
from tests.recorded import record


def line(values: list[float]) -> Line:
    return Line("test", "test", np.arange(len(values)) * 10, np.array(values, dtype=np.float64))


@pytest.mark.parametrize(
    ("values", "log_y", "said"),
    [
        ([1.0, 2.0], True, ""),
        ([0.0, -2.0], False, ""),
        ([1.0, 0.0, -1.0], True, "test: 2 of 3 points cannot be drawn: 2 not above 0; the first is at step 10"),
        (
            [1.0, np.nan, np.inf, -np.inf, np.nan],
            False,
            "test: 4 of 5 points cannot be drawn: 2 nan, 1 inf and 1 -inf; the first is at step 10",
        ),
        (
            [-np.inf],
            True,
            "test: 1 of 1 points cannot be drawn: 1 -inf; the first is at step 0",
        ),
    ],
)
def test_points_that_cannot_be_drawn_are_told(values: list[float], log_y: bool, said: str) -> None:
    assert lost(line(values), (0, 1e9), log_y=log_y) == said


def test_points_out_of_view_are_not_counted() -> None:
    assert lost(line([np.nan, 1.0, np.nan, 1.0]), (10, 30), log_y=False).startswith("test: 1 of 3 points")
    assert "step 20" in lost(line([np.nan, 1.0, np.nan, 1.0]), (10, 30), log_y=False)


def test_bars_that_are_no_height_are_told() -> None:
    spectrum = Spectrum(40, np.array([1.0, -1.0, np.nan, 0.0]))
    (note,) = BarChart("", "", (Spectrum(0, np.ones(4)), spectrum)).notes()
    assert note == "step 40: 2 of 4 bars cannot be drawn: 1 nan and 1 below 0; the first is number 2"


def test_a_phase_that_began_before_the_view_is_named_from_its_first_step(tmp_path: Path) -> None:
    history = History(record(tmp_path))
    history.poll()
    assert [(one.label, one.start, one.end) for one in moments_in(history, whole(history)).phases] == [
        ("memorization", 0, 80),
        ("circuit formation", 80, 400),
    ]
    inside = moments_in(history, (100, 150))
    assert [(one.label, one.start, one.end) for one in inside.phases] == [("circuit formation", 100, 150)]
    assert not inside.marks
    assert [mark.x for mark in moments_in(history, (0, 200)).marks] == [200]


def test_names_are_joined_as_people_do() -> None:
    assert [joined(texts) for texts in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]
