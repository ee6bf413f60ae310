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
from grokterm.errors import RunError
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


def test_a_run_that_died_before_its_first_checkpoint_begins_again(whole: RunDirectory, tmp_path: Path) -> None:
    run = cut_off(whole, tmp_path, -1)
    for table in (run.steps_path, run.tests_path, run.measures_path, *run.arrays.iterdir()):
        table.unlink()
    run.arrays.rmdir()
    assert resume(run, Catalog(), alone(), ()) == Ended("finished")
    assert differences(whole, run) == []


def test_a_run_without_checkpoints_keeps_its_rows(whole: RunDirectory, tmp_path: Path) -> None:
    run = cut_off(whole, tmp_path, -1)
    with pytest.raises(RunError, match="no full checkpoint that can be read"):
        resume(run, Catalog(), alone(), ())
    assert len(read_table(run.steps_path)) == 26


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
    assert len(read_table(run.steps_path)) == 26  # nothing was touched
    run.config_path.write_text(text + "\n[source]\nfile = 'x'\n")
    with pytest.raises(RunError, match="imported"):
        resume(run, Catalog(), alone(), ())


@pytest.mark.parametrize("step", range(1, 16))
def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(whole: RunDirectory, tmp_path: Path, step: int) -> None:
    """Its conditions too: they see the last evaluation once, in its order."""
    run = cut_off(whole, tmp_path, step - 1)
    ask(run.path, "stop", at=step)
    assert resume(run, Catalog(), alone(), ()) == Ended("stopped")
    assert resume(run, Catalog(), alone(), ()) == Ended("finished")
    assert differences(whole, run) == []


def test_checkpoints_of_a_past_that_is_no_more_go(whole: RunDirectory, tmp_path: Path) -> None:
    run = cut_off(whole, tmp_path, 7)
    shutil.copy(whole.checkpoints / "000000020.safetensors", run.checkpoints / "000000021.safetensors")
    weights = checkpoint.read(run.checkpoints / "000000021.safetensors")
    (run.checkpoints / "000000021.safetensors").unlink()
    model = {name: tensor for name, tensor in weights.tensors.items() if name.startswith("model/")}
    checkpoint.write(run.checkpoints, 21, model, kind="weights", state={})
    ask(run.path, "stop", at=9)
    resume(run, Catalog(), alone(), ())
    assert checkpoint.list_checkpoints(run.checkpoints)[-1].step == 9


def paced(run: RunDirectory) -> list[tuple[object, int]]:
    """How training was paced, as it holds now."""
    told = (event for event in history(run).events if event.kind == "state")
    return [(event.data["state"], event.step) for event in told if event.data["state"] in ("paused", "training")]


def test_a_run_that_was_let_go_after_its_checkpoint_is_not_paused_again(tmp_path: Path) -> None:
    run = create(tmp_path / "runs", "tiny")
    for do, data in (("pause", {}), ("set", {"knob": "lr", "value": 0.5}), ("resume", {}), ("detach", {})):
        ask(run.path, do, **data, at=6)
    begin(run)
    assert checkpoint.read(run.checkpoints / "000000006.safetensors").state["paused"] is True
    assert resume(run, Catalog(), alone(), ()) == Ended("finished")


def test_a_run_that_was_paused_after_its_checkpoint_is_paused_again(tmp_path: Path) -> None:
    run = create(tmp_path / "runs", "tiny")
    for do, data in (("set", {"knob": "lr", "value": 0.5}), ("pause", {}), ("stop", {})):
        ask(run.path, do, **data, at=6)
    begin(run)
    assert checkpoint.read(run.checkpoints / "000000006.safetensors").state["paused"] is False
    ask(run.path, "stop")
    resume(run, Catalog(), alone(), ())
    assert paced(run)[-1] == ("paused", 6)


def test_two_edits_of_one_step_keep_their_order_when_it_dies_between_them(tmp_path: Path) -> None:
    run = create(tmp_path / "runs", "tiny")
    for value in (0.02, 0.05):
        ask(run.path, "set", knob="lr", value=value, at=7)
    ask(run.path, "stop", at=9)
    begin(run)
    (run.checkpoints / "000000009.safetensors").unlink()
    (run.checkpoints / "000000007.safetensors").unlink()
    lines = run.events_path.read_bytes().splitlines(keepends=True)
    del lines[-2:]  # stopping, stopped
    (first,) = [line for line in lines if b'"new": 0.02' in line]
    keeps = next(index for index, line in enumerate(lines) if b'"phase"' in line) + 1
    resumed = b'{"event": "state", "step": 0, "time": 1.0, "state": "resumed", "keeps": %d}\n' % keeps
    run.events_path.write_bytes(b"".join([*lines, resumed, first]))
    resume(run, Catalog(), alone(), ())
    told = [event.data["new"] for event in history(run).edits if "request" in event.data]
    assert told == [0.02, 0.05]


def test_other_measures_than_recorded_are_told_before_anything_is_cut(
    whole: RunDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = cut_off(whole, tmp_path, 5)
    names = Catalog.names
    monkeypatch.setattr(Catalog, "names", lambda self, kind: tuple(n for n in names(self, kind) if n != "logit_fve"))
    with pytest.raises(RunError, match=r"measures\.npy has other columns .* lacks .*logit_fve: .* --parts"):
        resume(run, Catalog(), alone(), ())
    assert len(read_table(run.steps_path)) == 26


COUNTING = """
import torch
from grokterm.catalog import part
from grokterm.values import Positive

class Counting(torch.optim.Optimizer):
    def step(self):
        for group in self.param_groups:
            for weight in group["params"]:
                state = self.state[weight]
                state["times"] = state.get("times", 0) + 1
                group["calls"] += 1
                with torch.no_grad():
                    weight.sub_(weight.grad, alpha=group["lr"] / state["times"] ** 0.5 / (1 + group["calls"]))

@part
def counting(parameters, *, lr: Positive = 1e-2):
    return Counting(parameters, {"lr": lr, "calls": 0})
"""


def test_what_an_own_optimizer_keeps_in_numbers_goes_on_too(tmp_path: Path) -> None:
    (tmp_path / "parts" / "optimizers").mkdir(parents=True)
    (tmp_path / "parts" / "optimizers" / "counting.py").write_text(COUNTING)
    catalog = Catalog(tmp_path / "parts")
    text = TINY[: TINY.index("[[")].replace('"adamw"', '"counting"').replace("weight_decay = 5.0\n", "")
    (tmp_path / "counting.toml").write_text(text)
    runs = [create(tmp_path / "runs", name) for name in ("whole", "stopped")]
    ask(runs[1].path, "stop", at=9)
    for run in runs:
        train(run, read(tmp_path / "counting.toml", (), catalog), catalog, alone())
    assert resume(runs[1], catalog, alone(), ()) == Ended("finished")
    assert differences(*runs) == []
