"""Every panel on every kind of number: nothing raises, warns, or draws outside its cells."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from grokterm.catalog import Catalog
from grokterm.circuit.waves import paired
from grokterm.drawing.cells import Markers
from grokterm.history import History
from grokterm.run.directory import RunDirectory, create
from grokterm.run.events import EventLog
from grokterm.run.hindsight import About, held
from grokterm.run.hindsight_writer import HindsightWriter, Row
from grokterm.run.table import TableWriter
from grokterm.tui.app import load_panels
from grokterm.tui.looks import Looks
from grokterm.tui.panel import CurvePanel, Panel, moving_average
from grokterm.tui.panels.fourier import key_frequencies, keys_of
from grokterm.tui.panels.vectors import LABELS, _names, norms
from tests.measured_run import measure
from tests.recorded import KEYS, record

PANELS = Catalog().names("panels")
NASTY: dict[str, list[float]] = {
    "nothing": [],
    "one point": [0.3],
    "nan": [np.nan] * 5,
    "infinities": [1.0, np.inf, -np.inf, 2.0],
    "zero": [0.0] * 4,
    "negative": [-1.0, -2.0, -3.0],
    "huge": [1e300, -1e300, 1e-300, 5e-324],
    "constant": [0.7] * 50,
    "all of it": [np.nan, np.inf, -np.inf, 0.0, -1.0, 1e300, 1e-300, 1.0],
}
COLUMNS = {
    "steps": ("time", "train_loss", "train_accuracy", "grad_norm", "lr"),
    "tests": ("test_loss", "test_accuracy"),
    "measures": (
        *("seconds", "measures_share", "excluded_loss", "excluded_loss_max", "restricted_loss", "logit_fve"),
        *("gini_embedding", "weight_norm_sq", "weight_norm_sq/W_E", "logit_margin_min", "logit_margin_mean"),
    ),
}
VECTORS = ("fourier_embedding", "neuron_clusters", "excluded_loss_k")
SIZES = [(58, 16), (20, 6), (7, 3), (1, 1), (120, 40)]


def panel(name: str) -> Panel:
    made: Panel = Catalog().load("panels", name)()
    return made


def nasty_run(runs: Path, values: list[float]) -> RunDirectory:
    run = create(runs, "nasty")
    for table, names in COLUMNS.items():
        with TableWriter(run.path / f"{table}.npy", np.dtype([("step", "<i8"), *((n, "<f8") for n in names)])) as rows:
            for step, value in enumerate(values):
                rows.append(step * 10, *(value for _ in names))
    for name in VECTORS:
        size = 23 if name == "fourier_embedding" else 11
        with TableWriter(run.arrays / f"{name}.npy", np.dtype([("step", "<i8"), ("value", "<f8", (size,))])) as rows:
            for step, value in enumerate(values):
                rows.append(step * 10, np.full(size, value))
    events = EventLog(run.events_path)
    events.write("state", 0, state="training", knobs={"lr": float("nan"), "steps": 100})
    events.write("edit", 5, knob="lr", old=float("inf"), new=float("nan"))
    events.write("phase", 0, phase="memorization", at=0)
    return run


@pytest.mark.parametrize("kind", NASTY)
@pytest.mark.parametrize("name", PANELS)
def test_a_panel_draws_any_numbers_in_its_cells(tmp_path: Path, name: str, kind: str) -> None:
    history = History(nasty_run(tmp_path, NASTY[kind]))
    history.poll()
    drawn = panel(name)
    markers: tuple[Markers, ...] = ("braille", "block", "ascii")
    spans = (None, (0.0, 10.0), (15.0, 16.0), (500.0, 900.0))
    modes = itertools.product((False, True), (False, True), spans, (None, 12), (False, True))
    for turn, (log_x, flipped, span, cursor, other) in enumerate(modes):
        looks = Looks(
            span=span,
            cursor=cursor,
            log_x=log_x,
            flipped_y=frozenset({drawn.digit} if flipped else ()),
            smooth=other,
            waterfall=other,
            markers=markers[turn % 3],
        )
        width, height = SIZES[turn % len(SIZES)]
        picture = drawn.draw(history, looks, width, height)
        assert len(picture.rows) == height
        assert {sum(len(span.text) for span in row) for row in picture.rows} == {width}


@pytest.fixture
def history(tmp_path: Path) -> History:
    history = History(record(tmp_path))
    history.poll()
    return history


def text(name: str, history: History, looks: Looks | None = None, width: int = 58, height: int = 16) -> str:
    picture = panel(name).draw(history, looks or Looks(), width, height)
    return "\n".join("".join(span.text for span in row) for row in picture.rows)


def test_what_cannot_be_drawn_is_counted_in_the_title(tmp_path: Path) -> None:
    nasty = History(nasty_run(tmp_path, [1.0, float("nan"), 0.0, 2.0]))
    nasty.poll()
    title = panel("loss").draw(nasty, Looks(), 58, 16).title
    assert "4 nan" in title
    assert "4 ≤ 0" in title


def test_loss_has_legend_values_phases_and_the_edit(history: History) -> None:
    drawn = text("loss", history)
    for expected in (
        "━ train 7.97e-06",
        "╾ test 1.995e-06",
        "restricted",
        "excluded",
        "circuit formation",
        "wd 2",
        "▲",
    ):
        assert expected in drawn


def test_legend_reads_the_row_at_the_cursor(history: History) -> None:
    assert "train 4.7 " in text("loss", history, Looks(cursor=0))
    at = history.value_at("test_loss", 123)
    assert at is not None
    assert f"test {at[1]:.4g}" in text("loss", history, Looks(cursor=123))


def test_fourier_names_the_key_frequencies_of_the_moment(history: History) -> None:
    assert key_frequencies(history, None) == list(KEYS)
    assert key_frequencies(history, 10) == []
    assert "key 3 7" in panel("fourier").draw(history, Looks(), 58, 16).title
    last = text("fourier", history).split("\n")[-1]
    assert [word for word in last.split() if word.isdigit()] == ["3", "7"]


def test_matrices_are_shown_by_the_norm_of_their_rows(tmp_path: Path) -> None:
    run = record(tmp_path, 40)
    dtype = np.dtype([("step", "<i8"), ("value", "<f8", (3, 2, 2))])
    with TableWriter(run.arrays / "heads.npy", dtype) as table:
        for step in (0, 20):
            table.append(step, np.full((3, 2, 2), step + 1.0))
    history = History(run)
    history.poll()
    assert history.array("heads", norms).values.tolist() == [[2.0] * 3, [42.0] * 3]
    picture = load_panels(Catalog())[9].draw(history, Looks(), 60, 40)
    assert "heads" in "".join(span.text for row in picture.rows for span in row)


def test_paired_is_the_length_of_cosine_and_sine() -> None:
    assert paired(np.array([[9.0, 3.0, 4.0, 5.0, 12.0]])).tolist() == [[5.0, 13.0]]


def test_excluded_has_one_curve_a_key_frequency(history: History) -> None:
    drawn = text("excluded", history, width=110)
    assert "k=3 12" in drawn
    assert "k=7 12" in drawn


def test_numbers_without_a_panel_get_one(history: History) -> None:
    drawn = text("others", history, width=110)
    assert "mine" in drawn
    assert "grad norm" in drawn
    assert "gini" not in drawn


def test_log_tells_events_literally(history: History) -> None:
    drawn = text("log", history, width=100)
    assert "wd 1 → 2" in drawn
    assert "[bold]odd[/bold] ?[31m" in drawn


def test_moving_average_keeps_constants_gaps_and_scale() -> None:
    x = np.arange(100.0)
    assert np.allclose(moving_average(x, np.full(100, 3.0), 10, log_y=True), 3.0)
    y = np.where(x % 2 == 0, 1.0, 100.0)
    assert np.allclose(moving_average(x, y, 20, log_y=True)[20:80], 10.0, rtol=0.3)
    assert np.allclose(moving_average(x, y, 20, log_y=False)[20:80], 50.5, rtol=0.1)
    y[50] = np.nan
    smoothed = moving_average(x, y, 20, log_y=True)
    assert np.isnan(smoothed[50])
    assert np.isfinite(np.delete(smoothed, 50)).all()


@pytest.fixture
def known(tmp_path: Path) -> History:
    """A run that was measured in hindsight."""
    history = History(measure(record(tmp_path)))
    history.poll()
    return history


@pytest.mark.parametrize("name", ["loss", "excluded"])
def test_hindsight_is_drawn_beside_live_and_called_so(history: History, known: History, name: str) -> None:
    assert "hindsight" not in text(name, history, width=150)
    assert "hindsight" not in panel(name).draw(history, Looks(), 150, 16).title
    drawn = text(name, known, width=150)
    assert "restricted (hindsight) 0.1" in drawn
    assert "excluded (hindsight) 10" in drawn
    assert "thick (h): hindsight" in panel(name).draw(known, Looks(), 150, 16).title
    earlier = text(name, known.at(200), width=150)
    assert "restricted (hindsight) 2.05" in earlier


@pytest.mark.parametrize("name", ["loss", "excluded", "sparsity"])
def test_a_measure_has_one_colour_and_hindsight_another_pattern(name: str) -> None:
    made = panel(name)
    assert isinstance(made, CurvePanel)
    live = {curve.column: curve for curve in made.curves}
    assert made.beside
    for curve in made.beside:
        before = live[curve.column.removeprefix("hindsight/")]
        assert curve.style == before.style
        assert curve.pattern != before.pattern
    signs = [curve.ascii_marker for curve in (*made.curves, *made.beside)]
    assert len(signs) == len({*signs})


def test_where_it_is_narrow_hindsight_is_said_shorter(known: History) -> None:
    drawn = text("loss", known, width=60, height=18)
    assert "restr. (h) 0.1" in drawn
    assert "excl. (h) 10" in drawn
    assert "+1" not in drawn.split("\n")[1]


def test_what_is_known_in_hindsight_only_has_panels_too(known: History) -> None:
    drawn = text("others", known, width=150)
    assert "rqi (h) 0.5" in drawn
    assert "gini" not in drawn
    assert "restricted" not in drawn
    assert "(h) hindsight" in panel("others").draw(known, Looks(), 150, 16).title
    below = text("vectors", known, width=60, height=40)
    assert "loss without each head (hindsight)" in below
    assert below.count("excluded loss of each frequency alone") == 1
    assert "Fourier norms" not in below  # of W_E, which panel 4 shows


def test_what_hindsight_says_otherwise_than_live_has_panels(tmp_path: Path) -> None:
    run = record(tmp_path)
    rows = np.load(run.measures_path)
    run.measures_path.unlink()
    with TableWriter(run.measures_path, np.dtype([*rows.dtype.descr, ("restricted_loss_train", "<f8")])) as table:
        for row in rows:
            table.append(*row.tolist(), 1.0)
    measured_as(run, Row(400, {"restricted_loss_train": 0.5, "excluded_loss_max": 3.0}, {}), (3,))
    history = History(run)
    history.poll()
    drawn = text("others", history, width=250)
    assert "restricted loss train (h)" in drawn
    assert "excluded loss max (h)" not in drawn


def test_vectors_stand_side_by_side_where_it_is_wide(known: History) -> None:
    rows = text("vectors", known, width=160, height=10).split("\n")
    assert {len(row) for row in rows} == {160}
    assert "excluded loss of each frequency alone" in rows[0]
    assert any("loss without each head (hindsight)" in row[80:] for row in rows)
    for width in (71, 72, 143, 144, 145, 400):
        picture = panel("vectors").draw(known, Looks(waterfall=True), width, 23)
        assert {sum(len(span.text) for span in row) for row in picture.rows} == {width}
        assert len(picture.rows) == 23


def own_vectors(tmp_path: Path, keys: tuple[int, ...]) -> History:
    """A run in whose clusters only frequency 1 is key, and that was measured with other key frequencies."""
    run = record(tmp_path)
    for name, values in (("neuron_clusters", [5.0] + [0.0] * 10), ("mine", [1.0] * 11)):
        (run.arrays / f"{name}.npy").unlink(missing_ok=True)
        with TableWriter(run.arrays / f"{name}.npy", np.dtype([("step", "<i8"), ("value", "<f8", (11,))])) as rows:
            rows.append(400, np.array(values))
    measured_as(run, Row(400, {"rqi": 0.5}, {"loss_without_frequency": np.arange(1.0, 12)}), keys)
    history = History(run)
    history.poll()
    return history


def measured_as(run: RunDirectory, row: Row, keys: tuple[int, ...]) -> None:
    """Give a run the one row of hindsight."""
    with held(run), HindsightWriter(run, About(row.step, keys, row.names, 1), row) as writer:
        writer.append(row)
        writer.finish()


def test_vectors_of_hindsight_have_its_key_frequencies_and_own_ones_none(tmp_path: Path) -> None:
    history = own_vectors(tmp_path, (3, 7))
    assert keys_of(history, "hindsight/loss_without_frequency", None) == (3, 7)
    assert keys_of(history, "excluded_loss_k", None) == (1,)
    assert keys_of(history, "mine", None) == ()
    picture = panel("vectors").draw(history, Looks(), 60, 40)
    texts = ["".join(span.text for span in row) for row in picture.rows]
    titles = {text.strip(): at for at, text in enumerate(texts)}
    deep = 40 // len(_names(history))

    def named(title: str) -> list[str]:
        """The numbers in the last row of a vector's bars."""
        return texts[titles[title] + deep - 1].split()

    def are_key(title: str) -> bool:
        rows = picture.rows[titles[title] : titles[title] + deep]
        return any(span.style == "bar.key" for row in rows for span in row)

    assert named("loss without each frequency (hindsight)") == ["3", "7"]
    assert are_key("loss without each frequency (hindsight)")
    assert not are_key("mine")


def test_key_frequencies_that_no_vector_has_are_not_drawn(tmp_path: Path) -> None:
    history = own_vectors(tmp_path, (12, 1 << 60))
    for waterfall in (False, True):
        picture = panel("vectors").draw(history, Looks(waterfall=waterfall), 60, 40)
        assert len(picture.rows) == 40


def test_a_label_says_how_many_neurons_are_left_out() -> None:
    assert LABELS["loss_without_top_neurons"] == "loss without the 1, 4, 16, 64 most salient neurons"


def test_only_vectors_of_frequencies_have_key_frequencies(known: History) -> None:
    """The second head is not frequency 2, and the seventh would not be 7."""
    picture = panel("vectors").draw(known, Looks(), 60, 15)
    styles = [{span.style for span in row} for row in picture.rows]
    titles = ["".join(span.text for span in row).strip() for row in picture.rows]
    first = titles.index("loss without each head (hindsight)")
    assert not any("bar.key" in style for style in styles[first : first + 5])
    assert any("bar.key" in style for style in styles)
