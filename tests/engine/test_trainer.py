"""Real runs of a tiny task: what ends up in the run directory, and how requests are obeyed.

Requests are appended before training starts and obeyed before step 0; `pause` and `step` put the later ones at a later
step. So no test needs a thread.
"""

import errno
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from grokterm.catalog import Catalog
from grokterm.engine import trainer as trainer_module
from grokterm.engine.cross_entropy import cross_entropy
from grokterm.engine.inbox import Inbox
from grokterm.engine.launch import train
from grokterm.engine.task import Task
from grokterm.errors import TrainingError, UsageError
from grokterm.history import History
from grokterm.models.transformer import Transformer
from grokterm.preset import read
from grokterm.run import checkpoint
from grokterm.run.directory import RunDirectory, create
from grokterm.run.events import Event, EventLog, append_line, ask
from grokterm.run.table import TableWriter, read_table
from grokterm.tasks.modular import modular
from tests.hosts import alone

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
weight_decay = 0.5
[training]
steps = 12
seed = 3
warmup_steps = 10
measure_every = 4
checkpoint_every = 5
threads = 1
device = "cpu"
"""


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    """A run sets torch's number of threads for its process."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return create(tmp_path / "runs", "tiny")


def start(run: RunDirectory, *overrides: str, parts: Path | None = None) -> None:
    """Train the tiny preset in this thread, to its end."""
    preset, catalog = run.path.parent.parent / "tiny.toml", Catalog(parts)
    preset.write_text(TINY)
    train(run, read(preset, [f"training.{override}" for override in overrides], catalog), catalog, alone())


def task_and_model() -> tuple[Task, Transformer]:
    """What the tiny preset builds."""
    torch.manual_seed(3)
    task = modular(p=7, train_fraction=0.5, seed=3)
    return task, Transformer(task, d_model=8, n_heads=2, d_mlp=12)


def column(path: Path, name: str) -> NDArray[Any]:
    values: NDArray[Any] = read_table(path)[name]
    return values


def history(run: RunDirectory) -> History:
    found = History(run)
    found.poll()
    return found


def events(run: RunDirectory, kind: str) -> list[Event]:
    return [event for event in history(run).events if event.kind == kind]


def answer(run: RunDirectory, request: str) -> Event:
    """The one event that answers a request."""
    (found,) = [event for event in history(run).events if event.data.get("request") == request]
    return found


def states(run: RunDirectory) -> list[object]:
    return [event.data["state"] for event in events(run, "state")]


def weights_of(path: Path) -> dict[str, torch.Tensor]:
    tensors = checkpoint.read(path).tensors
    return {name.removeprefix("model/"): torch.tensor(t) for name, t in tensors.items() if name.startswith("model/")}


# What a run leaves behind.


def test_tables_are_complete_and_consistent(run: RunDirectory) -> None:
    start(run, "test_every=3")
    assert column(run.steps_path, "step").tolist() == list(range(12))
    assert column(run.tests_path, "step").tolist() == [0, 3, 6, 9, 12]
    measured = column(run.measures_path, "step").tolist()
    assert measured == [0, 4, 8, 12]
    found = history(run)
    assert set(found.array_names()) == {
        "excluded_loss_k",
        "fourier_embedding",
        "fourier_unembedding",
        "logit_cosines",
        "neuron_clusters",
    }
    for name in found.array_names():
        assert found.array(name).steps.tolist() == measured, name
    scalars = {"restricted_loss", "excluded_loss", "excluded_loss_max", "weight_norm_sq", "weight_norm_sq/W_E"}
    scalars |= {"gini_embedding", "logit_margin_min", "logit_fve", "key_frequencies", "neuron_fve"}
    assert scalars <= set(found.names())
    assert all(np.isfinite(found.series(name).values).all() for name in found.names())
    times = column(run.steps_path, "time")
    assert (np.diff(times) >= 0).all()
    share = column(run.measures_path, "measures_share")
    assert ((share > 0) & (share <= 1)).all()
    assert states(run) == ["training", "finished"]
    assert events(run, "state")[-1].step == 12
    assert found.phases[0].phase == "memorization"
    assert found.errors == []


def test_configuration_and_first_event_name_what_was_resolved(run: RunDirectory) -> None:
    start(run)
    config = run.read_config()
    assert config is not None
    assert config["task"] == {
        "name": "modular",
        "p": 7,
        "operation": "add",
        "train_fraction": 0.5,
        "split": "python",
    }
    assert config["optimizer"]["betas"] == [0.9, 0.98]
    assert config["training"]["seed"] == 3
    assert (config["format"], config["preset"], config["seed"]) == (1, "tiny", 3)
    assert (config["device"], config["threads"]) == ("cpu", 1)
    assert {"host", "started", "grokterm", "torch", "numpy", "python"} <= set(config)
    first = events(run, "state")[0].data
    assert first["threads"] == 1
    knobs = first["knobs"]
    assert isinstance(knobs, dict)
    assert (knobs["lr"], knobs["weight_decay"], knobs["steps"], knobs["measure_every"]) == (0.01, 0.5, 12, 4)


def test_learning_rate_warms_up(run: RunDirectory) -> None:
    start(run)
    expected = [0.01 * min(step / 10, 1) for step in range(12)]
    np.testing.assert_allclose(column(run.steps_path, "lr"), expected, rtol=1e-12, atol=0)
    assert column(run.steps_path, "update_norm")[0] == 0
    assert (column(run.steps_path, "update_norm")[1:] > 0).all()
    assert set(column(run.steps_path, "weight_decay")) == {0.5}


def test_rows_describe_the_checkpoint_of_their_step(run: RunDirectory) -> None:
    start(run, "checkpoint_every=1", "measure_every=1")
    task, model = task_and_model()
    steps, tests, measures = (read_table(path) for path in (run.steps_path, run.tests_path, run.measures_path))
    before: dict[str, torch.Tensor] = {}
    listed = checkpoint.list_checkpoints(run.checkpoints)
    assert [info.step for info in listed] == list(range(13))
    for info in listed:
        model.load_state_dict(weights_of(info.path))
        squares = sum(float(weight.detach().double().square().sum()) for weight in model.parameters())
        assert measures["weight_norm_sq"][info.step] == pytest.approx(squares, rel=1e-12)
        with torch.no_grad():
            test_loss, test_accuracy = cross_entropy(model(task.inputs[task.test]), task.labels[task.test])
        assert tests["test_loss"][info.step] == pytest.approx(float(test_loss), rel=1e-6)
        assert tests["test_accuracy"][info.step] == float(test_accuracy)
        if before:
            moved = [model.get_parameter(name).detach() - weight for name, weight in before.items()]
            update = math.sqrt(sum(float(part.double().square().sum()) for part in moved))
            assert steps["update_norm"][info.step - 1] == pytest.approx(update, rel=1e-5)
        before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
        if info.step < 12:
            model.zero_grad()
            loss, accuracy = cross_entropy(model(task.inputs[task.train]), task.labels[task.train])
            assert steps["train_loss"][info.step] == loss.item()
            assert steps["train_accuracy"][info.step] == accuracy.item()
            loss.backward()  # type: ignore[no-untyped-call]
            squares = sum(float(w.grad.double().square().sum()) for w in model.parameters() if w.grad is not None)
            assert steps["grad_norm"][info.step] == pytest.approx(math.sqrt(squares), rel=1e-6)


def test_training_is_adamw_written_out(run: RunDirectory) -> None:
    """The same losses from a loop that shares nothing with the trainer but the model's reference form."""
    start(run)
    task, model = task_and_model()
    model.double()
    weights = list(model.parameters())
    first, second = [torch.zeros_like(w) for w in weights], [torch.zeros_like(w) for w in weights]
    losses = []
    for step in range(12):
        logits = model.reference(task.inputs[task.train])[0]
        loss = torch.nn.functional.cross_entropy(logits, task.labels[task.train])
        losses.append(loss.item())
        gradients = torch.autograd.grad(loss, weights)
        lr = 0.01 * min(step / 10, 1)
        with torch.no_grad():
            for weight, gradient, m, v in zip(weights, gradients, first, second, strict=True):
                m.mul_(0.9).add_(gradient, alpha=0.1)
                v.mul_(0.98).addcmul_(gradient, gradient, value=0.02)
                weight.mul_(1 - lr * 0.5)
                unbiased = (v / (1 - 0.98 ** (step + 1))).sqrt() + 1e-8
                weight.sub_(lr * m / (1 - 0.9 ** (step + 1)) / unbiased)
    np.testing.assert_allclose(column(run.steps_path, "train_loss"), losses, rtol=1e-5)


def test_checkpoints_come_at_their_cadence(run: RunDirectory) -> None:
    start(run)
    listed = checkpoint.list_checkpoints(run.checkpoints)
    assert [info.step for info in listed] == [0, 5, 10, 12]
    assert [checkpoint.read_metadata(info.path).kind for info in listed] == ["full", "weights", "weights", "full"]


def test_full_checkpoint_holds_all_it_takes_to_go_on(run: RunDirectory) -> None:
    start(run)
    _, model = task_and_model()
    names = {name for name, _ in model.named_parameters()}
    weights, full = (checkpoint.read(info.path) for info in checkpoint.list_checkpoints(run.checkpoints)[2:])
    assert set(weights.tensors) == {f"model/{name}" for name in names}
    moments = {f"optimizer/{name}/{key}" for name in names for key in ("step", "exp_avg", "exp_avg_sq")}
    assert set(full.tensors) == set(weights.tensors) | moments | {"random/torch", "phases/losses", "phases/norms"}
    assert float(full.tensors["optimizer/W_E/step"]) == 12
    assert full.tensors["optimizer/W_E/exp_avg"].shape == full.tensors["model/W_E"].shape
    assert np.abs(full.tensors["optimizer/W_E/exp_avg_sq"]).max() > 0
    torch.set_rng_state(torch.tensor(full.tensors["random/torch"]))
    knobs = full.state["knobs"]
    assert isinstance(knobs, dict)
    assert (knobs["lr"], full.state["edits"], full.state["paused"]) == (0.01, 0, False)


def test_full_checkpoints_also_come_by_the_clock(run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer_module, "FULL_CHECKPOINT_SECONDS", 0.0)
    start(run, "steps=3")
    listed = checkpoint.list_checkpoints(run.checkpoints)
    assert [checkpoint.read_metadata(info.path).kind for info in listed] == ["full"] * 4


def test_same_seed_is_the_same_run_bit_for_bit(tmp_path: Path) -> None:
    runs = [create(tmp_path / "runs", name) for name in ("one", "two", "other")]
    for run, seed in zip(runs, (3, 3, 4), strict=True):
        start(run, f"seed={seed}")
    one, two, other = (read_table(run.steps_path) for run in runs)
    for name in one.dtype.names or ():
        if name != "time":
            assert one[name].tobytes() == two[name].tobytes(), name
    assert one["train_loss"][0] != other["train_loss"][0]
    for array in ("fourier_embedding", "excluded_loss_k"):
        assert (runs[0].arrays / f"{array}.npy").read_bytes() == (runs[1].arrays / f"{array}.npy").read_bytes()
    ends = [checkpoint.read(run.checkpoints / "000000012.safetensors").tensors for run in runs[:2]]
    assert all(ends[0][name].tobytes() == ends[1][name].tobytes() for name in ends[0])


# Requests.


def test_edit_takes_effect_at_its_step(run: RunDirectory) -> None:
    ask(run.path, "pause")
    for _ in range(3):
        ask(run.path, "step")
    lr = ask(run.path, "set", knob="lr", value=0.5)
    ask(run.path, "step")
    decay = ask(run.path, "set", knob="weight_decay", value=0)
    ask(run.path, "resume")
    start(run, "warmup_steps=0")
    np.testing.assert_allclose(column(run.steps_path, "lr"), [0.01] * 3 + [0.5] * 9)
    np.testing.assert_allclose(column(run.steps_path, "weight_decay"), [0.5] * 4 + [0.0] * 8)
    edit = answer(run, lr.id)
    assert (edit.kind, edit.step) == ("edit", 3)
    assert {key: edit.data[key] for key in ("knob", "old", "new", "moments")} == {
        "knob": "lr",
        "old": 0.01,
        "new": 0.5,
        "moments": "kept",
    }
    assert answer(run, decay.id).step == 4
    assert history(run).knobs["weight_decay"] == 0


def test_edit_during_warm_up_sets_the_base(run: RunDirectory) -> None:
    ask(run.path, "set", knob="lr", value=1.0)
    start(run)
    np.testing.assert_allclose(column(run.steps_path, "lr"), [min(step / 10, 1) for step in range(12)])


def test_full_checkpoint_before_each_intervention(run: RunDirectory) -> None:
    ask(run.path, "set", knob="beta1", value=0.5)
    ask(run.path, "pause")
    for _ in range(3):
        ask(run.path, "step")
    ask(run.path, "set", knob="lr", value=0.5)
    ask(run.path, "resume")
    start(run)
    listed = {info.step: checkpoint.read(info.path) for info in checkpoint.list_checkpoints(run.checkpoints)}
    assert [step for step, saved in listed.items() if saved.kind == "full"] == [0, 3, 12]
    states = [listed[step].state for step in (0, 3, 12)]
    assert [state["edits"] for state in states] == [0, 1, 2]
    knobs = [state["knobs"] for state in states]
    assert [(k["beta1"], k["lr"]) for k in knobs if isinstance(k, dict)] == [(0.9, 0.01), (0.5, 0.01), (0.5, 0.5)]


def test_two_edits_at_one_step_share_the_checkpoint_before_the_first(run: RunDirectory) -> None:
    ask(run.path, "pause")
    ask(run.path, "step")
    ask(run.path, "set", knob="lr", value=0.5, moments="reset")
    ask(run.path, "set", knob="lr", value=0.6)
    ask(run.path, "resume")
    start(run)
    before = checkpoint.read(run.checkpoints / "000000001.safetensors")
    assert before.state["edits"] == 0
    assert "optimizer/W_E/exp_avg" in before.tensors


def test_moments_are_kept_or_reset(run: RunDirectory) -> None:
    ask(run.path, "pause")
    for _ in range(3):
        ask(run.path, "step")
    ask(run.path, "set", knob="lr", value=0.02)
    ask(run.path, "step")
    reset = ask(run.path, "set", knob="lr", value=0.03, moments="reset")
    ask(run.path, "step")
    ask(run.path, "step")
    ask(run.path, "snapshot")
    ask(run.path, "stop")
    start(run)
    assert answer(run, reset.id).data["moments"] == "reset"
    counts = {
        info.step: float(checkpoint.read(info.path).tensors["optimizer/W_E/step"])
        for info in checkpoint.list_checkpoints(run.checkpoints)
        if info.step and checkpoint.read_metadata(info.path).kind == "full"
    }
    assert counts == {3: 3, 4: 4, 6: 2}


def test_snapshot_is_a_full_checkpoint_with_a_note(run: RunDirectory) -> None:
    ask(run.path, "pause")
    ask(run.path, "step")
    snapshot = ask(run.path, "snapshot", note="before the storm")
    ask(run.path, "resume")
    start(run)
    event = answer(run, snapshot.id)
    assert (event.kind, event.step, event.data["note"]) == ("snapshot", 1, "before the storm")
    assert event.data["checkpoint"] == "checkpoints/000000001.safetensors"
    assert checkpoint.read(run.path / str(event.data["checkpoint"])).kind == "full"


def test_pause_step_resume(run: RunDirectory) -> None:
    asked = [ask(run.path, do) for do in ("pause", "step", "step", "resume")]
    start(run)
    answers = [answer(run, request.id) for request in asked]
    assert [(event.step, event.data["state"]) for event in answers] == [
        (0, "paused"),
        (1, "paused"),
        (2, "paused"),
        (2, "training"),
    ]
    assert column(run.steps_path, "step").tolist() == list(range(12))
    assert column(run.tests_path, "step").tolist() == list(range(13))


def test_steps_taken_while_paused_keep_the_cadences_and_the_planned_end(run: RunDirectory) -> None:
    ask(run.path, "pause")
    asked = [ask(run.path, "step") for _ in range(14)]
    start(run)
    assert [answer(run, request.id).kind for request in asked] == ["state"] * 12 + ["refused"] * 2
    assert "planned end, step 12" in str(answer(run, asked[-1].id).data["why"])
    assert column(run.steps_path, "step").tolist() == list(range(12))
    assert column(run.measures_path, "step").tolist() == [0, 4, 8, 12]
    assert [info.step for info in checkpoint.list_checkpoints(run.checkpoints)] == [0, 5, 10, 12]


def test_stop_ends_with_a_full_checkpoint(run: RunDirectory) -> None:
    ask(run.path, "pause")
    ask(run.path, "step")
    stop = ask(run.path, "stop")
    note = ask(run.path, "note", text="enough")
    start(run)
    assert states(run) == ["training", "paused", "paused", "stopping", "stopped"]
    assert (answer(run, stop.id).step, answer(run, note.id).data["text"]) == (1, "enough")
    _, end = checkpoint.list_checkpoints(run.checkpoints)
    assert (end.step, checkpoint.read_metadata(end.path).kind) == (1, "full")
    assert column(run.steps_path, "step").tolist() == [0]
    assert column(run.tests_path, "step").tolist() == [0, 1]


def test_cadences_can_be_edited(run: RunDirectory) -> None:
    ask(run.path, "pause")
    ask(run.path, "step")
    for knob, value in {"steps": 9, "test_every": 2, "measure_every": 3, "checkpoint_every": 4}.items():
        ask(run.path, "set", knob=knob, value=value)
    ask(run.path, "resume")
    start(run)
    assert column(run.steps_path, "step").tolist() == list(range(9))
    assert column(run.tests_path, "step").tolist() == [0, 2, 4, 6, 8]
    assert column(run.measures_path, "step").tolist() == [0, 3, 6, 9]
    assert [info.step for info in checkpoint.list_checkpoints(run.checkpoints)] == [0, 1, 4, 8, 9]
    assert events(run, "state")[-1].step == 9


def test_planned_end_can_be_moved_away(run: RunDirectory) -> None:
    ask(run.path, "set", knob="steps", value=15)
    start(run)
    assert column(run.steps_path, "step").tolist() == list(range(15))


@pytest.mark.parametrize(
    ("do", "data", "why"),
    [
        ("set", {"knob": "weigth_decay", "value": 1}, "there is no knob 'weigth_decay'; did you mean 'weight_decay'?"),
        ("set", {"knob": "lr", "value": -1}, "lr = -1: must be greater than or equal to 0"),
        ("set", {"knob": "lr", "value": math.nan}, "lr = nan: must be"),
        ("set", {"knob": "lr"}, "lr = None: must be a number"),
        ("set", {}, "there is no knob 'None'"),
        ("set", {"knob": "lr", "value": 1, "moments": "keep"}, "moments = 'keep': must be kept or reset"),
        ("set", {"knob": "test_every", "value": 1e300}, "test_every = 1e+300: must be a whole number of at most"),
        ("set", {"knob": "steps", "value": 0}, "steps = 0: must be a whole number of at least 1"),
        ("step", {}, "one step can be taken only while training is paused"),
        ("halt", {}, "there is no request 'halt'"),
    ],
)
def test_refused_requests_say_why_and_change_nothing(
    run: RunDirectory, do: str, data: dict[str, object], why: str
) -> None:
    request = ask(run.path, do, **data)
    start(run)
    refusal = answer(run, request.id)
    assert (refusal.kind, refusal.step) == ("refused", 0)
    assert str(refusal.data["why"]).startswith(why)
    assert events(run, "edit") == []
    assert column(run.steps_path, "step").tolist() == list(range(12))
    assert [info.step for info in checkpoint.list_checkpoints(run.checkpoints)] == [0, 5, 10, 12]


def test_planned_end_in_the_past_is_refused(run: RunDirectory) -> None:
    ask(run.path, "pause")
    ask(run.path, "step")
    ask(run.path, "step")
    request = ask(run.path, "set", knob="steps", value=2)
    ask(run.path, "resume")
    start(run)
    assert answer(run, request.id).data["why"] == "steps = 2: training is at step 2 already"
    assert events(run, "state")[-1].step == 12


def test_lines_that_are_no_requests_are_passed_over(run: RunDirectory) -> None:
    run.inbox_path.write_text('not json\n{"do": "stop"}\n{"id": 4, "do": "stop"}\n[]\n')
    append_line(run.inbox_path, {"id": "n", "do": "note", "text": "still here"})
    start(run)
    assert answer(run, "n").data["text"] == "still here"
    assert states(run) == ["training", "finished"]


# Parts of one's own, and what goes wrong in them.


def own_part(tmp_path: Path, kind: str, name: str, source: str) -> Path:
    folder = tmp_path / "parts"
    (folder / kind).mkdir(parents=True, exist_ok=True)
    (folder / kind / f"{name}.py").write_text(source)
    return folder


FAILING_MEASURE = '''
from grokterm.catalog import part

calls = []

@part
def moody(labels):
    """Fails the third time."""
    calls.append(1)
    if len(calls) == 3:
        raise ZeroDivisionError("the third time")
    return labels.double().mean()
'''


def test_failing_measure_is_told_and_loses_no_row(run: RunDirectory, tmp_path: Path) -> None:
    parts = own_part(tmp_path, "measures", "moody", FAILING_MEASURE)
    with pytest.raises(ZeroDivisionError, match="the third time"):
        start(run, parts=parts)
    (error,) = events(run, "error")
    assert (error.step, error.data["message"]) == (8, "ZeroDivisionError: the third time")
    assert "moody" in str(error.data["traceback"])
    assert states(run) == ["training", "failed"]
    assert column(run.steps_path, "step").tolist() == list(range(8))
    assert column(run.measures_path, "step").tolist() == [0, 4]
    np.testing.assert_allclose(column(run.measures_path, "moody"), 3.0)


FAILING_MODEL = '''
from grokterm.catalog import part
from grokterm.models.transformer import Transformer
from grokterm.values import Count

@part
class Tired(Transformer):
    """Works for four updates."""

    steps = 0

    def __init__(self, task, *, d_model: Count, n_heads: Count, d_mlp: Count):
        super().__init__(task, d_model=d_model, n_heads=n_heads, d_mlp=d_mlp)

    def forward(self, tokens):
        self.steps += len(tokens) == 24  # the training part
        if self.steps > 4:
            raise RuntimeError("tired")
        return super().forward(tokens)
'''


def test_failing_model_is_told(run: RunDirectory, tmp_path: Path) -> None:
    parts = own_part(tmp_path, "models", "tired", FAILING_MODEL)
    preset = tmp_path / "tired.toml"
    preset.write_text(TINY.replace('"transformer"', '"tired"'))
    catalog = Catalog(parts)
    with pytest.raises(RuntimeError, match="tired"):
        train(run, read(preset, (), catalog), catalog, alone())
    assert events(run, "error")[0].data["message"] == "RuntimeError: tired"
    assert states(run)[-1] == "failed"
    assert column(run.steps_path, "step").tolist() == [0, 1, 2, 3]


LATE = '''
from pathlib import Path
from grokterm.catalog import part
from grokterm.run.events import ask

calls = []

@part
def late(labels):
    """Asks for a snapshot after the last step."""
    calls.append(1)
    if len(calls) == 4:
        ask(Path({run!r}), "snapshot")
    return labels.double().mean()
'''


def test_request_that_comes_too_late_is_refused(run: RunDirectory, tmp_path: Path) -> None:
    start(run, parts=own_part(tmp_path, "measures", "late", LATE.format(run=str(run.path))))
    (refusal,) = events(run, "refused")
    assert refusal.data["why"] == "training has ended at step 12"
    assert history(run).pending == {}
    assert states(run)[-1] == "finished"


def test_request_of_somebody_who_has_not_seen_the_end_is_refused(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = EventLog.write

    def and_ask_before(log: EventLog, kind: str, step: int, /, **data: object) -> Event:
        if data.get("state") == "finished":
            ask(run.path, "snapshot")
        return write(log, kind, step, **data)

    monkeypatch.setattr(EventLog, "write", and_ask_before)
    start(run)
    assert len(events(run, "refused")) == 1
    assert history(run).pending == {}


def test_requests_of_a_run_that_fails_are_refused(run: RunDirectory, tmp_path: Path) -> None:
    """The step in which it fails, what stood behind that in the inbox, and what nobody has looked at yet."""
    ask(run.path, "pause")
    asked = [ask(run.path, do) for do in ("step", "note", "snapshot")]
    source = FAILING_MEASURE.replace("== 3", "== 1").replace(
        "raise", f"ask(Path({str(run.path)!r}), 'stop')\n        raise"
    )
    imports = "from pathlib import Path\nfrom grokterm.run.events import ask\n"
    with pytest.raises(ZeroDivisionError):
        start(run, parts=own_part(tmp_path, "measures", "moody", imports + source))
    for request in asked:
        assert answer(run, request.id).data["why"] == "training has ended at step 0"
    assert len(events(run, "refused")) == 4
    assert history(run).pending == {}
    assert states(run) == ["training", "paused", "failed"]


def test_full_disk_does_not_hide_why_training_failed(
    run: RunDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[str] = []
    write, close = EventLog.write, TableWriter.close

    def full(log: EventLog, kind: str, step: int, /, **data: object) -> Event:
        if kind == "error":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(log, kind, step, **data)

    def close_and_fail(table: TableWriter) -> None:
        closed.append(table.path.name)
        close(table)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(EventLog, "write", full)
    monkeypatch.setattr(TableWriter, "close", close_and_fail)
    with pytest.raises(ZeroDivisionError, match="the third time"):
        start(run, parts=own_part(tmp_path, "measures", "moody", FAILING_MEASURE))
    assert {"steps.npy", "tests.npy", "measures.npy", "excluded_loss_k.npy"} <= set(closed)


WILD = TINY.replace("lr = 1e-2", "lr = 1e30").replace("warmup_steps = 10", "warmup_steps = 2")


def start_wild(run: RunDirectory, on_divergence: Literal["pause", "stop"]) -> None:
    """Train with a learning rate that ends in nan; a full checkpoint before every step."""
    preset = run.path.parent.parent / "wild.toml"
    preset.write_text(WILD)
    train(run, read(preset), Catalog(), alone(on_divergence=on_divergence))


def test_divergence_pauses_and_names_the_last_good_checkpoint(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer_module, "FULL_CHECKPOINT_SECONDS", -1.0)
    asked: list[str] = []

    def wait(inbox: Inbox) -> None:
        asked.append(ask(run.path, "resume").id)

    monkeypatch.setattr(Inbox, "wait", wait)
    start_wild(run, "pause")
    losses = column(run.steps_path, "train_loss")
    first = int(np.flatnonzero(~np.isfinite(losses))[0])
    (error,) = events(run, "error")
    assert error.step == first + 1
    assert error.data == {
        "message": f"train loss is {losses[first]} at step {first}: training has diverged; "
        f"the last full checkpoint before it is that of step {first - 1}",
        "traceback": "",
        "diverged": True,
        "good": first - 1,
    }
    assert states(run) == ["training", "paused", "training", "finished"]
    assert events(run, "state")[1].step == first + 1
    assert len(asked) == 1  # somebody who goes on all the same is not stopped again
    assert len(losses) == 12


def test_divergence_ends_a_run_that_nobody_watches(run: RunDirectory) -> None:
    with pytest.raises(
        TrainingError, match="training has diverged; the last full checkpoint before it is that of step 0"
    ):
        start_wild(run, "stop")
    assert states(run) == ["training", "failed"]
    assert len(events(run, "error")) == 1
    assert len(column(run.steps_path, "train_loss")) < 12


def test_preset_that_cannot_be_built_records_nothing(run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UsageError, match="torch finds no CUDA device on this machine"):
        start(run, "device=cuda")
    preset = run.path.parent.parent / "odd.toml"
    preset.write_text(TINY.replace("d_model = 8", "d_model = 9"))
    with pytest.raises(UsageError, match="odd: d_model = 9 must be a multiple of n_heads = 2"):
        train(run, read(preset), Catalog(), alone())
    assert sorted(path.name for path in run.path.iterdir()) == ["arrays", "checkpoints"]
