"""What a name means: a scalar, a component, a spectrum; and what is said when it means nothing."""

from pathlib import Path

import numpy as np
import pytest

from grokterm.errors import GroktermError, RunError, UsageError
from grokterm.history import History
from grokterm.measured import bar_chart, line, line_chart, on_log_y
from grokterm.run.directory import RunDirectory
from grokterm.run.table import TableWriter
from tests import measured_run
from tests.recorded import KEYS, record


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    run = record(tmp_path_factory.mktemp("runs"))
    table = np.dtype([("step", "<i8"), ("value", "<f8", (2, 2))])
    with TableWriter(run.arrays / "matrix.npy", table) as rows:
        rows.append(0, np.array([[3.0, 4.0], [0.0, 2.0]]))
    with TableWriter(run.arrays / "number.npy", np.dtype([("step", "<i8"), ("value", "<f8")])) as rows:
        rows.append(0, 7.0)
    with TableWriter(run.arrays / "nothing_yet.npy", table):
        pass
    history = History(run)
    history.poll()
    return history


def test_without_names_the_losses_on_log_y(history: History) -> None:
    chart = line_chart(history)
    assert [one.label for one in chart.lines] == ["train", "test"]
    assert chart.log_y
    assert not chart.log_x
    assert chart.span == (0, 400)
    assert np.array_equal(chart.lines[0].values, history.series("train_loss").values)


def test_a_name_asked_for_twice_is_drawn_once(history: History) -> None:
    assert [one.label for one in line_chart(history, ("lr", "lr", "test_loss")).lines] == ["lr", "test_loss"]


@pytest.mark.parametrize(
    ("names", "log_y"),
    [
        (("test_loss", "grad_norm"), True),
        (("test_loss", "test_accuracy"), False),
        (("excluded_loss_k/3",), True),
        (("weight_norm_sq/W_E",), False),
    ],
)
def test_log_y_by_default_is_for_losses(history: History, names: tuple[str, ...], log_y: bool) -> None:
    assert line_chart(history, names).log_y == log_y
    assert line_chart(history, names, log_y=not log_y).log_y != log_y


def test_a_component_is_numbered_as_its_bar(history: History) -> None:
    recorded = history.array("fourier_embedding").values
    for k in KEYS:
        waves = np.hypot(recorded[:, 2 * k - 1], recorded[:, 2 * k])
        assert np.allclose(line(history, f"fourier_embedding/{k}", "train").values, waves, rtol=1e-6)
    assert np.array_equal(
        line(history, "excluded_loss_k/3", "train").values, history.array("excluded_loss_k").values[:, 2]
    )
    assert np.array_equal(
        line(history, "excluded_loss/3", "train").values, history.array("excluded_loss_k").values[:, 2]
    )
    assert line(history, "matrix/1", "train").values.tolist() == [5.0]
    assert line(history, "number/1", "train").values.tolist() == [7.0]
    assert line(history, "weight_norm_sq/W_E", "train").values[0] == 90.0  # a scalar whose name has a slash


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("tst_loss",), "records no 'tst_loss'; did you mean 'test_loss'?"),
        (("zzz",), "valid names: beta1, beta2"),
        (("fourier_embeding/3",), "did you mean 'fourier_embedding'?"),
        (("fourier_embedding/12",), "components fourier_embedding/1 to fourier_embedding/11, and no"),
        (("fourier_embedding/0",), "no 'fourier_embedding/0'"),
        (("fourier_embedding/²",), "no 'fourier_embedding/²'"),
        (("fourier_embedding/" + "1" * 5000,), "has the components fourier_embedding/1 to"),
        (("\x1b[31mred",), "records no '[31mred'"),
        (tuple(f"excluded_loss_k/{k}" for k in range(1, 12)), "11 measures do not fit one chart; name at most 10"),
    ],
)
def test_a_name_that_means_nothing_is_said(history: History, names: tuple[str, ...], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        line_chart(history, names)
    assert said in str(caught.value)
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        (5, 5, "--from 5 is not before --until 5"),
        (1000, None, "no step from 1,000 to 400 is recorded; those that are go from 0 to 399"),
        (1000, 2000, "no step from 1,000 to 2,000 is recorded"),
    ],
)
def test_steps_without_a_row_are_said(history: History, first: int, last: int | None, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        line_chart(history, first=first, last=last)


def test_a_spectrum_is_that_of_the_last_row_at_or_before_a_step(history: History) -> None:
    assert bar_chart(history, "fourier_embedding").spectra[0].step == 380
    chart = bar_chart(history, "fourier_embedding", 215)
    assert chart.spectra[0].step == 200
    assert len(chart.spectra[0].values) == 11
    assert chart.keys == ()  # the clusters come later
    assert bar_chart(history, "neuron_clusters").keys == KEYS
    assert bar_chart(history, "matrix").spectra[0].values.tolist() == [5.0, 2.0]
    assert bar_chart(history, "matrix").x_label == "index"
    with pytest.raises(UsageError, match="has no row of nothing_yet"):
        bar_chart(history, "nothing_yet")


def test_a_run_of_nothing_is_a_sentence(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    history = History(run)
    with pytest.raises(RunError, match="has recorded nothing yet"):
        line_chart(history)
    with TableWriter(run.steps_path, np.dtype([("step", "<i8"), ("train_loss", "<f8")])):
        history.poll()
    with pytest.raises(RunError, match="has no row of train_loss yet"):
        line_chart(history)


def test_a_run_without_losses_names_what_there_is(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    with TableWriter(run.measures_path, np.dtype([("step", "<i8"), ("mine", "<f8")])) as rows:
        rows.append(0, 1.0)
    history = History(run)
    history.poll()
    with pytest.raises(GroktermError, match="records no loss; name a measure: mine"):
        line_chart(history)


def test_accuracies_and_norms_are_linear() -> None:
    assert [on_log_y(name) for name in ("train_loss", "loss/b", "train_accuracy", "weight_norm")] == [
        True,
        True,
        False,
        False,
    ]


def test_hindsight_is_named_with_its_prefix(tmp_path: Path) -> None:
    known = History(measured_run.measure(record(tmp_path)))
    known.poll()
    chart = line_chart(known, ("restricted_loss", "hindsight/restricted_loss"))
    assert [(one.label, one.dashed) for one in chart.lines] == [
        ("restricted_loss", False),
        ("hindsight/restricted_loss", True),
    ]
    assert chart.log_y
    single = line(known, "hindsight/excluded_loss/4", "train")
    assert single.values.tolist() == [0, 0.75, 1.5, 2.25, 3]
    spectrum = bar_chart(known, "hindsight/fourier_embedding", 250)
    assert (spectrum.spectra[0].step, spectrum.x_label) == (200, "frequency k")
    assert spectrum.spectra[0].values.tolist() == pytest.approx([1.5 * 2**0.5] * 11)
    assert spectrum.keys == measured_run.KEYS
    assert bar_chart(known, "hindsight/loss_without_head").keys == ()
    with pytest.raises(UsageError, match="did you mean 'hindsight/rqi'"):
        line(known, "hindsight/rqj", "train")
