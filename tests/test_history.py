"""What a viewer knows after each poll of a real directory."""

import math
import os
import subprocess
import sys
from pathlib import Path
from random import Random

import numpy as np
import pytest
from numpy.typing import NDArray

from grokterm.growing import Table
from grokterm.history import History, PhaseChange
from grokterm.run.directory import RunDirectory, create
from grokterm.run.events import EventLog, append_line, ask
from grokterm.run.hindsight import held, read_about, remove
from grokterm.run.hindsight_writer import HindsightWriter
from grokterm.run.table import TableWriter, read_table
from tests.large_run import record_large
from tests.measured_run import KEYS, measure, row
from tests.measured_run import STEPS as CHECKPOINTS
from tests.recorded import record as recorded
from tests.retold import Retold

STEPS = [("step", "<i8"), ("time", "<f8"), ("train_loss", "<f8"), ("lr", "<f8")]
TESTS = [("step", "<i8"), ("test_loss", "<f8")]
MEASURES = [("step", "<i8"), ("seconds", "<f8"), ("weight_norm_sq/W_E", "<f8")]
SPECTRUM = [("step", "<i8"), ("value", "<f4", (3,))]


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return create(tmp_path, "mod113")


@pytest.fixture
def log(run: RunDirectory) -> EventLog:
    return EventLog(run.events_path)


def record(run: RunDirectory, start: int, stop: int, began: float = 1000.0, rate: float = 10.0) -> None:
    """Record steps at `rate` a second."""
    with TableWriter(run.steps_path, STEPS) as table:
        for step in range(start, stop):
            table.append(step, began + step / rate, 1 / (step + 1), 1e-3)


def test_empty_directory_is_an_empty_history(tmp_path: Path) -> None:
    history = History(RunDirectory(tmp_path / "missing"))
    assert history.poll() == frozenset()
    assert (history.config, history.names(), history.array_names(), history.step) == (None, (), (), 0)
    assert history.series("train_loss").values.size == history.times().steps.size == 0
    assert history.array("fourier_embedding").steps.size == 0
    assert history.value_at("train_loss", 10) is None
    assert history.rate() == 0.0
    assert (history.state, history.phase, history.paused) == ("loading", "", False)


def test_poll_says_what_changed(run: RunDirectory, log: EventLog) -> None:
    history = History(run)
    assert history.poll() == frozenset()
    run.write_config({"format": 1})
    assert history.poll() == {"config"}
    assert history.config == {"format": 1}
    record(run, 0, 5)
    assert history.poll() == {"steps"}
    log.write("note", 5, text="now")
    with TableWriter(run.tests_path, TESTS) as table:
        table.append(0, 4.7)
    assert history.poll() == {"events", "tests"}
    with TableWriter(run.measures_path, MEASURES) as table:
        table.append(0, 0.1, 9.0)
    with TableWriter(run.arrays / "spectrum.npy", SPECTRUM) as table:
        table.append(0, [1, 2, 3])
    assert history.poll() == {"measures", "arrays"}
    assert history.poll() == frozenset()


def test_series_are_contiguous_and_grow(run: RunDirectory) -> None:
    history = History(run)
    for stop in (1, 3, 1024, 1025, 5000):
        record(run, int(history.step), stop)
        history.poll()
        series = history.series("train_loss")
        assert series.steps.tolist() == list(range(stop))
        assert series.values.tolist() == [1 / (step + 1) for step in range(stop)]
        assert series.values.dtype == np.float64
        assert series.values.flags.c_contiguous
        assert not series.values.flags.writeable
    assert history.times().values.tolist() == [1000.0 + step / 10 for step in range(5000)]


def test_earlier_series_is_left_alone_by_later_polls(run: RunDirectory) -> None:
    history = History(run)
    record(run, 0, 1000)
    history.poll()
    early = history.series("train_loss")
    record(run, 1000, 9000)
    history.poll()
    assert early.values.tolist() == [1 / (step + 1) for step in range(1000)]


def test_names_are_those_of_all_scalars(run: RunDirectory) -> None:
    record(run, 0, 1)
    with TableWriter(run.tests_path, TESTS) as table:
        table.append(0, math.nan)
    odd = [*MEASURES, ("matrix", "<f8", (2, 2)), ("text", "S4")]
    with TableWriter(run.measures_path, odd) as table:
        table.append(0, 0.1, 9.0, np.zeros((2, 2)), b"odd")
    history = History(run)
    history.poll()
    assert history.names() == ("train_loss", "lr", "test_loss", "seconds", "weight_norm_sq/W_E")
    assert history.series("weight_norm_sq/W_E").values.tolist() == [9.0]
    assert history.series("step").values.size == history.series("matrix").values.size == 0


def test_array_series(run: RunDirectory) -> None:
    history = History(run)
    table = TableWriter(run.arrays / "fourier_embedding.npy", SPECTRUM)
    table.append(0, [1, 2, 3])
    table.append(100, [4, math.nan, 6])
    table.close()
    (run.arrays / ".other.npy.part").write_bytes(b"half")
    history.poll()
    assert history.array_names() == ("fourier_embedding",)
    spectra = history.array("fourier_embedding")
    assert spectra.steps.tolist() == [0, 100]
    assert spectra.values.dtype == np.float32
    np.testing.assert_array_equal(spectra.values, [[1, 2, 3], [4, math.nan, 6]])


def test_value_at_is_the_last_one_recorded(run: RunDirectory) -> None:
    with TableWriter(run.tests_path, TESTS) as table:
        for step, loss in ((10, 0.1), (20, math.nan), (30, 0.3)):
            table.append(step, loss)
    history = History(run)
    history.poll()
    assert history.value_at("test_loss", 9) is None
    assert history.value_at("test_loss", 10) == (10, 0.1)
    found = history.value_at("test_loss", 29)
    assert found is not None
    assert found[0] == 20
    assert math.isnan(found[1])
    assert history.value_at("test_loss", 10**9) == (30, 0.3)


def test_table_that_was_cut_is_loaded_anew(run: RunDirectory) -> None:
    record(run, 0, 3000)
    history = History(run)
    history.poll()
    row = np.dtype(STEPS).itemsize
    os.truncate(run.steps_path, run.steps_path.stat().st_size - 2000 * row)
    assert history.poll() == {"steps"}
    assert history.series("train_loss").steps.tolist() == list(range(1000))
    assert history.step == 1000


def test_latest_step_counts_rows_tests_and_events(run: RunDirectory, log: EventLog) -> None:
    history = History(run)
    record(run, 0, 5)
    history.poll()
    assert history.step == 5
    with TableWriter(run.tests_path, TESTS) as table:
        table.append(7, 1.0)
    history.poll()
    assert history.step == 7
    log.write("note", 9, text="later")
    history.poll()
    assert history.step == 9


def test_events_tell_state_knobs_phases_and_marks(run: RunDirectory, log: EventLog) -> None:
    log.write("state", 0, state="training", knobs={"lr": 1e-3, "weight_decay": 1.0})
    log.write("edit", 10, knob="lr", old=1e-3, new=math.inf, moments="kept")
    log.write("phase", 12, phase="memorization", at=8, why="train accuracy 1")
    log.write("phase", 12, mark="memorized_at", at=8)
    log.write("snapshot", 13, checkpoint="000000013.safetensors", note="inf")
    log.write("error", 14, message="loss is nan", traceback="")
    log.write("aurora", 15, colour="green")
    log.write("state", 16, state="paused")
    history = History(run)
    assert history.poll() == {"events"}
    assert history.knobs == {"lr": math.inf, "weight_decay": 1.0}
    assert history.phases == [PhaseChange("memorization", 8, "train accuracy 1")]
    assert history.phase == "memorization"
    assert history.marks == {"memorized_at": 8}
    assert [event.step for event in history.edits] == [10]
    assert history.snapshots[0].data["note"] == "inf"
    assert history.errors[0].data["message"] == "loss is nan"
    assert history.notes == []
    assert (history.state, history.paused, len(history.events)) == ("paused", True, 8)


def test_events_with_missing_or_odd_fields_do_no_harm(run: RunDirectory, log: EventLog) -> None:
    log.write("state", 1, state=3)
    log.write("state", 1, state="training", knobs=[1])
    log.write("edit", 1, knob="lr", new=None)
    log.write("phase", 1, phase="memorization")
    append_line(run.events_path, {"event": "state"})
    append_line(run.events_path, {"event": "state", "step": 1, "time": "x", "state": "failed"})
    history = History(run)
    history.poll()
    assert (history.state, history.knobs, history.phases) == ("training", {}, [])
    assert len(history.events) == 4


def test_request_is_pending_until_its_event(run: RunDirectory, log: EventLog) -> None:
    history = History(run)
    first, second = ask(run.path, "set", knob="lr", value=0.1), ask(run.path, "pause")
    assert history.poll() == {"events"}
    assert history.pending == {first.id: first, second.id: second}
    log.write("edit", 4, knob="lr", old=1.0, new=0.1, moments="kept", request=first.id)
    assert history.poll() == {"events"}
    assert history.pending == {second.id: second}
    log.write("refused", 5, why="paused already", request=second.id)
    history.poll()
    assert history.pending == {}


def test_answer_read_before_its_request_settles_it(run: RunDirectory, log: EventLog) -> None:
    history = History(run)
    log.write("note", 4, text="x", request="early")
    history.poll()
    append_line(run.inbox_path, {"id": "early", "do": "note", "text": "x", "time": 1.0, "from": "h:1"})
    history.poll()
    assert history.pending == {}


def test_rate_is_that_of_the_last_seconds(run: RunDirectory, log: EventLog) -> None:
    history = History(run)
    record(run, 0, 1)
    history.poll()
    assert history.rate() == 0.0
    record(run, 1, 101, rate=10.0)  # until 1010.0
    record(run, 101, 501, began=1010.0 - 100 / 40, rate=40.0)  # until 1020.0
    history.poll()
    assert history.rate(seconds=5.0) == pytest.approx(40.0)
    assert history.rate(seconds=20.0) == pytest.approx(500 / 20)
    log.write("state", 501, state="paused")
    history.poll()
    assert history.rate() == 0.0


@pytest.mark.parametrize("jump", [-3600.0, -5.0, 3600.0])
def test_rate_does_not_look_back_beyond_a_jump_of_the_clock(run: RunDirectory, log: EventLog, jump: float) -> None:
    history = History(run)
    log.write("state", 0, state="training")  # by a clock that is far ahead of the rows
    record(run, 0, 100, rate=100.0)  # until 1001
    record(run, 100, 200, began=1000.0 + jump, rate=40.0)
    history.poll()
    assert history.rate() == pytest.approx(40.0)


def test_rate_does_not_look_back_beyond_a_pause(run: RunDirectory) -> None:
    record(run, 0, 100, rate=100.0)  # until 1001
    append_line(run.events_path, {"event": "state", "step": 100, "time": 1008.0, "state": "training", "knobs": {}})
    record(run, 100, 200, began=1007.0, rate=100.0)  # from 1008
    history = History(run)
    history.poll()
    assert history.rate(seconds=10.0) == pytest.approx(100.0)


def seen(history: History) -> dict[str, object]:
    """Everything that a history knows, as far as its trainer knows it too."""
    names = [name for name in history.names() if name != "lr"]
    return {
        "events": [(event.kind, event.step, event.data) for event in history.events],
        "step": history.step,
        "lr": history.knobs["lr"],
        "phases": [phase.phase for phase in history.phases],
        "marks": history.marks,
        "edits": len(history.edits),
        "rows": {name: _rows(history.series(name).steps, history.series(name).values) for name in names}
        | {name: _rows(history.array(name).steps, history.array(name).values[:, 0]) for name in history.array_names()},
        "made": {name: history.array(name, through=_negative).values.tolist() for name in history.array_names()},
    }


def known(trainer: Retold) -> dict[str, object]:
    """The same, from the trainer's side."""
    now = trainer.now
    rows = {name: told for name, told in now.rows.items() if trainer.has(name)}
    phases = [str(data["phase"]) for kind, _, data in now.events if "phase" in data]
    marks = {str(data["mark"]): data["at"] for kind, _, data in now.events if "mark" in data}
    return {
        "events": now.events,
        "step": now.step,
        "lr": now.lr,
        "phases": phases,
        "marks": marks,
        "edits": len([kind for kind, _, _ in now.events if kind == "edit"]),
        "rows": rows,
        "made": {"spectrum": [[-value, value] for _, value in rows["spectrum"]]} if "spectrum" in rows else {},
    }


def _rows(steps: NDArray[np.int64], values: NDArray[np.floating]) -> list[tuple[int, float]]:
    return list(zip(steps.tolist(), values.tolist(), strict=True))


def _negative(rows: NDArray[np.floating]) -> NDArray[np.floating]:
    return -rows


@pytest.mark.parametrize("seed", range(25))
def test_whenever_it_looks_at_a_run_that_is_resumed_it_knows_what_the_trainer_knows(tmp_path: Path, seed: int) -> None:
    """One reader looks after everything that happens, one now and then, one at the end only."""
    random, trainer = Random(seed), Retold(tmp_path)
    always, sometimes = History(trainer.run), History(trainer.run)
    for _ in range(40):
        trainer.act(random)
        always.poll()
        assert seen(always) == known(trainer)
        if random.random() < 0.2:
            sometimes.poll()
            assert seen(sometimes) == known(trainer)
    last = History(trainer.run)
    last.poll()
    sometimes.poll()
    assert seen(last) == seen(sometimes) == seen(always) == known(trainer)
    assert (last.state, last.told) == (always.state, always.told) == ("training", trainer.log.count)
    assert not {"steps", "tests", "measures", "arrays", "events"} & always.poll()
    for step in (0, 1, trainer.now.step // 2, trainer.now.step):
        past = last.at(step)
        assert seen(past) == seen(sometimes.at(step)) == seen(always.at(step))
        assert seen(past)["events"] == [told for told in trainer.now.events if told[1] <= step]
        assert past.series("train_loss").steps.tolist() == [*range(min(step, trainer.now.step))]


def test_rows_that_grew_back_past_their_old_number_are_read_anew(tmp_path: Path) -> None:
    trainer = Retold(tmp_path)
    trainer.train(10)
    trainer.save()
    trainer.train(10)
    history = History(trainer.run)
    history.poll()
    old, array = history.series("train_loss"), history.array("spectrum", through=_negative)
    before = (old.values.copy(), array.values.copy())
    trainer.resume()
    trainer.train(30)
    assert history.poll() == {"steps", "tests", "measures", "arrays", "events"}
    assert seen(history) == known(trainer)
    assert (old.values == before[0]).all()  # what was returned before stays as it was
    assert (array.values == before[1]).all()


def test_a_table_that_was_cut_to_nothing_has_changed(tmp_path: Path) -> None:
    trainer = Retold(tmp_path)
    trainer.train(4)
    history = History(trainer.run)
    history.poll()
    trainer.resume()
    assert {"steps", "tests", "measures", "arrays"} <= history.poll()
    assert history.series("train_loss").steps.size == history.array("spectrum").steps.size == 0
    assert history.step == 0


def test_a_resume_while_the_tables_are_read_mixes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = Retold(tmp_path)
    trainer.train(10)
    trainer.save()
    trainer.train(10)
    history, real = History(trainer.run), Table.poll

    def poll(table: Table) -> bool:
        changed = real(table)
        if table is history._tables.of_numbers["tests"]:
            monkeypatch.undo()
            trainer.resume()
            trainer.train(30)
        return changed

    monkeypatch.setattr(Table, "poll", poll)
    history.poll()
    assert seen(history) == known(trainer)


def test_a_resumed_run_trains_and_its_speed_is_that_since(run: RunDirectory, log: EventLog) -> None:
    record(run, 0, 100, rate=100.0)  # until 1001
    log.write("state", 100, state="stopped")
    append_line(
        run.events_path,
        {"event": "state", "step": 100, "time": 5000.0, "state": "resumed", "keeps": 1, "knobs": {"lr": 0.5}},
    )
    record(run, 100, 200, began=4999.0, rate=100.0)  # from 5000
    history = History(run)
    history.poll()
    assert (history.state, history.paused, history.knobs) == ("training", False, {"lr": 0.5})
    assert history.rate(seconds=10_000.0) == pytest.approx(100.0)
    log.write("state", 200, state="paused")
    history.poll()
    assert history.paused


def test_a_detached_run_waits_for_its_next_trainer(run: RunDirectory, log: EventLog) -> None:
    log.write("state", 0, state="training", knobs={"lr": 1.0})
    detach = ask(run.path, "detach")
    history = History(run)
    history.poll()
    assert list(history.pending) == [detach.id]
    log.write("state", 10, state="detached", request=detach.id)
    history.poll()
    assert (history.state, history.pending) == ("detached", {})
    log.write("state", 10, state="resumed", keeps=log.count)
    history.poll()
    assert (history.state, history.knobs) == ("training", {"lr": 1.0})
    assert [event.data["state"] for event in history.events] == ["training", "detached", "resumed"]


def test_what_was_answered_stays_answered(run: RunDirectory, log: EventLog) -> None:
    log.write("state", 0, state="training", knobs={"lr": 1.0})
    keeps = log.count
    edit, note = ask(run.path, "set", knob="lr", value=2.0), ask(run.path, "note", text="x")
    log.write("edit", 3, knob="lr", old=1.0, new=2.0, moments="kept", request=edit.id)
    always = History(run)
    always.poll()
    assert (always.knobs["lr"], list(always.pending)) == (2.0, [note.id])
    log.write("state", 0, state="resumed", keeps=keeps, knobs={"lr": 1.0})
    for history in (always, History(run)):
        history.poll()
        assert (history.knobs["lr"], history.edits, list(history.pending)) == (1.0, [], [note.id])


def test_news_are_the_events_that_hold_and_were_not_seen(run: RunDirectory, log: EventLog) -> None:
    for text in "abcd":
        log.write("note", 1, text=text)
    history = History(run)
    history.poll()
    told = history.told
    assert (told, history.since(told)) == (4, [])
    log.write("note", 2, text="e")
    log.write("state", 1, state="resumed", keeps=2)
    log.write("note", 2, text="f")
    history.poll()
    assert [event.data.get("text", "resumed") for event in history.since(told)] == ["resumed", "f"]
    assert [event.data.get("text", "resumed") for event in history.since(0)] == ["a", "b", "resumed", "f"]
    assert history.since(history.told) == []


def test_a_file_that_is_no_table_is_left_out_and_named(run: RunDirectory) -> None:
    record(run, 0, 10)
    run.tests_path.write_text("step,test_loss\n")
    np.save(run.measures_path, np.zeros(3, [("loss", "<f8")]))
    run.arrays.mkdir(exist_ok=True)
    np.save(run.arrays / "mine.npy", np.zeros(3))
    history = History(run)
    assert {"steps", "tests", "measures", "arrays"} <= history.poll()
    tests, measures, mine = history.problems
    assert tests == f"{run.tests_path} does not begin with a .npy header that can be read"
    assert measures == f"{run.measures_path} has no column of whole-numbered steps"
    assert mine.startswith(f"{run.arrays / 'mine.npy'} is not a table: ")
    assert len(history.series("train_loss").steps) == 10
    assert history.array_names() == ()
    assert not history.poll()
    assert history.at(3).problems == history.problems


def test_a_table_that_turns_into_something_else_goes_and_comes_back(run: RunDirectory) -> None:
    record(run, 0, 10)
    history = History(run)
    history.poll()
    rows = run.steps_path.read_bytes()
    other = run.path / "other"
    other.write_bytes(b"broken" * 1000)
    other.replace(run.steps_path)
    assert history.poll() == {"steps"}
    assert len(history.problems) == 1
    assert not len(history.series("train_loss").steps)
    run.steps_path.write_bytes(rows)
    assert history.poll() == {"steps"}
    assert not history.problems
    assert len(history.series("train_loss").steps) == 10


def test_viewer_side_loads_nothing_heavy() -> None:
    code = (
        "import sys, grokterm.history\n"
        "print(*{'torch', 'textual', 'rich', 'plotext', 'safetensors'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "\n"


def test_one_poll_reads_every_row_however_many(tmp_path: Path) -> None:
    run = record_large(tmp_path, 200_000)
    history = History(run)
    history.poll()
    recorded = read_table(run.steps_path)
    read = history.series("train_loss")
    assert len(recorded) == 200_000
    assert np.array_equal(read.steps, recorded["step"])
    assert np.array_equal(read.values, recorded["train_loss"])
    assert history.poll() == frozenset()


def test_hindsight_has_names_of_its_own_beside_the_live_ones(tmp_path: Path) -> None:
    run = recorded(tmp_path)
    history = History(run)
    history.poll()
    live = history.names()
    measure(run, (), finish=False)
    assert history.poll() == {"hindsight"}
    assert history.names() == live
    measure(run, CHECKPOINTS[:3], finish=False)
    assert history.poll() == {"hindsight"}
    names = ("excluded_loss", "restricted_loss", "logit_fve", "gini_embedding", "rqi")
    assert history.names() == (*live, *(f"hindsight/{name}" for name in names))
    assert history.series("hindsight/restricted_loss").steps.tolist() == [0, 100, 200]
    assert history.series("restricted_loss").steps.tolist() == [*range(0, 400, 20)]
    assert history.value_at("hindsight/rqi", 250) == (200, 0.25)
    assert not history.series("hindsight/step").steps.size
    assert not history.series("hindsight/train_loss").steps.size
    assert {"hindsight/fourier_embedding", "fourier_embedding"} <= {*history.array_names()}
    assert history.array("hindsight/loss_without_head").values.tolist() == [[0.25, 0.0], [0.25, 0.25], [0.25, 0.5]]
    about = history.hindsight
    assert about is not None
    assert (about.key_frequencies, about.complete, history.measured) == (KEYS, False, 3)
    assert history.poll() == frozenset()
    measure(run, CHECKPOINTS[3:])
    assert history.poll() == {"hindsight"}
    assert history.hindsight is not None
    assert history.hindsight.complete
    assert history.step == 400


def test_at_a_step_hindsight_reaches_as_far_as_everything_else(tmp_path: Path) -> None:
    history = History(measure(recorded(tmp_path)))
    history.poll()
    past = history.at(200)
    assert past.series("hindsight/restricted_loss").steps.tolist() == [0, 100, 200]
    assert past.array("hindsight/loss_without_head").steps.tolist() == [0, 100, 200]
    assert past.measured == 3
    assert past.value_at("hindsight/rqi", 400) == (200, 0.25)


def test_hindsight_that_is_measured_anew_mixes_nothing(tmp_path: Path) -> None:
    run = measure(recorded(tmp_path))
    history = History(run)
    history.poll()
    before = history.series("hindsight/rqi").steps.tolist()
    about = read_about(run)
    assert about is not None
    assert len(before) > 1
    with held(run), HindsightWriter(run, about, row(0), again=True) as writer:
        writer.append(row(300))
        history.poll()
        assert history.series("hindsight/rqi").steps.tolist() == before  # until the new one is whole
        assert history.array("hindsight/loss_without_head").steps.tolist() == before
        writer.finish()
    assert "hindsight" in history.poll()
    assert history.series("hindsight/rqi").steps.tolist() == [300]
    assert history.array("hindsight/loss_without_head").steps.tolist() == [300]
    assert history.hindsight is not None
    assert history.hindsight.complete


def test_hindsight_goes_when_the_run_is_resumed(tmp_path: Path) -> None:
    run = measure(recorded(tmp_path))
    history = History(run)
    history.poll()
    remove(run)
    append_line(run.events_path, {"event": "state", "step": 400, "time": 1.9e9, "state": "resumed", "keeps": 99})
    assert {"events", "hindsight"} <= history.poll()
    assert not [name for name in history.names() if name.startswith("hindsight/")]
    assert history.hindsight is None


def test_a_hindsight_table_that_is_none_is_a_problem(tmp_path: Path) -> None:
    run = measure(recorded(tmp_path))
    (run.hindsight / "loss_without_head.npy").write_bytes(b"something else, and long enough")
    history = History(run)
    history.poll()
    assert len(history.problems) == 1
    assert "loss_without_head.npy does not begin with" in history.problems[0]
    assert "hindsight/rqi" in history.names()
