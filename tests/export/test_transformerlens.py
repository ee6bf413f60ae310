"""Weights and losses as TransformerLens's grokking demo saves them: what stands in the file, and the way back."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from typer.testing import CliRunner, Result

from grokterm.cli import app
from grokterm.errors import GroktermError, RunError, UsageError
from grokterm.export.hooked_transformer import config, state_dict
from grokterm.export.transformerlens import even_losses, every_loss
from grokterm.history import Series
from grokterm.opened import OpenedRun, open_run
from grokterm.run import recorded_task
from grokterm.run.checkpoint import list_checkpoints
from tests import foreign
from tests.random_circuit import P, random_network
from tests.recorded_networks import record_networks, write_network
from tests.terminal import TINY

NAN = float("nan")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GROKTERM_RUNS", raising=False)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def grokterm(*arguments: object) -> Result:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if isinstance(result.exception, GroktermError):
        raise result.exception
    assert result.exit_code == 0, (result.output, result.exception)
    return result


def exported(place: str, *arguments: str) -> dict[str, Any]:
    """The file that the command writes, as anybody would open it."""
    grokterm("export", place, "--to", "transformerlens", "--out", "out.pth", "--force", *arguments)
    values: dict[str, Any] = torch.load("out.pth", weights_only=True)
    return values


def recorded(steps: list[int]) -> Series:
    return Series(np.array(steps, np.int64), np.array(steps, np.float64) + 0.5)


def test_the_state_dict_has_the_keys_and_shapes_of_a_hooked_transformer() -> None:
    network = random_network(dtype=np.float32)
    d_model, heads, d_mlp = 12, 3, 20
    by_head = (heads, d_model, d_model // heads)
    assert {name: array.shape for name, array in state_dict(network).items()} == {
        "embed.W_E": (P + 1, d_model),
        "pos_embed.W_pos": (3, d_model),
        **{f"blocks.0.attn.{name}": by_head for name in ("W_Q", "W_K", "W_V")},
        "blocks.0.attn.W_O": (heads, d_model // heads, d_model),
        **{f"blocks.0.attn.{name}": (heads, d_model // heads) for name in ("b_Q", "b_K", "b_V")},
        "blocks.0.attn.b_O": (d_model,),
        "blocks.0.attn.mask": (3, 3),
        "blocks.0.attn.IGNORE": (),
        "blocks.0.mlp.W_in": (d_model, d_mlp),
        "blocks.0.mlp.b_in": (d_mlp,),
        "blocks.0.mlp.W_out": (d_mlp, d_model),
        "blocks.0.mlp.b_out": (d_model,),
        "unembed.W_U": (d_model, P),
        "unembed.b_U": (P,),
    }
    told = state_dict(network)
    assert told["blocks.0.attn.mask"].tolist() == [[True, False, False], [True, True, False], [True, True, True]]
    assert told["blocks.0.attn.IGNORE"] == -np.inf
    assert_array_equal(told["blocks.0.mlp.b_in"], network.b_in)
    assert_array_equal(told["blocks.0.mlp.b_out"], network.b_out)
    assert {name: array.dtype for name, array in told.items() if array.dtype != np.float32} == {
        "blocks.0.attn.mask": np.dtype(np.bool_)
    }


def test_the_config_says_all_that_the_function_depends_on() -> None:
    said = {
        "n_layers": 1,
        "n_heads": 3,
        "d_model": 12,
        "d_head": 4,
        "d_mlp": 20,
        "act_fn": "relu",
        "normalization_type": None,
        "d_vocab": P + 1,
        "d_vocab_out": P,
        "n_ctx": 3,
        "attention_dir": "causal",
        "positional_embedding_type": "standard",
    }
    single, double = random_network(dtype=np.float32), random_network()
    assert config(single, 7) == {**said, "seed": 7}
    assert config(double, 0) == {**said, "seed": 0, "dtype": np.float64}
    for seed in (None, 2**32, -1, True, "7"):  # those that HookedTransformerConfig would fail on
        assert config(single, seed) == said


def test_the_losses_of_every_step_before_the_last() -> None:
    assert every_loss(recorded([0, 1, 2, 3, 4]), 3).tolist() == [0.5, 1.5, 2.5]
    assert_array_equal(every_loss(recorded([2, 3]), 5), [NAN, NAN, 2.5, 3.5, NAN])  # a fork whose parent is gone
    assert every_loss(recorded([]), 5).tolist() == []


@pytest.mark.parametrize(
    ("steps", "n", "every", "expected"),
    [
        ([0, 1, 2, 3, 4], 4, 1, [1, 2, 3, 4]),  # taken after the update, as in the demo
        ([1, 2, 3, 4], 4, 1, [1, 2, 3, 4]),
        ([0, 1, 2, 3], 4, 1, [0, 1, 2, 3]),  # and before it, where the last step's is not known
        ([0, 1, 2, 4, 6, 8], 8, 2, [0, 2, 4, 6]),
        ([0, 10, 20, 30], 35, 10, [0, 10, 20, 30]),
        ([0, 10, 20, 30], 30, 10, [0, 10, 20]),
        ([0, 1, 2, 3, 4, 6, 8, 10], 10, 2, [0, 2, 4, 6, 8]),  # the cadence was changed from 1 to 2
        ([0, 2, 4, 6, 9, 12, 15, 18], 18, 6, [0, 6, 12]),  # and from 2 to 3
        ([0, 3, 8], 10, 8, [0, 8]),
        ([0, 7], 7, 7, [0]),
        ([5, 6, 7], 8, 1, []),
        ([0], 0, 1, []),
        ([], 5, 1, []),
    ],
)
def test_test_losses_that_lie_evenly(steps: list[int], n: int, every: int, expected: list[int]) -> None:
    first, found_every, losses = even_losses(recorded(steps), n)
    assert (found_every, losses.tolist()) == (every, [step + 0.5 for step in expected])
    if expected:
        assert first == expected[0]
        assert len(expected) == -(-n // every)


@pytest.fixture
def tiny(tmp_path: Path) -> OpenedRun:
    small = ("--steps", 45, "--set", "training.checkpoint_every=10", "--set", "training.measure_on_end=false")
    grokterm(
        "run", Path(__file__).parents[2] / "presets" / "mod113-quick", *TINY, *small, "--headless", "--name", "tiny"
    )
    return open_run("tiny", "runs")


def test_there_and_back_again(tiny: OpenedRun) -> None:
    said = grokterm("export", "tiny", "--to", "transformerlens").stdout
    assert said == (
        f"{tiny.name}.pth: the weights of step 45, 5 checkpoints, 45 train and 45 test losses; b_in and b_out as they "
        "were trained\n"
    )
    values = torch.load(f"{tiny.name}.pth", weights_only=True)
    assert [*values] == [
        *("grokterm export", "model", "config", "checkpoints", "checkpoint_epochs", "train_losses", "test_losses"),
        *("train_indices", "test_indices", "optimizer"),
    ]
    assert values["checkpoint_epochs"] == [9, 19, 29, 39, 44]
    assert values["grokterm export"]["run"] == tiny.name
    (group,) = values["optimizer"]["param_groups"]
    assert (group["lr"], group["weight_decay"]) == (tiny.steps["lr"][-1], tiny.steps["weight_decay"][-1])
    task = recorded_task.read(tiny.path / "task.npz")
    assert_array_equal(values["train_indices"], task.train)
    assert_array_equal(values["test_indices"], task.test)

    grokterm("import", f"{tiny.name}.pth", "--operation", "add", "--name", "back")
    back = open_run("back", "runs")
    assert [info.step for info in back.checkpoints] == [10, 20, 30, 40, 45]
    for info in back.checkpoints:
        ours, theirs = (run.checkpoint(info.step).tensors for run in (tiny, back))
        model = {name for name in ours if name.startswith("model/")}
        assert model == {*theirs}
        for name in model:
            assert_array_equal(ours[name], theirs[name])
    assert_array_equal(back.steps["step"], tiny.steps["step"])
    assert_array_equal(back.steps["train_loss"], tiny.steps["train_loss"])
    assert_array_equal(back.tests["step"], np.arange(1, 46))
    assert_array_equal(back.tests["test_loss"], tiny.tests["test_loss"][1:46])
    assert not [event for event in back.events if "test losses were taken" in str(event)]  # nothing was assumed
    again = recorded_task.read(back.path / "task.npz")
    assert_array_equal(again.train, task.train)
    assert_array_equal(again.labels, task.labels)
    assert back.config["optimizer"]["lr"] == tiny.config["optimizer"]["lr"]


def test_one_step_alone(tiny: OpenedRun) -> None:
    said = grokterm("export", "tiny@30", "--to", "transformerlens").stdout
    assert said.startswith(f"{tiny.name}@30.pth: the weights of step 30, 0 checkpoints, 30 train and 30 test losses")
    values = torch.load(f"{tiny.name}@30.pth", weights_only=True)
    assert (values["checkpoints"], values["checkpoint_epochs"]) == ([], [])
    assert_array_equal(values["model"]["embed.W_E"], tiny.checkpoint(30).tensors["model/W_E"])
    assert_array_equal(values["train_losses"], tiny.steps["train_loss"][:30])
    grokterm("import", f"{tiny.name}@30.pth", "--operation", "add", "--name", "back")
    assert [info.step for info in open_run("back", "runs").checkpoints] == [30]
    with pytest.raises(RunError, match="has no checkpoint at step 33; the nearest: 30 and 40"):
        exported("tiny@33")
    assert exported("tiny@70%")["grokterm export"]["step"] == 30


def test_a_fork_has_its_parents_losses(tiny: OpenedRun) -> None:
    grokterm("fork", "tiny@45", "--set", "lr=1e-3", "--steps", 60, "--headless", "--name", "child")
    fork = open_run("child", "runs")
    begins = int(fork.steps["step"][0])
    assert begins == 45
    values = exported("child")
    expected = [*tiny.steps["train_loss"][:begins], *fork.steps["train_loss"]]
    assert_array_equal(values["train_losses"], expected)
    assert_array_equal(values["test_losses"], [*tiny.tests["test_loss"][1:45], *fork.tests["test_loss"][:16]])
    assert values["optimizer"]["param_groups"][0]["lr"] == 1e-3
    tiny.path.rename(tiny.path.with_name("elsewhere"))
    (tiny.path.with_name("elsewhere") / "run.toml").unlink()
    alone = exported("child")
    assert_array_equal(alone["train_losses"], [NAN] * begins + fork.steps["train_loss"].tolist())
    assert alone["test_losses"] == []


@pytest.mark.parametrize("layout", ["nanda", "demo"])
def test_an_imported_run_goes_back_to_what_it_came_from(tmp_path: Path, layout: str) -> None:
    trained = foreign.trained()
    values = foreign.nanda(trained) if layout == "nanda" else foreign.demo(trained)
    grokterm("import", foreign.saved(tmp_path, values), "--name", "theirs")
    back = exported("theirs")
    assert back["train_losses"] == values["train_losses"]
    assert back["test_losses"] == values["test_losses"]
    assert back["checkpoint_epochs"] == values.get("checkpoint_epochs", [foreign.EPOCHS - 1])
    assert sorted(back["train_indices"].tolist()) == sorted(trained.train_rows)
    expected = foreign.in_layout("TransformerLens", trained.states[-1])
    assert back["model"].keys() == expected.keys()
    for name, tensor in expected.items():
        if not name.endswith("IGNORE"):
            assert_array_equal(back["model"][name], tensor)
    assert ("seed" in back["config"], "optimizer" in back) == (False, False)  # neither is known


@pytest.mark.parametrize("layout", ["nanda", "demo"])
def test_losses_keep_their_steps_on_the_way_out_and_in_again(tmp_path: Path, layout: str) -> None:
    trained = foreign.trained()
    values = foreign.nanda(trained) if layout == "nanda" else foreign.demo(trained)
    grokterm("import", foreign.saved(tmp_path, values), "--name", "theirs")
    mark = exported("theirs")["grokterm export"]
    assert (mark["first_test_step"], mark["test_every"]) == ((0, 10) if layout == "nanda" else (1, 1))
    grokterm("import", "out.pth", "--name", "again")
    theirs, again = open_run("theirs", "runs"), open_run("again", "runs")
    assert theirs.tests["step"][0] == (0 if layout == "nanda" else 1)
    for before, after, name in ((theirs.steps, again.steps, "train_loss"), (theirs.tests, again.tests, "test_loss")):
        assert_array_equal(after["step"], before["step"])
        assert_array_equal(after[name], before[name])


def test_weights_without_losses(tmp_path: Path) -> None:
    weights = foreign.in_layout("TransformerLens", foreign.trained().states[-1])
    grokterm("import", foreign.saved(tmp_path, weights), "--name", "bare")
    back = exported("bare")
    assert (back["train_losses"], back["test_losses"], back["checkpoints"]) == ([], [], [])
    assert back["model"]["unembed.W_U"].shape == (16, foreign.P)
    values = {name: value for name, value in foreign.demo(foreign.trained()).items() if not name.endswith("losses")}
    grokterm("import", foreign.saved(tmp_path, values), "--name", "states")
    back = exported("states")  # what the import measured of the checkpoints is no record of training
    assert (back["train_losses"], back["test_losses"]) == ([], [])
    assert back["checkpoint_epochs"] == values["checkpoint_epochs"]


def test_double_precision_stays(tmp_path: Path) -> None:
    run = record_networks(tmp_path / "runs")
    assert list_checkpoints(run.checkpoints)
    values = exported("recorded")
    assert values["config"]["dtype"] == torch.float64
    assert values["model"]["embed.W_E"].dtype == values["checkpoints"][0]["unembed.b_U"].dtype == torch.float64


def test_a_damaged_checkpoint_is_left_out_and_named(tmp_path: Path) -> None:
    run = record_networks(tmp_path / "runs")
    for step in (200, 400):
        path = run.checkpoints / f"{step:09d}.safetensors"
        path.write_bytes(path.read_bytes()[:-100])
    said = grokterm("export", "-", "--to", "transformerlens", "--out", "out.pth").stdout
    assert said.startswith("out.pth: the weights of step 300, 2 checkpoints, 300 train and 300 test losses")
    assert said.count("left out: ") == 2
    with pytest.raises(RunError, match=r"000000200.safetensors cannot be read"):
        exported("@200")


def test_a_run_that_cannot_be_asked_is_refused(tmp_path: Path) -> None:
    run = record_networks(tmp_path / "runs", (100,))
    write_network(run, 100, random_network(13), kind="full")
    with pytest.raises(RunError, match=r"000000100.safetensors: what was learned is not a function of all pairs"):
        exported("-")
    run.task_path.unlink()
    with pytest.raises(RunError, match=r"has no task.npz"):
        exported("-")
    assert not Path("out.pth").exists()


def test_the_step_is_for_this_format_and_only_an_export_is_replaced(tmp_path: Path) -> None:
    record_networks(tmp_path / "runs")
    with pytest.raises(UsageError, match="RUN@STEP is not for --to npz; it is for --to transformerlens"):
        grokterm("export", "recorded@200", "--to", "npz")
    assert exported("-")
    assert exported("-")  # with --force it replaces what it wrote
    torch.save({"model": torch.zeros(3)}, "out.pth")
    with pytest.raises(UsageError, match=r"out.pth is not replaced: it is no file that such an export writes"):
        exported("-")
