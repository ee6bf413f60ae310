"""Whole imports: what stands in the run directory, against the file and against a live run's own measures."""

import copy
import math
import tomllib
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from grokterm.catalog import Catalog
from grokterm.engine.building import measures_of
from grokterm.engine.evaluation import Evaluation
from grokterm.errors import RunError, UsageError
from grokterm.history import History
from grokterm.importers import recording
from grokterm.importers.choices import Choices, Split
from grokterm.importers.phases import phases
from grokterm.importers.plan import plan
from grokterm.importers.recording import record
from grokterm.models.transformer import Transformer
from grokterm.preset import read
from grokterm.run import checkpoint
from grokterm.run.checkpoint import list_checkpoints
from grokterm.run.directory import RunDirectory, create
from grokterm.run.table import read_table
from grokterm.tasks.modular import modular
from tests import foreign, reference
from tests.foreign import EPOCHS, EVERY

NOON = datetime(2027, 3, 4, 12)


class Counted:
    """Counts what progress is told."""

    def __init__(self) -> None:
        self.total = self.done = 0

    def begin(self, total: int, before: int = 0) -> None:
        self.total = total

    def advance(self, more: int) -> None:
        self.done += more


def imported(folder: Path, values: Any, choices: Choices | None = None) -> RunDirectory:
    path = values if isinstance(values, Path) else foreign.saved(folder, values)
    progress = Counted()
    run = record(plan(path, choices or Choices()), folder / "runs", path.stem, progress).run
    assert progress.done == progress.total == len(list_checkpoints(run.checkpoints))
    assert [entry.name for entry in (folder / "runs").iterdir() if entry.name.startswith(".")] == []
    return run


def told(run: RunDirectory) -> str:
    history = History(run)
    history.poll()
    return "\n".join(str(note.data["text"]) for note in history.notes)


def test_a_file_of_nandas_code_becomes_an_ordinary_run(tmp_path: Path) -> None:
    trained = foreign.trained()
    run = imported(tmp_path, foreign.nanda(trained))
    steps, tests = read_table(run.steps_path), read_table(run.tests_path)
    assert steps.dtype.names == ("step", "train_loss")
    assert steps["step"].tolist() == list(range(EPOCHS))
    assert steps["train_loss"].tolist() == [train for train, _ in trained.losses[:EPOCHS]]
    assert tests["step"].tolist() == list(range(0, EPOCHS, 10))
    assert tests["test_loss"].tolist() == [test for _, test in trained.losses[:EPOCHS:10]]
    measures = read_table(run.measures_path)
    assert measures["step"].tolist() == [EPOCHS]
    train, test = trained.losses[EPOCHS]
    assert measures["train_loss"][0] == pytest.approx(train, rel=1e-5)
    assert measures["test_loss"][0] == pytest.approx(test, rel=1e-5)
    history = History(run)
    history.poll()
    assert (history.state, history.step, history.phases) == ("finished", EPOCHS, [])
    assert history.knobs == {"steps": EPOCHS}


def test_a_file_of_the_demo_of_transformer_lens_keeps_every_checkpoint(tmp_path: Path) -> None:
    """Test loss e and checkpoint e were taken after update e: they describe step e + 1."""
    trained = foreign.trained()
    run = imported(tmp_path, foreign.demo(trained))
    tests = read_table(run.tests_path)
    assert tests["step"].tolist() == list(range(1, EPOCHS + 1))
    assert tests["test_loss"].tolist() == [test for _, test in trained.losses[1:]]
    expected = list(range(EVERY, EPOCHS + 1, EVERY))
    assert [info.step for info in list_checkpoints(run.checkpoints)] == expected
    measures = read_table(run.measures_path)
    assert measures["step"].tolist() == expected
    for info in list_checkpoints(run.checkpoints):
        stored = checkpoint.read(info.path)
        assert (stored.kind, stored.step) == ("weights", info.step)
        assert stored.tensors.keys() == {f"model/{name}" for name in trained.states[0]}
        for name, weight in trained.states[info.step].items():
            np.testing.assert_array_equal(stored.tensors[f"model/{name}"], weight.numpy())
    for row in measures:
        assert row["train_loss"] == pytest.approx(trained.losses[row["step"]][0], rel=1e-5)
        assert row["test_loss"] == pytest.approx(trained.losses[row["step"]][1], rel=1e-5)


def test_what_is_measured_is_what_a_live_run_measures(tmp_path: Path) -> None:
    trained = foreign.trained()
    run = imported(tmp_path, foreign.demo(trained))
    task = modular(p=foreign.P, split="torch", split_seed=598, train_fraction=foreign.FRACTION)
    model = Transformer(task, d_model=16, n_heads=2, d_mlp=32)
    model.load_state_dict(trained.states[EVERY])
    evaluation = Evaluation(model, task)
    row = read_table(run.measures_path)[0]
    names = {"step", "seconds", "train_loss", "train_accuracy", "test_loss", "test_accuracy"}
    for measure, function in measures_of(evaluation, Catalog()).items():
        result = evaluation.compute(function)
        for name, value in (result if isinstance(result, dict) else {measure: result}).items():
            if value.ndim:
                table = read_table(run.arrays / f"{name}.npy")
                assert table["step"].tolist() == list(range(EVERY, EPOCHS + 1, EVERY))
                np.testing.assert_allclose(table["value"][0], value.numpy(), rtol=1e-6)
            else:
                names.add(name)
                assert row[name] == pytest.approx(float(value), rel=1e-9)
    assert set(row.dtype.names or ()) == names


def test_the_engine_can_build_task_and_model_from_run_toml(tmp_path: Path) -> None:
    """The sections are a preset's."""
    trained = foreign.trained("subtract", "python", 3)
    run = imported(tmp_path, foreign.nanda(trained))
    config = tomllib.loads(run.config_path.read_text())
    assert (config["format"], config["preset"]) == (1, "imported")
    assert config["description"] == "imported from run.pth (Nanda's own layout)"
    assert config["source"]["file"] == "run.pth"
    assert config["source"]["bytes"] == (tmp_path / "run.pth").stat().st_size
    sections = ("task", "model", "optimizer", "training")
    import tomli_w

    (tmp_path / "preset.toml").write_text(tomli_w.dumps({name: config[name] for name in sections}))
    preset = read(tmp_path / "preset.toml")
    assert preset.training.steps == EPOCHS
    assert preset.training.test_every == 10
    task = Catalog().load("tasks", preset.task.name)(**preset.task.settings)
    assert task.train.tolist() == trained.train_rows
    assert torch.equal(task.labels, modular(p=foreign.P, operation="subtract").labels)
    model = Catalog().load("models", preset.model.name)(task, **preset.model.settings)
    model.load_state_dict(trained.states[-1])


@pytest.mark.parametrize("kind", ["pt", "safetensors", "ours"])
def test_weights_alone_are_step_0_unless_the_file_says_otherwise(tmp_path: Path, kind: str) -> None:
    from safetensors.torch import save_file

    state = foreign.trained().states[-1]
    path = tmp_path / f"weights.{kind}"
    if kind == "ours":
        tensors = {f"model/{name}": weight.numpy() for name, weight in state.items()}
        path = checkpoint.write(tmp_path, 12_345, tensors, kind="full")
    elif kind == "safetensors":
        turned = foreign.in_layout("Nanda", state)
        save_file({name: weight.contiguous() for name, weight in turned.items()}, path)
    else:
        torch.save(foreign.in_layout("TransformerLens", state), path)
    run = imported(tmp_path, path)
    step = 12_345 if kind == "ours" else 0
    assert not run.steps_path.exists()
    assert not run.tests_path.exists()
    assert read_table(run.measures_path)["step"].tolist() == [step]
    assert ("the weights are step 0" in told(run)) == (step == 0)
    history = History(run)
    history.poll()
    assert (history.step, history.state) == (step, "finished")
    assert history.series("train_loss").values == pytest.approx([foreign.trained().losses[-1][0]], rel=1e-5)


def test_a_recorded_nan_is_data(tmp_path: Path) -> None:
    values = foreign.nanda(foreign.trained())
    values["train_losses"][5], values["test_losses"][-1] = float("nan"), float("inf")
    run = imported(tmp_path, values)
    assert np.flatnonzero(np.isnan(read_table(run.steps_path)["train_loss"])).tolist() == [5]
    assert read_table(run.tests_path)["test_loss"][-1] == np.inf


def test_weights_of_nothing_but_nan_are_refused(tmp_path: Path) -> None:
    values = foreign.nanda(foreign.trained())
    values["model"] = {name: torch.full_like(weight, torch.nan) for name, weight in values["model"].items()}
    with pytest.raises(UsageError, match=r"run\.pth: W_E holds NaN or infinity, so there is nothing to measure"):
        imported(tmp_path, values)
    assert not (tmp_path / "runs").exists()


def test_a_run_that_diverged_at_its_end_is_imported_with_its_broken_checkpoints(tmp_path: Path) -> None:
    values = copy.deepcopy(foreign.demo(foreign.trained()))
    for state in (values["model"], values["checkpoints"][-1]):
        state["blocks.0.mlp.W_in"].fill_(torch.nan)
    run = imported(tmp_path, values)
    assert f"1 of them hold NaN or infinity, from step {EPOCHS} on" in told(run)
    assert "left out" not in told(run)
    measures = read_table(run.measures_path)
    assert np.isnan(measures["test_loss"]).tolist() == [False] * (EPOCHS // EVERY - 1) + [True]
    assert measures["test_accuracy"][-1] == 0.0


def test_phases_are_named_only_where_all_of_them_could_be(tmp_path: Path) -> None:
    values = foreign.nanda(foreign.trained())
    values["train_losses"] = [3 * math.exp(-epoch / 10) + 1e-3 for epoch in range(EPOCHS)]
    far_apart = imported(tmp_path, values, Choices(lr=1e-2, weight_decay=1.0))  # one checkpoint, at the end
    assert "no phases are named: accuracies are known at checkpoints only" in told(far_apart)
    assert "no phases are named: their clock is lr" in told(imported(tmp_path, values))
    history = History(far_apart)
    history.poll()
    assert history.phases == []
    assert history.knobs == {"lr": 0.01, "weight_decay": 1.0, "steps": EPOCHS}
    values = foreign.demo(foreign.trained()) | {"config": {"lr": 1e-2, "weight_decay": 0.5}}
    values["train_losses"] = [3 * math.exp(-epoch / 10) + 1e-3 for epoch in range(EPOCHS)]
    close = imported(tmp_path, values)
    assert "no phases" not in told(close)
    history = History(close)
    history.poll()
    assert [phase.phase for phase in history.phases][:2] == ["memorization", "circuit formation"]


@pytest.mark.parametrize(("weight_decay", "named"), [(0.5, True), (1.0, False)])
def test_accuracies_name_phases_only_where_checkpoints_are_close(
    tmp_path: Path, weight_decay: float, named: bool
) -> None:
    """Checkpoints are 20 steps apart; the rule looks back a tenth of 1 / (lr · weight decay): 20 steps, or 10."""
    values = foreign.demo(foreign.trained()) | {"config": {"lr": 1e-2, "weight_decay": weight_decay}}
    found = plan(foreign.saved(tmp_path, values), Choices())
    rows = [(step, {"test_accuracy": step / EPOCHS, "weight_norm_sq": 1.0}) for step, _ in found.states]
    changes = {change.name: (step, change.at) for step, change in phases(found, rows)}
    assert changes.get("cleanup") == ((EPOCHS // 2, EPOCHS // 2) if named else None)


def test_settings_of_the_optimizer_are_kept(tmp_path: Path) -> None:
    values = foreign.nanda(foreign.trained())
    group = {"lr": 0.01, "betas": (0.9, 0.98), "eps": 1e-8, "weight_decay": 1.0, "params": [0, 1]}
    values["optimizer"] = {"state": {0: {"exp_avg": torch.zeros(3)}}, "param_groups": [group]}
    run = imported(tmp_path, values)
    config = tomllib.loads(run.config_path.read_text())
    assert config["optimizer"] == {
        "name": "adamw",
        "lr": 0.01,
        "weight_decay": 1.0,
        "betas": [0.9, 0.98],
        "eps": 1e-8,
    }
    history = History(run)
    history.poll()
    assert history.knobs == {
        "lr": 0.01, "weight_decay": 1.0, "eps": 1e-8, "beta1": 0.9, "beta2": 0.98, "steps": EPOCHS,
    }  # fmt: skip
    assert "the paper's" not in told(run)


def test_a_wrong_split_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--split python:1 does not fit the weights, --split torch:598 does"):
        imported(tmp_path, foreign.nanda(foreign.trained()), Choices(split=Split("python", 1)))
    assert not (tmp_path / "runs").exists()


def test_losses_that_are_not_one_an_epoch_are_refused(tmp_path: Path) -> None:
    values = foreign.demo(foreign.trained())
    values["train_losses"] = values["train_losses"][::10]
    values["test_losses"] = values["test_losses"][::10]
    with pytest.raises(UsageError, match=r"its checkpoints reach epoch 199 and it has 20 train losses; an import"):
        imported(tmp_path, values)


def test_final_weights_stand_where_the_last_checkpoint_does_and_that_is_said(tmp_path: Path) -> None:
    values = foreign.demo(foreign.trained())
    values["checkpoints"][-1] = foreign.in_layout("TransformerLens", foreign.trained().states[EPOCHS - 1])
    run = imported(tmp_path, values)
    assert f"left out: the checkpoint of step {EPOCHS}, in favour of the final weights" in told(run)
    last = checkpoint.read(list_checkpoints(run.checkpoints)[-1].path)
    np.testing.assert_array_equal(last.tensors["model/W_E"], foreign.trained().states[-1]["W_E"].numpy())


def test_checkpoints_of_two_models_are_refused(tmp_path: Path) -> None:
    values = foreign.demo(foreign.trained())
    values["checkpoints"][0] = foreign.in_layout("Nanda", foreign.trained().states[0])
    with pytest.raises(UsageError, match="its checkpoints are not of one model"):
        imported(tmp_path, values)


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_an_import_that_fails_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise error

    found = plan(foreign.saved(tmp_path, foreign.nanda(foreign.trained())), Choices())
    monkeypatch.setattr(checkpoint, "write", fails)
    with pytest.raises((RunError, KeyboardInterrupt)) as raised:
        record(found, tmp_path / "new" / "runs", "x", Counted())
    if isinstance(error, OSError):
        assert str(raised.value).endswith("/new/runs: No space left on device")
    assert not (tmp_path / "new").exists()
    (tmp_path / "new" / "runs").mkdir(parents=True)
    with pytest.raises((RunError, KeyboardInterrupt)):
        record(found, tmp_path / "new" / "runs", "x", Counted())
    assert list((tmp_path / "new" / "runs").iterdir()) == []


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "runs").touch()
    with pytest.raises(UsageError, match=r"the runs directory .*runs cannot be written"):
        imported(tmp_path, foreign.nanda(foreign.trained()))


def test_a_name_that_is_taken_gets_a_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "create", lambda runs, label: create(runs, label, NOON))
    values = foreign.nanda(foreign.trained())
    names = [imported(tmp_path, values).name for _ in range(3)]
    assert names == ["2027-03-04-120000-run", "2027-03-04-120000-run-2", "2027-03-04-120000-run-3"]


@cache
def of_reference(name: str, folder: Path) -> History:
    run = record(plan(reference.FOLDER / name, Choices()), folder, name, Counted()).run
    history = History(run)
    history.poll()
    return history


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("references")


REFERENCE_VALUES = {
    "train_loss": ("loss_f64fwd", "train"),
    "test_loss": ("loss_f64fwd", "test"),
    "train_accuracy": ("acc", "train"),
    "test_accuracy": ("acc", "test"),
    "restricted_loss": ("restricted_10dir", "all"),
    "excluded_loss": ("excluded_2D_full", "train"),
    "excluded_loss_max": ("excluded_2D_max56",),
    "logit_fve": ("logit_approx", "fve_rowcentred"),
    "gini_embedding": ("gini_WE", "components113"),
    "gini_unembedding": ("gini_WL", "components113"),
    "neurons_in_clusters": ("n_neurons_ge_0.85",),
}


@reference.needed
@pytest.mark.parametrize("name", reference.NAMES)
def test_reference_files_give_the_expected_numbers(name: str, folder: Path) -> None:
    history = of_reference(name, folder)
    rows = read_table(history.run.measures_path)
    for column, path in REFERENCE_VALUES.items():
        wanted: Any = reference.load(name).expected
        for key in path:
            wanted = wanted[key]
        assert rows[column] == pytest.approx([wanted], rel=1e-4), column
    clusters = history.array("neuron_clusters").values[0]
    assert (np.flatnonzero(clusters) + 1).tolist() == reference.load(name).expected["keys_neuron085"]


@reference.needed
def test_the_50_000_epochs_of_the_reference_are_kept_bit_for_bit(folder: Path) -> None:
    history = of_reference(reference.NANDA, folder)
    stored = torch.load(reference.FOLDER / reference.NANDA, weights_only=True, map_location="cpu")
    steps, tests = read_table(history.run.steps_path), read_table(history.run.tests_path)
    assert steps["step"].tolist() == list(range(50_000))
    assert steps["train_loss"].tobytes() == np.array(stored["train_losses"], np.float64).tobytes()
    assert tests["step"].tolist() == list(range(0, 50_000, 10))
    assert tests["test_loss"].tobytes() == np.array(stored["test_losses"], np.float64).tobytes()
    assert (history.step, history.state) == (50_000, "finished")
