"""A run as a preset: what was done to it as text, read back as what it was, and trained again to the same numbers."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import tomli_w
import torch
from typer.testing import CliRunner

from grokterm.catalog import Catalog
from grokterm.cli import app
from grokterm.engine.launch import Ended, resume, train
from grokterm.errors import GroktermError, RunError, UsageError
from grokterm.export.preset import write
from grokterm.interventions import Intervention
from grokterm.preset import Preset, of_run, read
from grokterm.run.directory import RunDirectory, create
from grokterm.run.events import EventLog, ask
from grokterm.run.fork import fork
from grokterm.run.table import Rows, read_table
from tests.hosts import alone
from tests.odd_run import Counted
from tests.run_equality import BY_THE_CLOCK
from tests.trained import CONFIG, KNOBS, by_hand, planned, trained

NAME = "2027-03-04-113000-mod23"
WHEN = {"when": "test_accuracy >= 0.5", "set": {"lr": 1e-4, "weight_decay": 0.5}, "moments": "reset"}
LATER = {"when": "test_loss < 0.1", "set": {"lr": 0.5}}


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    """A run sets torch's number of threads for its process."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def text_of(run: RunDirectory) -> str:
    """The preset of a run, which `read` takes."""
    path, progress = run.path.parent / "written.toml", Counted()
    write(run, path, progress)
    assert progress.is_complete
    text = path.read_text()
    if "--parts" not in text:
        read(path)
    return text


def preset_of(run: RunDirectory) -> Preset:
    text_of(run)
    return read(run.path.parent / "written.toml")


def schedule(run: RunDirectory) -> list[tuple[object, dict[str, float]]]:
    found = preset_of(run).interventions
    return [(entry.why if entry.at is None else entry.at, dict(entry.set)) for entry in found]


def fork_files(parent: RunDirectory, step: int, name: str, **more: Any) -> RunDirectory:
    """A fork without a trainer: files that begin at `step` and say so."""
    config = {"started": 1.9e9 + step, "parent": {"run": parent.name, "started": CONFIG["started"], "step": step}}
    return trained(parent.path.parent, name, first=step, config={**config, **more.pop("config", {})}, **more)


# What was done, as text.


def test_the_text_says_what_the_run_was_and_what_was_done(tmp_path: Path) -> None:
    run = trained(
        tmp_path,
        steps=700,
        end="stopped",
        config={"interventions": [WHEN, LATER], "device": "cuda (NVIDIA X)", "torch": "2.9.0"},
        edits=[
            by_hand(300, "weight_decay", 2.0),
            (500, "lr", 1e-4, {"moments": "reset", "scheduled": 0, "why": "test_accuracy >= 0.5"}),
            (500, "weight_decay", 0.5, {"moments": "reset", "scheduled": 0, "why": "test_accuracy >= 0.5"}),
        ],
    )
    assert (
        text_of(run)
        == f"""\
# A run of grokterm as a preset: {NAME}
#
# Trained without anybody at the keyboard it gives the curves of the run, bit for bit with the same versions on
# the same kind of machine: torch 2.9.0, python 3.11.0, cuda (NVIDIA X) with 2 threads.
#
# The run came to step 700 of 1,000; with --steps 700 the preset trains as far.

description = "a test"

[task]
name = "modular"
p = 23

[model]
name = "transformer"
d_model = 16

[optimizer]
name = "adamw"
lr = 0.001
weight_decay = 1.0
betas = [0.9, 0.98]
eps = 1e-08

[training]
steps = 1000
seed = 0
device = "cuda"
threads = 2

# step 300, by hand: weight_decay 1.0 → 2.0
[[interventions]]
at = 300
set = {{ weight_decay = 2.0 }}

# step 500, planned, test_accuracy >= 0.5: lr 0.001 → 0.0001, weight_decay 2.0 → 0.5
[[interventions]]
at = 500
set = {{ lr = 0.0001, weight_decay = 0.5 }}
moments = "reset"

# planned, and not done yet
[[interventions]]
when = "test_loss < 0.1"
set = {{ lr = 0.5 }}
"""
    )


def test_it_reads_back_as_the_run_was_told(tmp_path: Path) -> None:
    run = trained(tmp_path, edits=[by_hand(7, "beta1", 0.1 + 0.2, "reset"), by_hand(7, "test_every", 3)])
    found, config = preset_of(run), run.read_config()
    assert config is not None
    told = of_run(config, "here", Catalog())
    assert (found.task, found.model, found.optimizer) == (told.task, told.model, told.optimizer)
    assert (found.training.threads, found.training.device, found.training.seed) == (2, "cpu", 0)
    assert found.interventions == (
        Intervention(7, None, {"beta1": 0.1 + 0.2}, "reset"),
        Intervention(7, None, {"test_every": 3}, "kept"),
    )


def test_a_run_that_nobody_touched_has_no_interventions(tmp_path: Path) -> None:
    text = text_of(trained(tmp_path))
    assert "[[interventions]]" not in text
    assert "came to step" not in text


def test_only_edits_in_force_count(tmp_path: Path) -> None:
    run = trained(tmp_path, steps=400, edits=[by_hand(100, "lr", 0.1), by_hand(300, "lr", 0.3)], end="")
    log = EventLog(run.events_path)
    log.write("state", 200, state="resumed", keeps=4, checkpoint="", device="cpu", threads=2, knobs=KNOBS, why="")
    log.write("edit", 250, knob="lr", old=0.1, new=0.25, moments="kept", request="x")
    assert schedule(run) == [(100, {"lr": 0.1}), (250, {"lr": 0.25})]


def test_what_people_wrote_stays_a_comment(tmp_path: Path) -> None:
    run = trained(tmp_path, steps=200, end="", config={"preset": "a\nb", "description": 'x"\n[task]\ny = 1 \x1b[31m'})
    log = EventLog(run.events_path)
    log.write("note", 150, text="odd\r\n[[interventions]]\nat = 1\u2028set = 3 \x1b[31m \u202e \ud800" + " word" * 40)
    log.write("snapshot", 160, checkpoint="checkpoints/1", note='good\n"""')
    log.write("snapshot", 170, checkpoint="checkpoints/2", note="")
    log.write("edit", 180, knob="lr", old="1\n[x]", new=0.5, moments="kept", scheduled=99, why="\nat = 3")
    text = text_of(run)
    assert schedule(run) == [(180, {"lr": 0.5})]
    assert "\n# step 150, note: odd [[interventions]] at = 1set = 3 [31m word" in text
    assert '\n# step 160, snapshot: good """\n' in text
    assert "step 170" not in text
    assert "\n# step 180, planned, at = 3: lr 1 [x] → 0.5\n" in text
    assert all(line.isprintable() and len(line) <= 112 for line in text.splitlines())
    assert preset_of(run).description == 'x"\n[task]\ny = 1 \x1b[31m'


def test_after_a_change_of_steps_the_hint_is_another(tmp_path: Path) -> None:
    run = trained(tmp_path, steps=400, edits=[by_hand(100, "steps", 500), by_hand(200, "steps", 600)])
    assert "came to step 400 of 600; with steps = 400 in the last intervention that sets it" in text_of(run)
    done = trained(tmp_path, "done", steps=500, edits=[by_hand(100, "steps", 500)])
    assert "came to step" not in text_of(done)


def test_doubts_are_told(tmp_path: Path) -> None:
    run = trained(tmp_path, steps=700, end="")
    log = EventLog(run.events_path)
    log.write("error", 300, message="m", traceback="", diverged=True, good=200)
    log.write("error", 700, message="m", traceback="", diverged=True, good=600)
    same: dict[str, object] = {"state": "resumed", "keeps": 3, "checkpoint": "", "knobs": KNOBS, "why": ""}
    log.write("state", 600, **{**same, "keeps": 5, "device": "cpu", "threads": 2})
    log.write("state", 650, **{**same, "keeps": 6, "device": "cuda (X)", "threads": 1})
    text = " ".join(text_of(run).replace("\n# ", " ").split())
    assert f"{NAME} diverged at step 300 and was told to go on; without anybody at the keyboard training ends" in text
    assert "diverged at step 700" not in text
    assert f"{NAME} went on at step 650 on cuda (X) with 1 thread: from there the last digits may differ." in text
    assert "went on at step 600" not in text


# Forks.


def test_of_a_fork_the_parents_part_comes_first(tmp_path: Path) -> None:
    first = trained(
        tmp_path, "first", edits=[by_hand(100, "lr", 0.1), by_hand(200, "lr", 0.2), by_hand(900, "lr", 0.9)]
    )
    EventLog(first.events_path).write("error", 700, message="m", traceback="", diverged=True, good=600)
    entries = [{"at": 200, "set": {"lr": 0.2}}, {"at": 250, "set": {"eps": 1e-3}}, LATER]
    second = fork_files(
        first,
        200,
        "second",
        edits=[planned(200, "lr", 0.2, 0), planned(250, "eps", 1e-3, 1), by_hand(600, "lr", 0.6)],
        config={"interventions": entries},
    )
    third = fork_files(second, 500, "third", steps=800, edits=[by_hand(500, "lr", 0.5)])
    third_config = {**CONFIG, "started": 2e9, "parent": {"run": "second", "started": 1.9e9 + 200, "step": 500}}
    third.config_path.write_text(tomli_w.dumps({**third_config, "interventions": [LATER]}))
    assert schedule(third) == [
        (100, {"lr": 0.1}),
        (200, {"lr": 0.2}),
        (250, {"eps": 1e-3}),
        (500, {"lr": 0.5}),
        ("test_loss < 0.1", {"lr": 0.5}),
    ]
    text = text_of(third)
    assert "# The run is a fork: first came first to step 200, then second to step 500.\n" in text
    assert "# step 100, by hand in first: lr 0.001 → 0.1\n" in text
    assert "# step 200, planned in second, at 200: lr 0.001 → 0.2\n" in text
    assert "diverged" not in text


def test_a_fork_without_its_parent_is_refused(tmp_path: Path) -> None:
    parent = trained(tmp_path, "first")
    run = fork_files(parent, 200, "second")
    parent.path.rename(tmp_path / ".gone")
    with pytest.raises(RunError) as caught:
        text_of(run)
    said = "second was forked at step 200, and its parent first is not beside it"
    assert str(caught.value) == f"{said}: what was done before that step is not known"


def test_forks_in_a_circle_are_refused(tmp_path: Path) -> None:
    one = fork_files(trained(tmp_path, "other"), 200, "one")
    two = fork_files(one, 300, "two")
    for run, parent, started in ((two, "one", 1.0), (one, "two", 2.0)):
        said = {"run": parent, "started": started, "step": 300}
        run.config_path.write_text(tomli_w.dumps({**CONFIG, "started": 3.0 - started, "parent": said}))
    with pytest.raises(RunError, match=r"one/run\.toml: parent\.run leads back to two, which was made from it"):
        text_of(two)


# What no preset can say.


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"source": {"file": "x.pth"}}, f"{NAME} is an imported run: nothing says how it was trained"),
        ({"device": "tpu"}, r"run\.toml: device = 'tpu' is neither cpu nor cuda"),
        ({"task": {"name": "modular", "p": 8}}, r"run\.toml: task\.p = 8 must be an odd prime"),
        ({"model": 3}, r"run\.toml has no section \[model\]"),
        ({"interventions": [{"at": 3}]}, r"run\.toml: interventions\[0\] needs set"),
    ],
)
def test_a_run_that_no_preset_can_say_is_refused(tmp_path: Path, changes: Mapping[str, Any], sentence: str) -> None:
    with pytest.raises(GroktermError, match=sentence):
        text_of(trained(tmp_path, config=changes))
    assert not (tmp_path / "written.toml").exists()


@pytest.mark.parametrize(
    ("edit", "error", "sentence"),
    [
        ({"knob": "lr", "new": -1.0}, UsageError, r"run\.toml: interventions\[0\]\.set: lr = -1\.0: must be"),
        ({"knob": "nothing", "new": 1.0}, UsageError, r"there is no knob 'nothing'"),
        ({"knob": "lr", "new": "fast"}, RunError, r"events\.jsonl: the edit at step 5 says no knob or no number"),
        ({"knob": "lr", "new": True}, RunError, r"events\.jsonl: the edit at step 5 says no knob or no number"),
        ({"knob": "l\ud800r", "new": 1.0}, RunError, r"events\.jsonl: the edit at step 5 says no knob"),
        ({"new": 1.0}, RunError, r"events\.jsonl: the edit at step 5 says no knob"),
    ],
)
def test_an_edit_that_cannot_be_is_named(
    tmp_path: Path, edit: dict[str, object], error: type[GroktermError], sentence: str
) -> None:
    run = trained(tmp_path, steps=10)
    EventLog(run.events_path).write("edit", 5, old=1.0, moments="kept", **edit)
    with pytest.raises(error, match=sentence):
        text_of(run)


def test_parts_of_ones_own_are_named(tmp_path: Path) -> None:
    task = {"name": "mine", "sizes": [3, 4], "more": {"a b": "c"}}
    config = {"optimizer": {"name": "its", "lr": 0.1}, "training": {"steps": 1000, "seed": 0, "loss": "ours"}}
    text = text_of(trained(tmp_path, config={"task": task, **config}))
    needs = "# It needs --parts with the folder that has the task mine and the optimizer its and the loss ours.\n"
    assert needs in text
    assert '[task]\nname = "mine"\nsizes = [3, 4]\nmore = { "a b" = "c" }\n' in text


# As a person calls it.


def test_on_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    trained(tmp_path / "runs", edits=[by_hand(5, "lr", 0.1)])

    def export(*arguments: str) -> str:
        result = CliRunner().invoke(app, ["export", "mod23", "--to", "preset", *arguments])
        if isinstance(result.exception, GroktermError):
            raise result.exception
        return result.stdout

    assert export() == f"{NAME}.toml: a preset with 1 intervention; `grokterm run` trains it\n"
    assert export("--force").startswith(NAME)
    (tmp_path / "other.toml").write_text("# mine\n")
    with pytest.raises(UsageError, match=r"other\.toml is not replaced"):
        export("--out", "other.toml", "--force")


# Trained again.


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
[[interventions]]
when = "test_loss < 100"
set = { beta2 = 0.95, eps = 1e-7 }
[[interventions]]
at = 14
set = { weight_decay = 2.0 }
moments = "reset"
[[interventions]]
when = "train_loss < -1"
set = { lr = 0.0 }
"""


@pytest.fixture(scope="module")
def steered(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    """A run that was planned, steered by hand and stopped."""
    folder, before = tmp_path_factory.mktemp("steered"), torch.get_num_threads()
    (folder / "tiny.toml").write_text(TINY)
    run = create(folder / "runs", "tiny")
    for at, knob, value, moments in [(0, "lr", 0.02, "kept"), (9, "steps", 50, "kept"), (9, "test_every", 2, "kept"),
                                     (9, "lr", 0.03, "reset"), (14, "weight_decay", 1.0, "kept")]:  # fmt: skip
        ask(run.path, "set", knob=knob, value=value, moments=moments, at=at)
    ask(run.path, "stop", at=21)
    assert train(run, read(folder / "tiny.toml"), Catalog(), alone()) == Ended("stopped")
    torch.set_num_threads(before)
    return run


def train_again(run: RunDirectory, tmp_path: Path) -> RunDirectory:
    again = create(tmp_path / "runs", "again")
    assert train(again, preset_of(run), Catalog(), alone()) == Ended("finished")
    return again


def assert_equal_from(run: RunDirectory, again: RunDirectory) -> None:
    """Every row that the run recorded was recorded again, to the last bit."""
    for name in ("steps.npy", "tests.npy", "measures.npy"):
        recorded, repeated = read_table(run.path / name), read_table(again.path / name)
        first, last = recorded["step"][0], recorded["step"][-1]
        repeated = repeated[(repeated["step"] >= first) & (repeated["step"] <= last)]
        assert len(recorded) > 4
        for column in {*(recorded.dtype.names or ())} - BY_THE_CLOCK:
            assert _bytes(recorded, column) == _bytes(repeated, column), (name, column)


def _bytes(rows: Rows, column: str) -> bytes:
    content: bytes = rows[column].tobytes()
    return content


def test_trained_again_it_gives_the_same_numbers(steered: RunDirectory, tmp_path: Path) -> None:
    assert [place for place, _ in schedule(steered)] == [0, 1, 9, 9, 9, 14, 14, "train_loss < -1"]
    assert_equal_from(steered, train_again(steered, tmp_path))


def test_a_fork_trained_from_the_beginning_gives_the_same_numbers(steered: RunDirectory, tmp_path: Path) -> None:
    child = fork(steered, 16, sets={"beta1": 0.5})
    assert resume(child, Catalog(), alone(), ()) == Ended("finished")
    assert schedule(child)[-2:] == [(16, {"beta1": 0.5}), ("train_loss < -1", {"lr": 0.0})]
    assert_equal_from(child, train_again(child, tmp_path))
