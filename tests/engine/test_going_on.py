"""A run that was cut off anywhere goes on as if it had not been: every number and every event equal."""

import errno
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from grokterm.catalog import Catalog
from grokterm.engine import trainer as trainer_module
from grokterm.engine.launch import Ended, resume, train
from grokterm.errors import RunError, UsageError
from grokterm.preset import read
from grokterm.run import checkpoint
from grokterm.run.directory import RunDirectory, create
from grokterm.run.events import ask
from grokterm.run.table import read_table
from tests.hosts import alone
from tests.run_equality import differences, history

TINY = """
description = "a tiny task"
[task]
name = "modular"
p = 7
train_fraction = 0.5
[model]
name = "transformer"
d_model = 8
n_heads = 2
d_mlp = 12
[optimizer]
name = "adamw"
lr = 1e-2
weight_decay = 5.0
[training]
steps = 30
seed = 3
warmup_steps = 10
test_every = 3
measure_every = 4
checkpoint_every = 5
threads = 1
device = "cpu"
[[interventions]]
at = 11
set = { weight_decay = 2.0 }
[[interventions]]
when = "test_loss < 100"
set = { beta2 = 0.95 }
[[interventions]]
when = "train_loss <= 1.9"
set = { lr = 5e-3 }
moments = "reset"
"""


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    """A run sets torch's number of threads for its process."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    """A run with everything in it that can happen, never cut off; a full checkpoint at every step."""
    folder = tmp_path_factory.mktemp("whole")
    before = torch.get_num_threads()
    run = create(folder / "runs", "tiny")
    ask(run.path, "set", knob="eps", value=1e-7, at=8)
    ask(run.path, "note", text="inf", at=8)
    ask(run.path, "set", knob="steps", value=26, at=13)
    ask(run.path, "snapshot", note="half", at=13)
    ask(run.path, "set", knob="lr", value=0.02, moments="reset", at=13)
    ask(run.path, "set", knob="no such knob", value=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainer_module, "FULL_CHECKPOINT_SECONDS", -1.0)
        assert begin(run) == Ended("finished")
    torch.set_num_threads(before)
    kinds = [checkpoint.read_metadata(info.path).kind for info in checkpoint.list_checkpoints(run.checkpoints)]
    assert kinds == ["full"] * 27
    told = [(event.kind, event.step) for event in history(run).events if event.kind in ("edit", "note", "snapshot")]
    assert len(told) == 8, told
    return run


def begin(run: RunDirectory, *overrides: str) -> Ended:
    preset = run.path.parent.parent / "tiny.toml"
    preset.write_text(TINY)
    return train(run, read(preset, overrides, Catalog()), Catalog(), alone())


def cut_off(whole: RunDirectory, folder: Path, step: int) -> RunDirectory:
    """The run as a crash leaves it whose last full checkpoint is that of `step`, and whose rows went on."""
    run = RunDirectory(folder / "runs" / whole.name)
    shutil.copytree(whole.path, run.path)
    for info in checkpoint.list_checkpoints(run.checkpoints):
        if info.step > step:
            info.path.unlink()
    lines = run.events_path.read_bytes().splitlines(keepends=True)
    assert b'"finished"' in lines.pop()
    run.events_path.write_bytes(b"".join(lines))
    return run


@pytest.mark.parametrize("step", range(26))
def test_a_run_goes_on_from_every_step_as_if_nothing_had_been(whole: RunDirectory, tmp_path: Path, step: int) -> None:
    run = cut_off(whole, tmp_path, step)
    assert resume(run, Catalog(), alone(), ()) == Ended("finished")
    assert differences(whole, run) == []


def test_a_run_that_was_cut_off_three_times(whole: RunDirectory, tmp_path: Path) -> None:
    run = cut_off(whole, tmp_path, 7)
    for step in (9, 12):
        ask(run.path, "stop", at=step + 3)
        resume(run, Catalog(), alone(), ())
        for info in checkpoint.list_checkpoints(run.checkpoints):
            if info.step > step and checkpoint.read_metadata(info.path).kind == "full":
                info.path.unlink()
    resume(run, Catalog(), alone(), ())
    assert differences(whole, run) == []


def test_without_any_full_checkpoint_it_begins_again(whole: RunDirectory, tmp_path: Path) -> None:
    run = cut_off(whole, tmp_path, -1)
    assert resume(run, Catalog(), alone(), ()) == Ended("finished")
    assert differences(whole, run) == []


@pytest.mark.parametrize("damage", ["cut", "bit", "empty", "garbage"])
def test_a_damaged_newest_checkpoint_falls_back_to_the_one_before(
    whole: RunDirectory, tmp_path: Path, damage: str
) -> None:
    run = cut_off(whole, tmp_path, 20)
    path = run.checkpoints / "000000020.safetensors"
    content = bytearray(path.read_bytes())
    if damage == "bit":
        content[-100] ^= 4
    path.write_bytes({"cut": bytes(content[:-7]), "bit": bytes(content), "empty": b"", "garbage": b"x" * 999}[damage])
    assert resume(run, Catalog(), alone(), ()) == Ended("finished")
    assert differences(whole, run) == []
    (resumed,) = [event for event in history(run).events if event.data.get("state") == "resumed"]
    assert resumed.step == 19
    assert "000000020.safetensors cannot be read" in str(resumed.data["why"])
    assert path.with_name("000000020.safetensors.damaged").exists()


def test_a_checkpoint_that_the_disk_does_not_give_is_no_damaged_one(
    whole: RunDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = cut_off(whole, tmp_path, 20)

    def refused(path: Path) -> checkpoint.Checkpoint:
        raise RunError(f"{path} cannot be read as a checkpoint: not now") from OSError(errno.EIO, "not now")

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "read", refused)
        with pytest.raises(RunError, match=r"000000020\.safetensors cannot be read"):
            resume(run, Catalog(), alone(), ())
    assert resume(run, Catalog(), alone(), ()) == Ended("finished")
    (resumed,) = [event for event in history(run).events if event.data.get("state") == "resumed"]
    assert (resumed.step, resumed.data["why"]) == (20, "")


def test_a_checkpoint_that_was_half_written_is_removed(whole: RunDirectory, tmp_path: Path) -> None:
    run = cut_off(whole, tmp_path, 20)
    half = run.checkpoints / ".000000021.safetensors.4711.part"
    half.write_bytes(b"half")
    resume(run, Catalog(), alone(), ())
    assert not half.exists()


def test_a_paused_run_is_paused_again(tmp_path: Path) -> None:
    run = create(tmp_path / "runs", "tiny")
    ask(run.path, "pause", at=6)
    ask(run.path, "detach", at=6)
    assert begin(run) == Ended("detached")
    ask(run.path, "stop")
    assert resume(run, Catalog(), alone(), ()) == Ended("stopped")
    states = [event.data["state"] for event in history(run).events if event.kind == "state"]
    assert states == ["training", "paused", "resumed", "paused", "stopping", "stopped"]


def test_a_pause_after_the_checkpoint_comes_again_at_its_step(whole: RunDirectory, tmp_path: Path) -> None:
    run = create(tmp_path / "runs", "tiny")
    ask(run.path, "pause", at=6)
    ask(run.path, "step", at=6)
    ask(run.path, "step", at=7)
    ask(run.path, "detach", at=8)
    begin(run)
    (run.checkpoints / "000000008.safetensors").unlink()
    lines = run.events_path.read_bytes().splitlines(keepends=True)
    run.events_path.write_bytes(b"".join(lines[:-1]))  # as if it had died before it left
    stop = ask(run.path, "stop", at=8)
    resume(run, Catalog(), alone(), ())
    paused = [event.step for event in history(run).events if event.data.get("state") == "paused"]
    assert paused == [8]
    (answer,) = [event for event in history(run).events if event.data.get("request") == stop.id]
    assert (answer.kind, answer.step) == ("state", 8)


def test_requests_that_waited_are_obeyed_after_what_was_done_before_them(whole: RunDirectory, tmp_path: Path) -> None:
    run = cut_off(whole, tmp_path, 5)
    waiting = ask(run.path, "set", knob="beta1", value=0.5)
    stop = ask(run.path, "stop")
    resume(run, Catalog(), alone(), {waiting.id, stop.id})
    answers = {str(event.data.get("request")): event for event in history(run).events}
    assert (answers[waiting.id].kind, answers[waiting.id].step) == ("edit", 13)
    assert (answers[stop.id].kind, answers[stop.id].step) == ("refused", 5)


def test_every_request_has_exactly_one_answer_that_holds(whole: RunDirectory, tmp_path: Path) -> None:
    run = cut_off(whole, tmp_path, 3)
    resume(run, Catalog(), alone(), ())
    answered = [event.data["request"] for event in history(run).events if "request" in event.data]
    assert len(answered) == len(set(answered)) == 6
    assert history(run).pending == {}


def test_a_run_that_had_ended_trains_on_with_more_steps(whole: RunDirectory, tmp_path: Path) -> None:
    run = RunDirectory(tmp_path / "runs" / whole.name)
    shutil.copytree(whole.path, run.path)
    ask(run.path, "set", knob="steps", value=29)
    assert resume(run, Catalog(), alone(), ()) == Ended("finished")
    assert read_table(run.steps_path)["step"].tolist() == list(range(29))
    assert read_table(run.tests_path)["step"].tolist() == list(range(0, 30, 3))
    before, after = read_table(whole.steps_path), read_table(run.steps_path)
    assert after[:26]["train_loss"].tobytes() == before["train_loss"].tobytes()


def test_missing_rows_are_told(whole: RunDirectory, tmp_path: Path) -> None:
    run = cut_off(whole, tmp_path, 12)
    size = read_table(run.steps_path).dtype.itemsize
    with run.steps_path.open("r+b") as file:
        file.truncate(run.steps_path.stat().st_size - 20 * size)
    resume(run, Catalog(), alone(), ())
    (resumed,) = [event for event in history(run).events if event.data.get("state") == "resumed"]
    assert resumed.data["why"] == "the rows of steps 6 to 11 are missing in steps.npy"


def test_what_cannot_be_resumed_says_why(tmp_path: Path, whole: RunDirectory) -> None:
    with pytest.raises(RunError, match=r"has no run\.toml"):
        resume(create(tmp_path / "runs", "nothing"), Catalog(), alone(), ())
    run = cut_off(whole, tmp_path, 5)
    text = run.config_path.read_text()
    run.config_path.write_text(text.replace("d_model = 8", "d_model = 4"))
    with pytest.raises(RunError, match="another model"):
        resume(run, Catalog(), alone(), ())
    run.config_path.write_text(text + "\n[source]\nfile = 'x'\n")
    with pytest.raises(UsageError, match="imported"):
        resume(run, Catalog(), alone(), ())
