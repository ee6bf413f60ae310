"""Figures in files: opened by who owns the format, the same for the same run, whole or not there."""

import io
import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from PIL import Image

from grokterm.charts import Chart, HeatChart, Line, LineChart, Moments
from grokterm.drawing.axes import Mark, Stretch
from grokterm.errors import UsageError
from grokterm.figures.files import check, save_figure
from grokterm.figures.inline import svg
from grokterm.history import ArraySeries, History
from grokterm.measured import bar_chart, line_chart
from grokterm.page.charts import charts_of
from grokterm.run.events import EventLog
from tests.recorded import record

BLUE = (86, 180, 233)
"""Of the training loss."""


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    run = record(tmp_path_factory.mktemp("runs"))
    EventLog(run.events_path).write("note", 300, text="<script>$x_1$</script>", request="a9")
    history = History(run)
    history.poll()
    return history


def chart_of(values: list[float], moments: Moments | None = None, **how: bool) -> LineChart:
    line = Line("curve", "train", np.arange(len(values)), np.array(values, dtype=np.float64))
    span = (0.0, max(len(values) - 1.0, 1.0))
    return LineChart("", "", (line,), span, moments or Moments(), how.get("log_x", False), how.get("log_y", False))


def test_png_svg_and_pdf_are_what_they_say(history: History, tmp_path: Path) -> None:
    for kind in ("png", "svg", "pdf"):
        save_figure(line_chart(history), tmp_path / f"loss.{kind}", title="recorded")
    with Image.open(tmp_path / "loss.png") as image:
        image.load()
        assert image.size[0] == 1300
    root = ElementTree.parse(tmp_path / "loss.svg").getroot()
    assert root.tag.endswith("}svg")
    pdf = (tmp_path / "loss.pdf").read_bytes()
    assert pdf.startswith(b"%PDF-")
    assert pdf.rstrip().endswith(b"%%EOF")
    assert {path.name for path in tmp_path.iterdir()} == {"loss.png", "loss.svg", "loss.pdf"}


@pytest.mark.parametrize("kind", ["svg", "pdf", "png"])
def test_the_same_run_gives_the_same_file(history: History, tmp_path: Path, kind: str) -> None:
    for name in ("one", "two"):
        save_figure(bar_chart(history, "fourier_embedding"), tmp_path / f"{name}.{kind}", title="recorded")
    content = (tmp_path / f"one.{kind}").read_bytes()
    assert content == (tmp_path / f"two.{kind}").read_bytes()
    assert not re.search(rb"dc:date|CreationDate|ModDate", content)


def test_a_person_s_own_matplotlib_settings_change_nothing(history: History, tmp_path: Path) -> None:
    save_figure(line_chart(history), tmp_path / "one.svg")
    with matplotlib.rc_context(
        {"axes.facecolor": "red", "lines.linewidth": 9.0, "axes.prop_cycle": "cycler('color', 'k')"}
    ):
        save_figure(line_chart(history), tmp_path / "two.svg")
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()


def test_a_million_steps_are_a_small_file_with_their_spike(tmp_path: Path) -> None:
    values = np.random.default_rng(0).uniform(1.0, 2.0, 1_000_000)
    values[500_000] = 1e6
    save_figure(chart_of(values.tolist(), log_y=True), tmp_path / "big.svg")
    assert (tmp_path / "big.svg").stat().st_size < 150_000
    with_spike = Image.open(_png(chart_of(values.tolist(), log_y=True))).convert("RGB")
    middle = [with_spike.getpixel((x, 200)) for x in range(with_spike.width)]
    assert BLUE in middle  # the spike's own column


NASTY = [
    [1.0],
    [np.nan] * 50,
    [0.0] * 50,
    [1e300] * 50,
    [1.0, np.nan, 2.0, np.inf, 3.0, -np.inf, 0.0, -4.0, 1e300, 1e-300, 5e-324, 1.7e308, -1.7e308],
    [1.0] * 1500 + [1.7e308] + [1.0] * 1500,
    np.geomspace(1e-300, 1e300, 5000).tolist(),
]


@pytest.mark.parametrize("values", NASTY, ids=range(len(NASTY)))
@pytest.mark.parametrize(("log_x", "log_y"), [(False, False), (True, True)])
def test_no_data_bring_matplotlib_down(values: list[float], log_x: bool, log_y: bool) -> None:
    moments = Moments((Stretch(0, 1e12, "漢字 $a_b \\frac", "phase0"),), (Mark(0, "$", "mark"), Mark(1, "", "mark")))
    assert _png(chart_of(values, moments, log_x=log_x, log_y=log_y)).getvalue()
    matrix = np.resize(np.array(values), (len(values), 3))
    heat = HeatChart("", "", ArraySeries(np.arange(len(values)), matrix), (0, len(values)), moments, (1, 3))
    assert _png(heat).getvalue()


def test_one_point_alone_is_seen() -> None:
    lonely = [np.nan] * 5000
    lonely[2500] = 5.0
    assert BLUE not in _colours(chart_of([np.nan]))
    assert BLUE in _colours(chart_of([5.0]))
    assert BLUE in _colours(chart_of(lonely))


def test_inline_svg_takes_the_pages_colours_and_clashes_with_no_other(history: History) -> None:
    charts = [chart for chart, _ in charts_of(history)]
    roots = [ElementTree.fromstring(svg(chart, f"f{number}-")) for number, chart in enumerate(charts)]
    every = [element.get("id") for root in roots for element in root.iter() if element.get("id")]
    assert len(every) == len(set(every))
    for root in roots:
        known = {element.get("id") for element in root.iter()}
        for element in root.iter():
            target = element.get("href", "")
            assert target[:1] != "#" or target[1:] in known
            assert target[:1] in ("#", "") or target.startswith("data:image/png;base64,")
            clip = element.get("clip-path", "url(#)")
            assert clip == "url(#)" or clip.removeprefix("url(#").removesuffix(")") in known
    texts = [text for root in roots for text in root.iter("text")]
    assert texts
    assert all(
        "fill: currentColor" in text.get("style", "")
        for text in roots[0].iter("text")
        if "points" not in (text.text or "")
    )
    assert any("<script>$x_1$" in (text.text or "") for text in texts)
    assert "<script" not in svg(charts[0], "f-")


def test_a_heat_map_fills_its_plot_exactly(history: History) -> None:
    (chart,) = (chart for chart, _ in charts_of(history) if isinstance(chart, HeatChart))
    root = ElementTree.fromstring(svg(chart, "f-"))
    image = next(root.iter("image"))
    x_factor, _, _, y_factor, left, bottom = map(float, image.get("transform", "")[7:-1].split())
    frame = next(root.iter("g")).findall(".//path")[1].get("d", "")  # M left bottom L right bottom L right top …
    numbers = [float(number) for number in re.findall(r"[\d.]+", frame)]
    assert (left, bottom) == pytest.approx((numbers[0], numbers[1]), abs=0.02)
    assert left + x_factor * float(image.get("width", "")) == pytest.approx(numbers[2], abs=0.05)
    assert bottom + y_factor * float(image.get("height", "")) == pytest.approx(numbers[5], abs=0.05)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("x.gif", "ends in '.gif'; a figure is .png, .svg or .pdf"),
        ("x", "has no ending; a figure is .png, .svg or .pdf"),
        ("nowhere/x.png", "cannot be written: there is no folder"),
    ],
)
def test_what_cannot_be_a_figure_is_said_before_it_is_drawn(tmp_path: Path, name: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        check(tmp_path / name)
    assert said in str(caught.value)
    check(tmp_path / "UPPER.PNG")


def test_a_folder_in_the_way_is_one_sentence(history: History, tmp_path: Path) -> None:
    (tmp_path / "x.png").mkdir()
    with pytest.raises(UsageError, match="cannot be written"):
        save_figure(line_chart(history), tmp_path / "x.png")
    assert [path.name for path in tmp_path.iterdir()] == ["x.png"]


def test_without_matplotlib_the_sentence_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(UsageError, match=r"needs the package matplotlib; `pip install 'grokterm\[export\]'`"):
        check(tmp_path / "x.png")


def _png(chart: Chart) -> io.BytesIO:
    from grokterm.figures.drawing import PAPER, figure_of
    from grokterm.figures.style import papers_look

    file = io.BytesIO()
    with papers_look(text_as_shapes=True):
        figure_of(chart, PAPER).savefig(file, format="png", dpi=100)
    file.seek(0)
    return file


def _colours(chart: Chart) -> set[object]:
    """The colours of the picture, without the legend below the axis."""
    image = Image.open(_png(chart)).convert("RGB")
    plot = image.crop((0, 0, image.width, image.height - 40))
    return {colour for _, colour in plot.getcolors(1 << 24) or []}
