"""A run in Python: what is recorded by now, exactly, of a finished run and of one that goes on."""

import subprocess
import sys
from pathlib import Path
from random import Random

import numpy as np
import pandas as pd
import pytest

import grokterm
from grokterm.errors import RunError, UsageError
from grokterm.opened import OpenedRun
from grokterm.run import checkpoint
from grokterm.run.directory import RunDirectory, create
from grokterm.run.events import append_line
from grokterm.run.lock import Lock
from grokterm.run.table import Rows, TableReader, TableWriter, read_table
from tests.forked import parent_and_fork, remove
from tests.measured_run import KEYS, measure
from tests.measured_run import STEPS as CHECKPOINTS
from tests.odd_run import BEGAN, CONFIG, EVENTS, ODD_NAME, record_odd
from tests.recorded import record
from tests.retold import Retold

STEPS = [("step", "<i8"), ("time", "<f8"), ("train_loss", "<f8")]


@pytest.fixture
def odd(tmp_path: Path) -> RunDirectory:
    return record_odd(tmp_path / "runs")


@pytest.fixture
def opened(odd: RunDirectory) -> OpenedRun:
    return grokterm.open_run(odd.path)


def test_completion_offers_what_is_there_and_a_run_tells_its_step(opened: OpenedRun) -> None:
    assert {"open_run", "OpenedRun", "__version__"} <= {*dir(grokterm)}
    assert f"step={opened.step})" in repr(opened)


def test_a_run_is_found_as_on_the_command_line(
    odd: RunDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GROKTERM_RUNS", raising=False)
    found = [grokterm.open_run(str(odd.path)), grokterm.open_run("odd", runs=tmp_path / "runs")]
    monkeypatch.chdir(tmp_path)
    found += [
        grokterm.open_run("-"),
        grokterm.open_run("2027-03"),
        grokterm.open_run(Path("runs/2027-03-04-113000-odd")),
    ]
    monkeypatch.setenv("GROKTERM_RUNS", str(tmp_path / "runs"))
    monkeypatch.chdir(odd.path / "arrays")
    found += [grokterm.open_run("odd"), grokterm.open_run("..")]
    monkeypatch.chdir(odd.path)
    found += [grokterm.open_run(), grokterm.open_run(".")]
    monkeypatch.chdir("/")  # what was opened stays open wherever the program goes
    for run in found:
        assert (run.name, run.path.resolve(), len(run.steps)) == ("2027-03-04-113000-odd", odd.path.resolve(), 4)
    with pytest.raises(RunError, match="there is no run 'ood' in"):
        grokterm.open_run("ood", runs=tmp_path / "runs")


def test_tables_are_those_recorded_bit_for_bit(odd: RunDirectory, opened: OpenedRun) -> None:
    for rows, path in (
        (opened.steps, odd.steps_path),
        (opened.tests, odd.tests_path),
        (opened.measures, odd.measures_path),
    ):
        assert rows.dtype == read_table(path).dtype
        assert rows.tobytes() == read_table(path).tobytes()
    assert opened.measures[ODD_NAME].tolist() == [1e-300, 2.0**53 + 2]


def test_series_and_arrays_by_name(opened: OpenedRun) -> None:
    assert opened.names == ("train_loss", "lr", "test_loss", "weight_norm_sq/W_E", ODD_NAME)
    assert opened.array_names == ("spectrum", "weights")
    series = opened.series("test_loss")
    assert series.steps.tolist() == [0, 1, 2, 3, 4]
    assert series.values.tobytes() == opened.tests["test_loss"].tobytes()
    spectrum, weights = opened.array("spectrum"), opened.array("weights")
    assert (spectrum.steps.tolist(), spectrum.values.shape) == ([0, 3], (2, 3))
    assert spectrum.values.dtype == np.float32
    assert weights.values[0].tolist() == [[1, 2], [3, 0.1]]


def test_what_is_not_recorded_is_an_error_that_names_the_nearest(opened: OpenedRun) -> None:
    with pytest.raises(RunError, match="2027-03-04-113000-odd has no series 'tst_loss'; did you mean 'test_loss'"):
        opened.series("tst_loss")
    with pytest.raises(RunError, match="has no array 'spektrum'; did you mean 'spectrum'"):
        opened.array("spektrum")
    with pytest.raises(RunError, match="has no table 'step'; did you mean 'steps'"):
        opened.to_pandas("step")


def test_what_happened(opened: OpenedRun, tmp_path: Path) -> None:
    assert opened.config == CONFIG
    assert [(event.kind, event.step, event.time) for event in opened.events] == [
        (event["event"], event["step"], event["time"]) for event in EVENTS
    ]
    assert opened.events[2].data == {"knob": "lr", "old": 1e-3, "new": float("inf"), "moments": "kept"}
    assert (opened.state, opened.is_alive) == ("finished", False)
    assert [(phase.phase, phase.at) for phase in opened.phases] == [("memorization", 0)]
    assert opened.marks == {}
    append_line(opened.path / "events.jsonl", {"event": "phase", "step": 9, "time": 1.0, "mark": "grokked_at", "at": 7})
    assert opened.marks == {"grokked_at": 7}


def test_a_living_run_is_seen_as_it_grows(tmp_path: Path) -> None:
    directory = create(tmp_path, "live")
    directory.write_config({"format": 1})
    run = grokterm.open_run(directory.path)
    assert (len(run.steps), len(run.measures["step"]), run.names, run.state) == (0, 0, (), "interrupted")
    views = []
    with Lock(directory), TableWriter(directory.steps_path, STEPS) as table:
        assert run.is_alive
        for step in range(3000):
            table.append(step, BEGAN, 1 / (step + 1))
            if step % 300 == 0:
                table.flush()
                views.append(run.steps)
                assert len(run.series("train_loss").steps) == len(views[-1]) == step + 1
    assert not run.is_alive
    views.append(run.steps)
    for view in views:  # what was returned before stays as it was
        assert view["train_loss"].tolist() == [1 / (step + 1) for step in range(len(view))]
        assert not view.flags.writeable
    assert len(views[-1]) == 3000


def test_only_what_is_new_is_read(opened: OpenedRun, odd: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    before = opened.steps
    real = __import__("os").pread

    def counting(file: int, count: int, offset: int) -> bytes:
        content: bytes = real(file, count, offset)
        read.append(len(content))
        return content

    monkeypatch.setattr("os.pread", counting)
    assert opened.steps.tobytes() == before.tobytes()
    assert read == []
    with odd.steps_path.open("ab") as file:
        file.write(before[:1].tobytes())
    assert len(opened.steps) == 5
    assert read == [before.dtype.itemsize]


def test_a_run_that_was_cut_starts_again(tmp_path: Path) -> None:
    directory = create(tmp_path, "resumed")
    directory.write_config({"format": 1})
    with TableWriter(directory.steps_path, STEPS) as table:
        for step in range(10):
            table.append(step, BEGAN, 1.0)
    run = grokterm.open_run(directory.path)
    old = run.steps
    with directory.steps_path.open("r+b") as file:
        file.truncate(directory.steps_path.stat().st_size - 5 * 24)
    assert len(run.steps) == 5
    with TableWriter(directory.steps_path, STEPS) as table:
        table.append(5, BEGAN, 2.0)
    assert run.steps["train_loss"].tolist() == [1.0] * 5 + [2.0]
    assert old["train_loss"].tolist() == [1.0] * 10
    directory.steps_path.unlink()
    assert len(run.steps) == 6  # what was read of a deleted run stays known


@pytest.mark.parametrize("seed", range(8))
def test_a_resumed_run_has_the_rows_of_its_last_life_whenever_they_are_asked_for(tmp_path: Path, seed: int) -> None:
    random, trainer = Random(seed), Retold(tmp_path)
    run = grokterm.open_run(trainer.run.path)
    for _ in range(25):
        trainer.act(random)
        if random.random() < 0.5:
            for rows, name in ((run.steps, "train_loss"), (run.tests, "test_loss"), (run.measures, "weight_norm")):
                told = list(zip(rows["step"].tolist(), rows[name].tolist(), strict=True)) if len(rows) else []
                assert told == trainer.now.rows[name]
    assert run.steps.tobytes() == (read_table(trainer.run.steps_path).tobytes() if trainer.has("train_loss") else b"")
    assert [event.kind for event in run.events] == [kind for kind, _, _ in trainer.now.events]
    assert len(run.to_pandas("events")) == len(trainer.now.events)


def test_a_resume_while_rows_are_read_mixes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = Retold(tmp_path)
    trainer.train(10)
    trainer.save()
    trainer.train(10)
    run = grokterm.open_run(trainer.run.path)
    assert len(run.steps) == 20
    real = TableReader.new_rows

    def new_rows(reader: TableReader, most: int | None = None) -> Rows:
        monkeypatch.undo()
        trainer.resume()
        trainer.train(30)
        return real(reader, most)

    monkeypatch.setattr(TableReader, "new_rows", new_rows)
    assert run.steps["train_loss"].tolist() == [value for _, value in trainer.now.rows["train_loss"]]


def test_checkpoints_by_exact_step(opened: OpenedRun, odd: RunDirectory) -> None:
    with pytest.raises(RunError, match="2027-03-04-113000-odd has no checkpoint"):
        opened.checkpoint()
    for step in (0, 100, 250):
        weights = np.full((2, 2), step, np.float32)
        checkpoint.write(odd.checkpoints, step, {"model/W_E": weights}, kind="weights", state={"knobs": {"lr": 1e-3}})
    assert [info.step for info in opened.checkpoints] == [0, 100, 250]
    found = opened.checkpoint(100)
    assert (found.step, found.kind, found.state) == (100, "weights", {"knobs": {"lr": 1e-3}})
    np.testing.assert_array_equal(found.tensors["model/W_E"], np.full((2, 2), 100, np.float32))
    assert found.tensors["model/W_E"].dtype == np.float32
    assert opened.checkpoint(0).step == 0
    assert opened.checkpoint().step == 250
    for step, nearby in ((-1, "0"), (99, "0 and 100"), (101, "100 and 250"), (251, "250")):
        with pytest.raises(RunError, match=f"has no checkpoint at step {step}; the nearest: {nearby}$"):
            opened.checkpoint(step)


def test_its_text_says_what_it_is(opened: OpenedRun, odd: RunDirectory) -> None:
    assert repr(opened) == f"OpenedRun({str(odd.path)!r}, state='finished', step=4)"
    odd.config_path.write_bytes(b"[broken")
    assert repr(grokterm.open_run(odd.path)) == f"OpenedRun({str(odd.path)!r}, unreadable)"


def test_one_frame_of_every_scalar(tmp_path: Path) -> None:
    run = grokterm.open_run(record(tmp_path, 60).path)
    frame = run.to_pandas()
    assert frame.index.name == "step"
    assert frame.index.tolist() == list(range(60))
    assert list(frame.columns) == ["time", *run.names]
    assert frame["train_loss"].to_numpy().tobytes() == run.steps["train_loss"].tobytes()
    measured = frame["weight_norm_sq/W_E"].dropna()
    assert measured.index.tolist() == [0, 20, 40]
    assert measured.tolist() == run.measures["weight_norm_sq/W_E"].tolist()


def test_steps_that_only_one_table_has_are_in_the_frame(opened: OpenedRun) -> None:
    frame = opened.to_pandas()
    assert frame.index.tolist() == [0, 1, 2, 3, 4]
    assert np.isnan(frame.loc[4, "train_loss"])
    assert frame.loc[4, "test_loss"] == -np.pi
    assert frame.loc[2, "train_loss"] == np.inf


def test_a_name_that_two_tables_have_is_kept_apart(tmp_path: Path) -> None:
    directory = create(tmp_path, "twice")
    directory.write_config({"format": 1})
    for path, value in ((directory.steps_path, 1.0), (directory.tests_path, 2.0)):
        with TableWriter(path, [("step", "<i8"), ("loss", "<f8")]) as table:
            table.append(0, value)
    assert grokterm.open_run(directory.path).to_pandas().to_dict("records") == [{"loss": 1.0, "tests/loss": 2.0}]


def test_a_step_recorded_twice_counts_as_it_was_last(tmp_path: Path) -> None:
    directory = create(tmp_path, "twice")
    directory.write_config({"format": 1})
    with TableWriter(directory.steps_path, [("step", "<i8"), ("loss", "<f8")]) as table:
        for loss in (1.0, 2.0):
            table.append(0, loss)
    run = grokterm.open_run(directory.path)
    assert run.to_pandas()["loss"].to_dict() == {0: 2.0}
    assert run.to_pandas("steps")["loss"].tolist() == [1.0, 2.0]


def test_a_frame_of_one_table(opened: OpenedRun) -> None:
    tests = opened.to_pandas("tests")
    assert tests["test_loss"].to_numpy().tobytes() == opened.tests["test_loss"].tobytes()
    spectrum = opened.to_pandas("spectrum")
    assert (spectrum.index.tolist(), list(spectrum.columns)) == ([0, 3], [0, 1, 2])
    assert spectrum.to_numpy().tobytes() == opened.array("spectrum").values.tobytes()
    weights = opened.to_pandas("weights")
    assert weights[1, 0].tolist() == [3, 6]
    events = opened.to_pandas("events")
    assert events.index.tolist() == [event["step"] for event in EVENTS]
    assert events["knob"].dropna().tolist() == ["lr"]
    assert events["event"].tolist() == [event["event"] for event in EVENTS]


def test_the_frame_of_an_array_without_rows_has_its_columns(tmp_path: Path) -> None:
    directory = create(tmp_path, "new")
    directory.write_config({"format": 1})
    for name, shape in (("spectrum", (3,)), ("weights", (2, 2))):
        with TableWriter(directory.arrays / f"{name}.npy", [("step", "<i8"), ("value", "<f4", shape)]):
            pass
    run = grokterm.open_run(directory.path)
    spectrum, weights = run.to_pandas("spectrum"), run.to_pandas("weights")
    assert (len(spectrum), spectrum.index.name, list(spectrum.columns)) == (0, "step", [0, 1, 2])
    assert (len(weights), list(weights.columns)) == (0, [(0, 0), (0, 1), (1, 0), (1, 1)])


def test_frames_of_a_run_that_has_recorded_nothing_are_empty(tmp_path: Path) -> None:
    directory = create(tmp_path, "new")
    directory.write_config({"format": 1})
    run = grokterm.open_run(directory.path)
    for frame in (run.to_pandas(), run.to_pandas("steps"), run.to_pandas("events")):
        assert isinstance(frame, pd.DataFrame)
        assert len(frame) == 0
        assert frame.index.name == "step"


def test_without_pandas_one_sentence_says_how_to_get_it(opened: OpenedRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(UsageError, match=r"to_pandas needs the package pandas; `pip install 'grokterm\[export\]'`"):
        opened.to_pandas()


def test_importing_grokterm_loads_nothing_heavy() -> None:
    code = (
        "import grokterm, sys; heavy = {'numpy', 'torch', 'pandas', 'rich'};"
        "assert not heavy & sys.modules.keys(); grokterm.open_run;"
        "assert not {'torch', 'pandas', 'rich', 'textual'} & sys.modules.keys(); print(grokterm.__version__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == (f"{grokterm.__version__}\n", "")


def test_an_unknown_name_of_the_package_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'grokterm' has no attribute 'open_runs'"):
        grokterm.open_runs  # noqa: B018


def test_the_parent_of_a_fork_is_the_whole_run(tmp_path: Path) -> None:
    parent, child = parent_and_fork(tmp_path)
    opened = grokterm.open_run(child.path)
    assert opened.parent is not None
    assert opened.parent.path == parent.path
    assert opened.parent.steps["step"][0] == 0
    assert opened.parent.parent is None
    remove(parent)
    assert opened.parent is None


def test_hindsight_is_a_table_with_series_and_arrays(tmp_path: Path) -> None:
    run = record(tmp_path)
    opened = grokterm.open_run(run.path)
    assert len(opened.hindsight) == 0
    assert opened.hindsight_keys is None
    assert not [name for name in opened.to_pandas().columns if name.startswith("hindsight/")]
    measure(run)
    assert opened.hindsight["step"].tolist() == [*CHECKPOINTS]
    assert opened.hindsight_keys == KEYS
    assert opened.series("hindsight/restricted_loss").values[-1] == pytest.approx(0.1)
    assert opened.array("hindsight/loss_without_head").values.shape == (5, 2)
    frame = opened.to_pandas()
    assert {"restricted_loss", "hindsight/restricted_loss", "hindsight/rqi"} <= {*frame.columns}
    assert "rqi" not in frame.columns
    assert opened.to_pandas("hindsight")["rqi"].tolist() == [0, 0.125, 0.25, 0.375, 0.5]
    assert opened.to_pandas("hindsight/loss_without_head").shape == (5, 2)
