"""Charts for paper and logs: every row has its place, and no data bring plotext down."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from grokterm.ancestry import find_parents
from grokterm.history import History
from grokterm.plot import FAINT, Boundary, Curve, chart, loss_chart
from tests.forked import parent_and_fork
from tests.recorded import record

ROOT = Path(__file__).parent.parent

NASTY = """
import itertools
import numpy as np
from grokterm.plot import Boundary, Curve, chart

nan, inf = float("nan"), float("inf")
DATA = [
    [], [1.0], [nan], [inf], [0.0], [-1.0], [1e300], [5e-324], [nan] * 50, [0.0] * 50, [3.0] * 50, [1e300] * 50,
    [1.0, nan, 2.0, inf, 3.0, -inf, 0.0, -4.0, 1e300, 1e-300, 5e-324, 1.7e308, -1.7e308],
    [1.0] * 1000 + [1e300] + [1.0] * 1000, list(np.geomspace(1e-300, 1e300, 500)), [1.0, 1.0 + 1e-15],
]
MARKS = [(Boundary("a", 0), Boundary("b", 3), Boundary("c", 3), Boundary("far", 10**12), Boundary("before", -5)), ()]
for data, log_y, marks in itertools.product(DATA, (True, False), MARKS):
    y = np.array(data, dtype=float)
    x = np.arange(len(y)) * 7
    for width, height in ((20, 4), (21, 9), (80, 18), (300, 12), (3, 3), (1, 1)):
        for curves in ([Curve("one", x, y)], [Curve("one", x, y), Curve("two", x[:1], y[:1])], []):
            colour = width == 80
            text = chart(curves, marks, title="t", width=width, height=height, colour=colour, log_y=log_y)
            assert colour or all(len(line) <= max(width, 20) for line in text.split("\\n")), (data, width, text)
            assert len(text.split("\\n")) <= max(height, 2), (data, width, height, text)
            if log_y and width == 80:
                for markers in ("block", "ascii"):
                    chart(curves, marks, title="t", width=60, height=9, colour=False, markers=markers, log_x=True)
print("ok")
"""


def plot(y: list[float], *, log_y: bool = False, boundaries: tuple[Boundary, ...] = ()) -> list[str]:
    curve = Curve("loss", np.arange(len(y)), np.array(y))
    text = chart([curve], boundaries, title="t", width=40, height=10, colour=False, markers="ascii", log_y=log_y)
    return text.split("\n")


def test_no_data_bring_plotext_down() -> None:
    done = subprocess.run([sys.executable, "-c", NASTY], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout.strip()) == (0, "ok"), done.stderr[-2000:]


def test_a_rising_line_rises_from_the_left_axis_to_the_right_edge() -> None:
    lines = plot([float(k) for k in range(34)])
    assert lines[0] == "t   * loss"
    body = [line.partition("+")[2] if "+" in line else line.partition("|")[2] for line in lines[1:-2]]
    assert body[-1].startswith("*")
    assert len(body[0]) == max(map(len, body))
    columns = [body_line.find("*") for body_line in body if "*" in body_line]
    assert columns == sorted(columns, reverse=True)
    assert lines[-2].lstrip(" ").startswith("+")
    assert "10" in lines[-1]


def test_a_spike_between_a_million_points_is_drawn() -> None:
    y = np.ones(1_000_000)
    y[123_456] = 1e6
    text = chart([Curve("c", np.arange(y.size), y)], title="t", width=60, height=12, colour=False, log_y=True)
    top = text.split("\n")[1]
    assert re.search(r"[⠀-⣿]", top)
    assert "1e+6" in top


def test_gaps_are_counted_and_left_open() -> None:
    lines = plot([1.0] * 10 + [float("nan")] * 10 + [1.0] * 10)
    assert "10 points cannot be drawn" in lines[0]
    drawn = next(line for line in lines[1:] if "*" in line)
    assert re.search(r"\*+ {5,}\*+", drawn)


def test_log_y_labels_are_powers_and_nothing_at_or_below_zero_counts() -> None:
    lines = plot([1e-6, 1.0, 0.0, -1.0], log_y=True)
    assert "2 points cannot be drawn" in lines[0]
    labels = [re.split(r"[+|]", line, maxsplit=1)[0] for line in lines[1:-2]]
    assert "1e" in labels[0]
    assert any(line.lstrip().startswith("1e-6+") for line in lines)


def test_boundaries_stand_above_their_lines() -> None:
    lines = plot([1.0] * 100, boundaries=(Boundary("memorization", 0), Boundary("cleanup", 50)))
    assert lines[1].split() == ["memorization", "cleanup"]
    where = lines[1].index("cleanup")
    assert lines[3][where] == ":"


def test_a_boundarys_name_ends_where_the_next_begins() -> None:
    lines = plot([1.0] * 100, boundaries=(Boundary("memorization", 0), Boundary("cleanup", 20)))
    assert re.fullmatch(r" +memor\w* cleanup", lines[1])


@pytest.mark.parametrize("colour", [False, True])
def test_the_losses_of_a_run(tmp_path: Path, colour: bool) -> None:
    history = History(record(tmp_path))
    history.poll()
    text = loss_chart(history, width=80, height=18, colour=colour)
    assert ("\x1b[" in text) == colour
    bare = re.sub(r"\x1b\[[0-9;]*m", "", text).split("\n")
    assert len(bare) == 18
    assert max(map(len, bare)) <= 80
    assert bare[0] == "loss, log y   ⣿ train   ▞ test"
    assert bare[1].split() == ["memorization", "circuit", "formation"]


def test_an_empty_history_is_a_sentence(tmp_path: Path) -> None:
    history = History(record(tmp_path, steps=0))
    assert loss_chart(history, width=80, height=18, colour=False) == "loss, log y\nnothing to draw yet"


def test_the_chart_is_as_wide_as_asked_whatever_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "COLUMNS", "30")
    text = chart([Curve("c", np.arange(9), np.arange(9.0))], title="t", width=200, height=8, colour=False)
    assert max(map(len, text.split("\n"))) == 200


def test_the_losses_of_a_fork_begin_with_its_parents_darker(tmp_path: Path) -> None:
    history = History(parent_and_fork(tmp_path)[1])
    history.poll()
    without = loss_chart(history, width=80, height=18, colour=True)
    find_parents(history)
    drawn = loss_chart(history, width=80, height=18, colour=True)
    darker = [f"38;5;{colour}m" for colour in FAINT[:2]]
    assert all(colour in drawn and colour not in without for colour in darker)
    assert "▲ fork of 2027-03-04-113000-mother" in drawn or "fork of 2027-03-04-113000-mother ▲" in drawn
