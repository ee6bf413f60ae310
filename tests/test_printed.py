"""Charts as text, held against golden files, at any width."""

from pathlib import Path

import numpy as np
import pytest

from grokterm.charts import HeatChart, Moments
from grokterm.drawing.cells import Markers
from grokterm.history import ArraySeries, History
from grokterm.measured import bar_chart, line_chart, one_a_bar
from grokterm.page.charts import charts_of
from grokterm.printed import printed
from tests.recorded import record

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    history = History(record(tmp_path_factory.mktemp("runs")))
    history.poll()
    return history


@pytest.mark.parametrize("markers", ["braille", "ascii"])
def test_the_losses(history: History, markers: Markers) -> None:
    text = printed(line_chart(history), title="recorded: loss", width=72, height=16, markers=markers)
    assert text.isascii() == (markers == "ascii")
    assert text + "\n" == (GOLDEN / f"losses_{markers}.txt").read_text(encoding="utf-8")


def test_the_spectrum_and_its_history(history: History) -> None:
    bars = bar_chart(history, "fourier_embedding")
    series = one_a_bar("fourier_embedding", history.array("fourier_embedding"))
    heat = HeatChart("", "", series, (0, 400), Moments(), (3, 7))
    text = "\n\n".join(printed(each, title="fourier_embedding", width=48, height=10) for each in (bars, heat))
    assert text + "\n" == (GOLDEN / "spectrum.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [20, 33, 80, 300])
@pytest.mark.parametrize("height", [6, 20])
def test_no_line_is_wider_than_asked(history: History, width: int, height: int) -> None:
    for chart, _ in charts_of(history):
        for markers in ("braille", "block", "ascii"):
            text = printed(
                chart, title="2027-03-04-113000-a-long-name: loss", width=width, height=height, markers=markers
            )
            assert max(map(len, text.split("\n"))) <= width
            assert "\x1b" not in text


def test_interventions_are_arrows_below_the_axis(history: History) -> None:
    lines = printed(line_chart(history), title="t", width=72, height=16).split("\n")
    assert lines[-1].strip() == "▲ wd 2"
    axis = next(line for line in lines if line.lstrip().startswith("0 "))
    assert lines[-1].index("▲") == axis.index("200")


def test_what_cannot_be_drawn_is_told_below(history: History) -> None:
    chart = line_chart(history, ("mine",), log_y=True)  # 0 at step 0
    text = printed(chart, title="t", width=60, height=12)
    assert "▲" in text
    assert text.endswith("\nmine: 1 of 20 points cannot be drawn: 1 not above 0; the\nfirst is at step 0")


def test_a_waterfall_of_odd_values_is_told() -> None:
    series = ArraySeries(np.array([0, 10]), np.array([[1.0, np.nan], [2.0, 3.0]]))
    text = printed(HeatChart("", "", series, (0, 10), Moments()), title="t", width=40, height=8)
    assert text.endswith("1 value is not finite, and not drawn")
