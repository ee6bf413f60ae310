"""A fork, trained, is the run that would have been: bit for bit what a run gives whose knobs were turned like that."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import torch

from grokterm.catalog import Catalog
from grokterm.engine.launch import Ended, resume, train
from grokterm.errors import UsageError
from grokterm.preset import read
from grokterm.run import checkpoint
from grokterm.run.directory import RunDirectory, create
from grokterm.run.events import ask
from grokterm.run.fork import fork
from grokterm.run.lineage import Parent
from grokterm.run.table import read_table
from tests.hosts import alone
from tests.run_equality import BY_THE_CLOCK, history

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
threads = 1
device = "cpu"
"""
PLAN = (
    "at = 11\nset = { weight_decay = 2.0, eps = 1e-6 }",
    'when = "train_loss <= 1.9"\nset = { beta2 = 0.95 }\nmoments = "reset"',
    "at = 22\nset = { weight_decay = 3.0 }",
)
LAST = 26

Edit = tuple[int, str, float, str]
BY_HAND: tuple[Edit, ...] = (
    (0, "eps", 1e-7, "kept"),
    (8, "lr", 2e-2, "reset"),
    (13, "steps", LAST, "kept"),
    (13, "lr", 5e-3, "kept"),
    (19, "weight_decay", 1.0, "reset"),
)


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    """A run sets torch's number of threads for its process."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    return whole(tmp_path_factory.mktemp("parent"), BY_HAND)


def whole(folder: Path, edits: Sequence[Edit], plan: Sequence[str] = PLAN) -> RunDirectory:
    """A run that was never forked, in which these knobs were turned by hand, and those by plan."""
    run, preset = create(folder, "tiny"), folder / "tiny.toml"
    for step, knob, value, moments in edits:
        ask(run.path, "set", knob=knob, value=value, moments=moments, at=step)
    preset.write_text("\n[[interventions]]\n".join((TINY, *plan)))
    assert train(run, read(preset, (), Catalog()), Catalog(), alone()) == Ended("finished")
    return run


def trained(run: RunDirectory) -> RunDirectory:
    assert resume(run, Catalog(), alone(), ()) == Ended("finished")
    return run


def differences(made: RunDirectory, expected: RunDirectory) -> list[str]:
    """In what a fork is other than a run that was never forked, from the fork's first row on."""
    said = Parent.of(made.read_config() or {})
    assert said is not None
    found = []
    for path in (expected.steps_path, expected.tests_path, expected.measures_path, *expected.arrays.iterdir()):
        ours, theirs = read_table(made.path / path.relative_to(expected.path)), read_table(path)
        theirs = theirs[theirs["step"] >= said.step]
        names = [name for name in theirs.dtype.names or () if name not in BY_THE_CLOCK]
        found += [f"{path.name}: {name}" for name in names if ours[name].tobytes() != theirs[name].tobytes()]
    ends = [checkpoint.read(checkpoint.list_checkpoints(run.checkpoints)[-1].path) for run in (made, expected)]
    saved = ends[1].tensors.items()
    found += [name for name, tensor in saved if ends[0].tensors[name].tobytes() != tensor.tobytes()]
    found += [key for key in ("knobs", "phases", "evaluated") if ends[0].state[key] != ends[1].state[key]]
    if told(made, "phase", 0) != told(expected, "phase", 0):
        found.append("phases")
    if told(made, "edit", said.step) != told(expected, "edit", said.step):
        found.append("edits")
    return found


def told(run: RunDirectory, kind: str, first: int) -> list[tuple[int, dict[str, object]]]:
    """What the events of a kind say, but for who asked for it."""
    asked = {"request", "scheduled"} | ({"why"} if kind == "edit" else set())
    return [
        (event.step, {key: value for key, value in event.data.items() if key not in asked})
        for event in history(run).events
        if event.kind == kind and event.step >= first
    ]


@pytest.mark.parametrize("step", [0, 1, 4, 8, 9, 11, 12, 13, 14, 19, 21, 22, 25])
def test_a_fork_at_any_step_is_the_run_with_that_edit(parent: RunDirectory, tmp_path: Path, step: int) -> None:
    made = trained(fork(parent, step, sets={"steps": 28, "lr": 3e-2}, moments="reset"))
    edits = [edit for edit in BY_HAND if edit[0] < step]
    expected = whole(tmp_path, [*edits, (step, "steps", 28, "reset"), (step, "lr", 3e-2, "reset")])
    assert differences(made, expected) == []


def test_undo_after_undo_is_the_run_without_these_edits(parent: RunDirectory, tmp_path: Path) -> None:
    made = parent
    left = [(5, PLAN[:2]), (5, PLAN[:1]), (4, PLAN[:1]), (3, PLAN[:1]), (2, PLAN[:1]), (2, ()), (1, ()), (0, ())]
    for number, (by_hand, plan) in enumerate(left):
        made = trained(fork(made, None, undo=True))
        assert differences(made, whole(tmp_path / str(number), BY_HAND[:by_hand], plan)) == [], (by_hand, plan)
    with pytest.raises(UsageError, match="nothing to undo"):
        fork(made, None, undo=True)


def test_a_finished_run_is_trained_further(parent: RunDirectory, tmp_path: Path) -> None:
    made = trained(fork(parent, None, sets={"steps": 33}))
    assert read_table(made.steps_path)["step"].tolist() == list(range(LAST, 33))
    expected = whole(tmp_path, [*BY_HAND, (LAST - 1, "steps", 33, "kept")])
    assert differences(made, expected) == ["edits"]  # the one of `steps` is a step later


def test_a_fork_that_is_cut_off_goes_on(parent: RunDirectory, tmp_path: Path) -> None:
    made = fork(parent, 10, sets={"lr": 3e-2})
    ask(made.path, "stop", at=16)
    assert resume(made, Catalog(), alone(), ()) == Ended("stopped")
    expected = whole(tmp_path, [*BY_HAND[:2], (10, "lr", 3e-2, "kept")])
    assert differences(trained(made), expected) == []
