"""What a list knows of a run: said by its files, cheaply, and never a crash."""

import json
import math
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tomli_w

from grokterm.history import History
from grokterm.run.configuration import steps_asked
from grokterm.run.directory import RunDirectory
from grokterm.run.events import EventLog
from grokterm.run.lock import Lock
from grokterm.run.table import TableWriter, read_table
from grokterm.run_filter import read
from grokterm.summary import FIELDS, Summaries, Summary, as_json, summarize
from grokterm.tui.status import planned_steps
from tests.forked import parent_and_fork
from tests.recorded import record
from tests.retold import Retold
from tests.small_runs import STARTED, small_run


def summary_of(run: RunDirectory) -> Summary:
    summary = summarize(run)
    assert summary is not None
    return summary


def told_as_json(summary: Summary) -> dict[str, Any]:
    """What a strict reader of `--json` gets."""
    told: dict[str, Any] = json.loads(as_json(summary), parse_constant=pytest.fail)
    return told


def test_a_summary_says_what_the_history_says(tmp_path: Path) -> None:
    run = record(tmp_path)
    history, summary = History(run), summary_of(run)
    history.poll()
    assert (summary.state, summary.step, summary.phase) == (history.state, history.step, history.phase)
    for name in ("train_loss", "train_accuracy", "test_loss", "test_accuracy"):
        assert getattr(summary, name) == history.series(name).values[-1]
    assert summary.key_frequencies == (3, 7)
    assert summary.steps == 400
    assert summary.size == sum(file.stat().st_size for file in run.path.rglob("*") if file.is_file())


def test_configuration_marks_and_tags_are_in_it(tmp_path: Path) -> None:
    run = small_run(tmp_path, "a", seed=7, lr=2e-3, marks={"memorized_at": 1, "grokked_at": 3}, tags=("good",))
    summary = summary_of(run)
    assert (summary.name, summary.path, summary.preset, summary.seed) == ("a", run.path, "mod113", 7)
    assert (summary.memorized_at, summary.grokked_at, summary.delay) == (1, 3, 2)
    assert (summary.started, summary.tags, summary.imported) == (STARTED, ("good",), False)
    assert summary.config["optimizer"]["lr"] == 2e-3
    assert summary.key_frequencies == (2, 5)


def test_an_imported_run_says_so(tmp_path: Path) -> None:
    assert summary_of(small_run(tmp_path, "a", source={"file": "theirs.pth"})).imported


def test_a_fork_names_its_parent_and_is_at_least_where_that_was_left(tmp_path: Path) -> None:
    parent = {"run": "2027-03-04-113000-mod113", "started": STARTED, "step": 600}
    summary = summary_of(small_run(tmp_path, "a", parent=parent))
    assert (summary.parent, summary.step) == ("2027-03-04-113000-mod113", 600)
    assert told_as_json(summary)["parent"] == "2027-03-04-113000-mod113"
    assert read("parent:mod113", []).holds(summary)
    other = summary_of(small_run(tmp_path, "b"))
    assert (other.parent, other.step) == ("", 3)
    assert not read("parent:mod113", []).holds(other)


@pytest.mark.parametrize("said", ["x", 3, {}, {"run": 3}, {"run": "../x", "step": 1}, {"run": "x", "step": "1"}])
def test_a_parent_that_cannot_be_meant_is_none(tmp_path: Path, said: object) -> None:
    summary = summary_of(small_run(tmp_path, "a", parent=said))
    assert (summary.parent, summary.step) == ("", 3)


def test_a_resumed_run_trains_again_from_its_checkpoint(tmp_path: Path) -> None:
    trainer = Retold(tmp_path)
    trainer.train(10)
    trainer.save()
    trainer.train(10)
    trainer.tell("state", state="stopped")
    summaries = Summaries(tmp_path)
    (before,) = summaries.read()
    assert (before.state, before.step, before.steps) == ("stopped", 20, 1000)
    trainer.resume()
    (after,) = summaries.read()
    assert (after.state, after.step) == ("interrupted", 10)
    assert after.train_loss == trainer.now.rows["train_loss"][-1][1]
    with Lock(trainer.run):
        assert [summary.state for summary in summaries.read()] == ["training"]


def test_losses_and_accuracies_that_only_the_measures_have_are_theirs(tmp_path: Path) -> None:
    run = small_run(tmp_path, "a", source={"file": "theirs.pth"})
    run.tests_path.unlink()
    run.steps_path.unlink()
    names = ("train_loss", "test_loss", "train_accuracy", "test_accuracy")
    with TableWriter(run.steps_path, [("step", "<i8"), ("train_loss", "<f8")]) as steps:
        steps.append(0, 3.0)
    with TableWriter(run.measures_path, [("step", "<i8"), *((name, "<f8") for name in names)]) as measures:
        measures.append(0, 9.0, 9.0, 0.0, 0.0)
        measures.append(2, 2.0, 1.0, 0.75, 0.5)
    summary = summary_of(run)
    assert (summary.train_loss, summary.test_loss) == (3.0, 1.0)
    assert (summary.train_accuracy, summary.test_accuracy) == (0.75, 0.5)
    assert read("test_accuracy>0.4", ()).holds(summary)


@pytest.mark.parametrize("state", ["finished", "stopped", "failed"])
def test_an_end_that_was_recorded_is_the_state(tmp_path: Path, state: str) -> None:
    assert summary_of(small_run(tmp_path, "a", state=state)).state == state


@pytest.mark.parametrize("state", ["training", "paused", "stopping"])
def test_a_run_without_an_end_is_trained_or_interrupted(tmp_path: Path, state: str) -> None:
    run = small_run(tmp_path, "a", state=state)
    assert summary_of(run).state == "interrupted"
    with Lock(run):
        assert summary_of(run).state == state
    assert summary_of(run).state == "interrupted"


def test_a_run_that_ends_between_two_looks_is_not_called_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = small_run(tmp_path, "a", state="training")

    def ends_now(_: RunDirectory) -> bool:
        EventLog(run.events_path).write("state", 3, state="finished")
        return False

    monkeypatch.setattr("grokterm.summary.is_alive", ends_now)
    assert summary_of(run).state == "finished"


def test_a_run_that_has_recorded_nothing_yet_is_loading(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path / "a")
    run.path.mkdir()
    assert summarize(run) is None
    run.write_config({"preset": "mod113"})
    with Lock(run):
        summary = summary_of(run)
    assert (summary.state, summary.step, summary.train_loss) == ("loading", 0, None)
    assert summary.key_frequencies == ()


def test_the_latest_edit_of_the_plan_counts(tmp_path: Path) -> None:
    run = small_run(tmp_path, "a", planned=100, state="training")
    log = EventLog(run.events_path)
    log.write("edit", 3, knob="steps", old=100, new=250, moments="kept")
    log.write("edit", 3, knob="lr", old=1.0, new=2.0, moments="kept")
    assert summary_of(run).steps == 250


def test_the_step_is_the_last_event_even_where_it_says_nothing_else(tmp_path: Path) -> None:
    run = small_run(tmp_path, "a", state="training")
    log = EventLog(run.events_path)
    for step in range(3, 500):
        log.write("note", step, text='"state"')
    assert summary_of(run).step == 499


def test_a_row_or_an_event_that_is_being_written_is_not_there_yet(tmp_path: Path) -> None:
    run = small_run(tmp_path, "a", state="training")
    before = summary_of(run)
    for path, torn in ((run.steps_path, b"\1" * 20), (run.events_path, b'{"event": "state", "state": "finished"')):
        with path.open("ab") as file:
            file.write(torn)
    after = summary_of(run)
    assert (after.state, after.step, after.train_loss) == (before.state, before.step, before.train_loss)


def test_a_last_row_that_is_no_number_is_told_as_it_is(tmp_path: Path) -> None:
    run = small_run(tmp_path, "a")
    with TableWriter(run.tests_path, read_table(run.tests_path).dtype) as table:
        table.append(3, math.nan, math.inf)
    summary = summary_of(run)
    assert summary.test_loss is not None
    assert math.isnan(summary.test_loss)
    assert summary.test_accuracy == math.inf
    told = told_as_json(summary)
    assert (told["test_loss"], told["test_accuracy"]) == ("nan", "inf")


def broken_file(name: str, content: bytes) -> Callable[[RunDirectory], object]:
    return lambda run: (run.path / name).write_bytes(content)


def instead_a_directory(name: str) -> Callable[[RunDirectory], object]:
    def change(run: RunDirectory) -> None:
        (run.path / name).unlink()
        (run.path / name).mkdir()

    return change


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (broken_file("run.toml", b"[task\n"), "run.toml is not valid TOML"),
        (broken_file("run.toml", b"\xff\xfe"), "run.toml is not valid TOML"),
        (instead_a_directory("run.toml"), "run.toml cannot be read: Is a directory"),
        (broken_file("steps.npy", b"not a table"), "steps.npy does not begin with a .npy header"),
        (broken_file("tests.npy", b"\x93NUMPY\x01\x00\xff\xff{"), "tests.npy does not begin with a .npy header"),
        (instead_a_directory("events.jsonl"), "events.jsonl cannot be read: Is a directory"),
        (lambda run: np.save(run.measures_path, np.arange(3)), "measures.npy is not a table"),
    ],
)
def test_a_damaged_run_is_listed_with_the_reason(
    tmp_path: Path, damage: Callable[[RunDirectory], object], said: str
) -> None:
    run = small_run(tmp_path, "a")
    damage(run)
    summary = summary_of(run)
    assert summary.state == "damaged"
    assert said in summary.problem
    told_as_json(summary)
    assert [found.state for found in Summaries(tmp_path).read()] == ["damaged"]


def test_tags_that_cannot_be_read_are_a_problem_and_no_damage(tmp_path: Path) -> None:
    run = small_run(tmp_path, "a")
    (run.path / "tags.json").write_text("{}")
    summary = summary_of(run)
    assert (summary.state, summary.tags) == ("finished", ())
    assert "tags.json is not a JSON array of strings" in summary.problem


@pytest.mark.parametrize(
    "text",
    [
        "preset = 3\nseed = 'x'\nstarted = 'soon'\n[training]\nsteps = 'many'\n",
        "seed = 123456789012345678901234567890\nstarted = 1e300\nday = 2027-01-15\n",
        "started = nan\ntask = 3\ntraining = [1]\n",
        f"preset = 0x{'f' * 9000}\n[task]\np = [0x{'f' * 9000}]\n",
        ".".join("a" * 3000) + " = 1\n",
    ],
)
def test_a_configuration_of_anything_is_survived(tmp_path: Path, text: str) -> None:
    run = RunDirectory(tmp_path / "a")
    run.path.mkdir()
    run.config_path.write_text(text)
    os.utime(run.config_path, (STARTED, STARTED))
    summary = summary_of(run)
    assert (summary.state, summary.seed, summary.started) == ("interrupted", None, STARTED)
    told_as_json(summary)


def test_columns_of_anything_are_survived(tmp_path: Path) -> None:
    run = small_run(tmp_path, "a")
    run.steps_path.unlink()
    with TableWriter(run.steps_path, [("step", "<f8"), ("train_loss", "<f8", (2,)), ("train_accuracy", "S4")]) as table:
        table.append(math.inf, [1, 2], b"half")
    summary = summary_of(run)
    assert (summary.step, summary.train_loss, summary.train_accuracy) == (3, None, None)


def test_events_of_anything_are_survived(tmp_path: Path) -> None:
    run = small_run(tmp_path, "a")
    with run.events_path.open("a") as file:
        file.write('{"event": "state", "step": 1e9, "time": 0, "state": "x"}\n')
        file.write('{"event": "phase", "step": 3, "time": 0, "phase": 5, "mark": 6, "at": 7}\n')
        file.write('{"event": "edit", "step": 3, "time": 0, "knob": "steps", "new": "inf"}\n[]\n\n')
        file.write('{"event": "state", "step": 99999999999999999999, "time": 0, "state": "x"}\n')
    assert (summary_of(run).state, summary_of(run).step) == ("finished", 3)


def test_json_holds_every_field_and_the_settings(tmp_path: Path) -> None:
    told = told_as_json(summary_of(small_run(tmp_path, "a", p=97, tags=("x",))))
    assert set(told) == {*FIELDS, "config"}
    assert told["path"] == str(tmp_path / "a")
    assert told["tags"] == ["x"]
    assert told["config"]["task"]["p"] == 97


def test_a_run_that_did_not_change_is_not_read_again(tmp_path: Path) -> None:
    run = small_run(tmp_path, "a")
    small_run(tmp_path, "b", state="training")
    summaries = Summaries(tmp_path)
    first, second = list(summaries.read()), list(summaries.read())
    assert all(one is two for one, two in zip(first, second, strict=True))
    (run.path / "tags.json").write_text('["new"]')
    assert {found.name: found.tags for found in summaries.read()} == {"a": ("new",), "b": ()}


def test_a_run_that_grows_ends_or_comes_alive_is_read_again(tmp_path: Path) -> None:
    run = small_run(tmp_path, "a", state="training")
    summaries = Summaries(tmp_path)
    with Lock(run):
        assert [found.state for found in summaries.read()] == ["training"]
        with TableWriter(run.steps_path, read_table(run.steps_path).dtype) as table:
            table.append(3, STARTED, 0.125, 1.0)
        assert [(found.step, found.train_loss) for found in summaries.read()] == [(4, 0.125)]
    assert [found.state for found in summaries.read()] == ["interrupted"]
    with Lock(run):
        assert [found.state for found in summaries.read()] == ["training"]
    EventLog(run.events_path).write("state", 4, state="stopped")
    assert [found.state for found in summaries.read()] == ["stopped"]


def test_runs_that_vanish_while_they_are_listed_are_left_out(tmp_path: Path) -> None:
    for number in range(4):
        small_run(tmp_path, f"{number}", started=STARTED - number)
    reading = Summaries(tmp_path).read()
    assert next(reading).name == "0"
    shutil.rmtree(tmp_path / "1")
    (tmp_path / "2").rename(tmp_path / "renamed")
    assert [found.name for found in reading] == ["3"]


def test_a_run_that_vanishes_while_it_is_read_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = small_run(tmp_path, "a", state="training")

    def vanishes(_: RunDirectory) -> bool:
        shutil.rmtree(run.path)
        return False

    monkeypatch.setattr("grokterm.summary.is_alive", vanishes)
    assert summarize(run) is None


def test_a_fork_is_planned_from_the_start_as_it_was_asked(tmp_path: Path) -> None:
    child = parent_and_fork(tmp_path)[1]
    entry = {"at": 500, "set": {"steps": 5000}, "moments": "kept"}
    config = child.read_config() or {}
    for by_hand, planned in ((True, 5000), (False, 400)):
        asked = {**config, "interventions": [{**entry, "by_hand": by_hand}]}
        child.config_path.write_text(tomli_w.dumps(asked))
        history = History(child)
        history.poll()
        known = summarize(child)
        assert known is not None
        assert (planned_steps(history), known.steps) == (planned, planned)
    assert steps_asked({"interventions": [{**entry, "by_hand": True}]}, 501) is None  # the knob says it by then
