"""Training beside a screen: how a thread that fails tells why, and what it leaves behind."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from grokterm.catalog import Catalog
from grokterm.errors import RunError, TrainingError, UsageError
from grokterm.preset import read
from grokterm.run.directory import RunDirectory, create
from grokterm.run.events import ask
from grokterm.run.lock import Lock, holder, is_alive
from grokterm.run.table import read_table
from grokterm.training import TrainingThread
from tests.run_equality import history
from tests.waiting import wait_for

TINY = """
[task]
name = "modular"
p = 5
train_fraction = 0.5
[model]
name = "transformer"
d_model = 4
n_heads = 2
d_mlp = 4
[optimizer]
name = "adamw"
[training]
steps = 3
threads = 1
device = "cpu"
"""


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    (tmp_path / "tiny.toml").write_text(TINY)
    return create(tmp_path / "runs", "tiny")


def trained(run: RunDirectory, *overrides: str, parts: Path | None = None) -> TrainingThread:
    """Train in a thread, and wait for its end."""
    catalog = Catalog(parts)
    thread = TrainingThread(run, catalog, read(run.path.parent.parent / "tiny.toml", overrides, catalog))
    thread.start()
    thread.join(60)
    assert not thread.is_alive()
    return thread


def test_run_is_locked_and_recorded(run: RunDirectory) -> None:
    assert trained(run).error is None
    assert len(read_table(run.steps_path)) == 3
    assert run.lock_path.exists()
    assert not is_alive(run)


def test_failure_is_one_sentence_and_a_traceback_in_the_log(run: RunDirectory, tmp_path: Path) -> None:
    (tmp_path / "parts" / "measures").mkdir(parents=True)
    (tmp_path / "parts" / "measures" / "odd.py").write_text(
        "from grokterm.catalog import part\n@part\ndef odd(labels):\n    raise KeyError('odd')\n"
    )
    error = trained(run, parts=tmp_path / "parts").error
    assert isinstance(error, TrainingError)
    assert str(error) == (
        f"training failed: KeyError: 'odd' (see {run.log_path}); "
        f"`grokterm resume {run.path}` goes on from its last full checkpoint"
    )
    assert "def odd" not in str(error)
    assert "raise KeyError('odd')" in run.log_path.read_text()
    assert run.config_path.exists()


def test_run_that_could_not_begin_is_removed(run: RunDirectory) -> None:
    error = trained(run, "task.train_fraction=0.01").error
    assert isinstance(error, UsageError)
    assert "train_fraction = 0.01 leaves 0 of 25 pairs" in str(error)
    assert not run.path.exists()


def test_run_that_somebody_else_trains_is_left_alone(run: RunDirectory) -> None:
    run.write_config({"format": 1})
    with Lock(run):
        assert isinstance(trained(run).error, RunError)
    assert not run.steps_path.exists()


def test_run_that_does_not_fit_into_memory_is_removed_and_one_sentence(run: RunDirectory) -> None:
    error = trained(run, "model.d_model=1000000000000").error
    assert isinstance(error, UsageError)
    assert str(error) == (
        "tiny: the sizes in [task] and [model] need more memory than this machine has; take smaller ones"
    )
    assert not run.path.exists()


BROKEN_MODEL = """
from grokterm.catalog import part

@part
def broken(task):
    raise {error}
"""


def own_model(run: RunDirectory, error: str) -> Path:
    """A folder of parts with a model that cannot be built, and the tiny preset with that model."""
    preset = run.path.parent.parent / "tiny.toml"
    lines = preset.read_text().replace('"transformer"', '"broken"').splitlines()
    preset.write_text("\n".join(line for line in lines if not line.startswith(("d_", "n_"))))
    (folder := run.path.parent.parent / "parts").mkdir()
    (folder / "models").mkdir()
    (folder / "models" / "broken.py").write_text(BROKEN_MODEL.format(error=error))
    return folder


@pytest.mark.parametrize("error", ["MemoryError()", "RuntimeError('not enough memory: you tried to allocate 9 bytes')"])
def test_lack_of_memory_is_a_usage_error(run: RunDirectory, error: str) -> None:
    found = trained(run, parts=own_model(run, error)).error
    assert isinstance(found, UsageError)
    assert "need more memory than this machine has" in str(found)


def test_sentence_does_not_point_to_a_log_that_was_removed(run: RunDirectory) -> None:
    error = trained(run, parts=own_model(run, "RuntimeError('odd')")).error
    assert isinstance(error, TrainingError)
    assert str(error) == "training failed: RuntimeError: odd"
    assert isinstance(error.__cause__, RuntimeError)
    assert not run.path.exists()


def test_error_is_set_after_the_run_was_removed(run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []
    discard = RunDirectory.discard

    def watched(directory: RunDirectory) -> None:
        seen.append(thread.error)
        discard(directory)

    monkeypatch.setattr(RunDirectory, "discard", watched)
    catalog = Catalog()
    preset = read(run.path.parent.parent / "tiny.toml", ["task.train_fraction=0.01"], catalog)
    thread = TrainingThread(run, catalog, preset)
    thread.run()
    assert seen == [None]
    assert isinstance(thread.error, UsageError)


def test_run_that_cannot_be_removed_hides_no_error(run: RunDirectory) -> None:
    (run.path / "notes.txt").write_text("somebody's")
    error = trained(run, parts=own_model(run, "RuntimeError('odd')")).error
    assert str(error) == f"training failed: RuntimeError: odd (see {run.log_path})"
    assert "RuntimeError: odd" in run.log_path.read_text()


def endless(run: RunDirectory) -> TrainingThread:
    """A thread that trains until somebody ends it."""
    catalog = Catalog()
    preset = read(run.path.parent.parent / "tiny.toml", ["training.steps=100000000"], catalog)
    thread = TrainingThread(run, catalog, preset)
    thread.start()
    wait_for(lambda: len(rows(run)) > 10, 60, "ten steps")
    return thread


def rows(run: RunDirectory) -> list[int]:
    return read_table(run.steps_path)["step"].tolist() if run.steps_path.exists() else []


def states(run: RunDirectory) -> list[object]:
    return [event.data["state"] for event in history(run).events if event.kind == "state"]


def test_a_run_is_handed_over_with_its_lock(run: RunDirectory) -> None:
    shared = endless(run).hand_over(30)
    assert shared is not None
    assert is_alive(run)  # nobody can take it in between
    assert states(run) == ["training", "detached"]
    with pytest.raises(RunError, match="is being trained by"), Lock(run):
        pass
    ask(run.path, "stop", at=len(rows(run)) + 50)
    thread = TrainingThread(run, Catalog(), lock=Lock.adopt(run, shared))
    thread.start()
    thread.join(60)
    assert thread.error is None
    assert states(run)[-2:] == ["stopping", "stopped"]
    assert rows(run) == list(range(len(rows(run))))
    assert not is_alive(run)


def test_a_run_that_has_ended_is_not_handed_over(run: RunDirectory) -> None:
    thread = trained(run)
    assert thread.hand_over(1) is None
    assert states(run) == ["training", "finished"]


def test_a_rewind_goes_on_in_a_fork(run: RunDirectory) -> None:
    thread = endless(run)
    edit = ask(run.path, "set", knob="weight_decay", value=0.5)
    ask(run.path, "rewind", undo=True)
    wait_for(lambda: thread.directory.path != run.path and len(rows(thread.directory)) > 5, 60, "steps of the fork")
    ask(thread.directory.path, "stop")
    thread.join(60)
    assert thread.error is None
    (told,) = [event for event in history(run).events if event.kind == "fork"]
    assert told.data["run"] == thread.directory.name
    assert states(run)[-1] == "stopped"
    (at,) = [event.step for event in history(run).events if event.data.get("request") == edit.id]
    assert told.data["at"] == at == rows(thread.directory)[0]
    config = thread.directory.read_config()
    assert config is not None
    assert config["parent"]["run"] == run.name
    assert history(thread.directory).edits == []
    assert not is_alive(run)


def test_what_is_held_back_goes_along_into_a_fork(run: RunDirectory) -> None:
    turn = ask(run.path, "set", knob="weight_decay", value=0.5, at=12)
    stop = ask(run.path, "stop", at=14)
    ask(run.path, "rewind", at=8)
    thread = trained(run, "training.steps=20")
    assert thread.error is None
    answers = {event.data.get("request"): (event.kind, event.step) for event in history(thread.directory).events}
    assert (answers[turn.id], answers[stop.id]) == (("edit", 12), ("state", 14))
    assert states(thread.directory)[-1] == "stopped"


def test_what_was_asked_of_a_dead_trainer_does_not_stop_the_next_one(run: RunDirectory) -> None:
    trained(run, "training.steps=5")
    lines = run.events_path.read_bytes().splitlines(keepends=True)
    run.events_path.write_bytes(b"".join(lines[:-1]))  # it died before it told its end
    stop = ask(run.path, "stop")
    thread = TrainingThread(run, Catalog())
    thread.start()
    thread.join(60)
    assert states(run)[-1] == "finished"
    (answer,) = [event for event in history(run).events if event.data.get("request") == stop.id]
    assert answer.kind == "refused"


def test_a_run_that_somebody_else_trains_is_left_alone(run: RunDirectory) -> None:
    trained(run)
    with Lock(run):
        thread = TrainingThread(run, Catalog())
        thread.start()
        thread.join(60)
    assert isinstance(thread.error, RunError)
    assert "is being trained by" in str(thread.error)
    assert states(run) == ["training", "finished"]


def test_a_trainer_that_waits_for_the_disk_can_be_given_up(run: RunDirectory) -> None:
    thread = endless(run)
    gone = run.path.with_name("elsewhere")
    run.path.rename(gone)
    wait_for(lambda: (said := holder(RunDirectory(gone))) is not None and said.trouble, 30, "trouble in the lock")
    thread.give_up()
    thread.join(30)
    assert isinstance(thread.error, TrainingError)
    assert "nothing can be written: steps.npy: No such file or directory" in str(thread.error)


def test_training_waits_for_its_directory_and_goes_on(run: RunDirectory) -> None:
    thread = endless(run)
    gone = run.path.with_name("elsewhere")
    run.path.rename(gone)
    wait_for(lambda: (said := holder(RunDirectory(gone))) is not None and said.trouble, 30, "trouble in the lock")
    gone.rename(run.path)
    stood = len(rows(run))
    wait_for(lambda: len(rows(run)) > stood + 10, 30, "more steps")
    ask(run.path, "stop")
    thread.join(30)
    assert thread.error is None
    assert rows(run) == list(range(len(rows(run))))
    (waited,) = [event for event in history(run).events if event.kind == "waited"]
    assert waited.data["why"] == "steps.npy: No such file or directory"
    said = holder(run)
    assert said is None


@pytest.mark.parametrize("wish", ["hand over", "stop"])
def test_a_wish_right_after_a_rewind_reaches_the_fork(run: RunDirectory, wish: str) -> None:
    thread = endless(run)
    ask(run.path, "rewind")
    if wish == "stop":
        thread.stop()
        thread.join(60)
        assert states(thread.directory)[-1] == "stopped"
    else:
        shared = thread.hand_over(60)
        assert shared is not None
        assert is_alive(thread.directory)
        assert states(thread.directory)[-1] == "detached"
        os.close(shared)
    assert thread.error is None
