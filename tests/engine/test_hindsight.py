"""Measuring with hindsight: the keys of the end at every checkpoint, by one process or several, whatever happens."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from grokterm.catalog import Catalog
from grokterm.circuit.circuit import Circuit
from grokterm.circuit.network import Network
from grokterm.engine import hindsight
from grokterm.engine.building import measures_of, task_and_model
from grokterm.engine.evaluation import Evaluation
from grokterm.engine.hindsight import Done, measure
from grokterm.engine.launch import Ended, resume, train
from grokterm.engine.state import restore
from grokterm.engine.workers import most
from grokterm.errors import RunError, UsageError
from grokterm.importers.choices import Choices
from grokterm.importers.plan import plan
from grokterm.importers.recording import record
from grokterm.preset import read
from grokterm.run import recorded_task
from grokterm.run.checkpoint import list_checkpoints
from grokterm.run.checkpoint import read as read_checkpoint
from grokterm.run.directory import RunDirectory, create
from grokterm.run.events import ask
from grokterm.run.fork import fork
from grokterm.run.hindsight import read_about, remove, rows_in
from grokterm.run.lock import Lock
from grokterm.run.table import cut_after, read_table
from tests import foreign
from tests.hosts import alone

ROOT = Path(__file__).parents[2]
TINY = """
[task]
name = "modular"
p = 5
train_fraction = 0.5
[model]
name = "transformer"
d_model = 8
n_heads = 2
d_mlp = 12
[optimizer]
name = "adamw"
lr = 1e-2
weight_decay = 1.0
[training]
steps = 60
seed = 2
measure_every = 20
checkpoint_every = 20
threads = 1
device = "cpu"
"""
STEPS = [0, 20, 40, 60]
BY_KEYS = {"restricted_loss", "excluded_loss", "logit_fve", "logit_cosines_loss"}


class Told:
    """A progress that counts, and does something when so many checkpoints are done."""

    def __init__(self, at: int = -1, do: Callable[[], object] = lambda: None) -> None:
        self.total = self.done = 0
        self._at, self._do = at, do

    def begin(self, total: int, before: int = 0) -> None:
        self.total, self.done = total, before

    def advance(self, more: int) -> None:
        self.done += more
        if more and self.done == self._at:
            self._do()


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return trained(tmp_path)


def trained(folder: Path, text: str = TINY, parts: Path | None = None) -> RunDirectory:
    made, preset, catalog = create(folder / "runs", "tiny"), folder / "tiny.toml", Catalog(parts)
    preset.write_text(text)
    train(made, read(preset, (), catalog), catalog, alone())
    return made


def measured(run: RunDirectory, *, parts: Path | None = None, workers: int | None = None, again: bool = False) -> Done:
    return measure(run, Catalog(parts), Told(), workers=workers, again=again)


def own_measure(folder: Path, body: str) -> Path:
    """A folder of parts with one measure, `mine`."""
    (folder / "parts" / "measures").mkdir(parents=True, exist_ok=True)
    imports = "import multiprocessing, os, signal\nfrom pathlib import Path\nfrom grokterm.catalog import part\n"
    (folder / "parts" / "measures" / "mine.py").write_text(f"{imports}{body}")
    return folder / "parts"


def test_every_checkpoint_is_measured_with_the_keys_of_the_last(run: RunDirectory) -> None:
    progress = Told()
    done = measure(run, Catalog(), progress)
    rows, live = read_table(run.hindsight_path), read_table(run.measures_path)
    assert rows["step"].tolist() == live["step"].tolist() == STEPS
    assert (progress.total, progress.done, done.computed, done.workers, done.problems) == (4, 4, 4, 0, ())
    assert done.about.key_frequencies
    assert done.about == read_about(run)
    assert done.about.complete
    ones = {*(live.dtype.names or ())} - {"seconds", "measures_share"}
    for name in ones - BY_KEYS - {"restricted_loss_train", "restricted_loss_test"}:
        np.testing.assert_allclose(rows[name], live[name], rtol=1e-5, err_msg=name)
    np.testing.assert_allclose(rows["restricted_loss"][-1], live["restricted_loss"][-1], rtol=1e-5)
    assert not np.allclose(rows["restricted_loss"], live["restricted_loss"])
    assert {"rqi", "excluded_loss_3d"} <= {*(rows.dtype.names or ())}
    assert np.load(run.hindsight / "loss_without_head.npy")["value"].shape == (4, 2)


def test_key_frequencies_are_given_to_the_measures(run: RunDirectory) -> None:
    keys = measured(run).about.key_frequencies
    catalog = Catalog()
    preset = read(run.path.parents[1] / "tiny.toml", (), catalog)
    task, model = task_and_model(preset, catalog, torch.device("cpu"))
    optimizer = torch.optim.AdamW(model.parameters())
    restore(model, optimizer, read_checkpoint(list_checkpoints(run.checkpoints)[1].path).tensors)
    mask = torch.tensor([k in keys for k in (1, 2)])
    evaluation = Evaluation(model, task, key_frequencies=mask)
    numbers, _ = evaluation.results(measures_of(evaluation, catalog))
    row = read_table(run.hindsight_path)[1]
    for name in BY_KEYS:
        assert row[name] == pytest.approx(numbers[name], rel=1e-6), name


def test_key_frequencies_are_given_to_the_measures_of_the_circuit_too(run: RunDirectory) -> None:
    keys = measured(run).about.key_frequencies
    network = Network.of(read_checkpoint(list_checkpoints(run.checkpoints)[0].path).tensors)
    task = recorded_task.read(run.task_path)
    assert Circuit(network, task).keys != [*keys]  # its own are others
    circuit = Circuit(network, task, key_frequencies=np.isin([1, 2], keys))
    found = read_table(run.hindsight_path)[0]
    for measure_of in ("ablations", "excluded_loss_3d", "key_shares"):
        for name, expected in Catalog().load("measures", measure_of)(circuit).items():
            is_here = name in (found.dtype.names or ())
            value = found[name] if is_here else read_table(run.hindsight / f"{name}.npy")[0]["value"]
            np.testing.assert_allclose(value, expected, rtol=1e-6, err_msg=name)


def test_a_second_time_there_is_nothing_to_do_unless_again(run: RunDirectory) -> None:
    first = measured(run)
    before = run.hindsight_path.read_bytes()
    assert measured(run).computed == 0
    assert run.hindsight_path.read_bytes() == before
    again = measured(run, again=True)
    assert (again.computed, again.about) == (4, first.about)
    assert run.hindsight_path.read_bytes() == before


def test_an_interrupted_measuring_goes_on(run: RunDirectory) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure(run, Catalog(), Told(2, interrupt))
    about = read_about(run)
    assert about is not None
    assert not about.complete
    assert rows_in(run) == 2
    progress = Told()
    assert measure(run, Catalog(), progress).computed == 2
    assert (progress.total, progress.done) == (4, 4)
    assert read_table(run.hindsight_path)["step"].tolist() == STEPS


def test_workers_measure_the_same_in_the_same_order(run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    measured(run)
    here = {path: read_table(path) for path in (run.hindsight_path, *run.hindsight.glob("*.npy"))}
    monkeypatch.setattr(hindsight, "HERE_SECONDS", 0.0)
    done = measured(run, workers=2, again=True)
    assert (done.workers, done.computed) == (2, 4)
    for path, rows in here.items():
        theirs = read_table(path)
        for name in rows.dtype.names or ():
            np.testing.assert_allclose(theirs[name], rows[name], rtol=1e-4, atol=1e-9, err_msg=f"{path.name}: {name}")


def test_a_worker_that_dies_is_told_and_what_is_done_is_kept(
    tmp_path: Path, run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    dying = """
@part
def mine(parameters) -> float:
    if multiprocessing.parent_process() is not None and not Path(__file__).with_suffix(".alive").exists():
        os.kill(os.getpid(), signal.SIGKILL)
    return 1.0
"""
    parts = own_measure(tmp_path, dying)
    monkeypatch.setattr(hindsight, "HERE_SECONDS", 0.0)
    with pytest.raises(
        RunError, match=r"a worker process has died \(signal 9 ended it, as the system does when memory"
    ):
        measured(run, parts=parts, workers=1)
    assert rows_in(run) == 0
    (parts / "measures" / "mine.alive").touch()
    assert measured(run, parts=parts, workers=1).computed == 4
    assert read_table(run.hindsight_path)["mine"].tolist() == [1.0] * 4


def test_checkpoints_that_cannot_be_read_are_left_out_and_told(run: RunDirectory) -> None:
    infos = list_checkpoints(run.checkpoints)
    infos[1].path.write_bytes(b"torn")
    infos[3].path.write_bytes(infos[3].path.read_bytes()[:-1])
    done = measured(run)
    assert read_table(run.hindsight_path)["step"].tolist() == [0, 40]
    assert (done.about.final_step, done.about.skipped, done.about.checkpoints) == (40, (20, 60), 4)
    assert done.about.complete
    assert [infos[index].path.name in problem for index, problem in zip((3, 1), done.problems, strict=True)] == [
        True
    ] * 2
    assert measured(run).computed == 0


def test_a_run_without_a_usable_checkpoint_is_refused(run: RunDirectory) -> None:
    for info in list_checkpoints(run.checkpoints):
        info.path.write_bytes(b"torn")
    with pytest.raises(RunError, match=r"none of its 4 checkpoints can be measured: .*000000060\.safetensors"):
        measured(run)
    for info in list_checkpoints(run.checkpoints):
        info.path.unlink()
    with pytest.raises(RunError, match="has no checkpoint, so there is nothing to measure"):
        measured(run)
    with pytest.raises(RunError, match=r"has no run\.toml"):
        measured(RunDirectory(run.path / "nowhere"))


def test_weights_of_another_model_are_left_out(run: RunDirectory) -> None:
    text = run.config_path.read_text()
    run.config_path.write_text(text.replace("d_mlp = 12", "d_mlp = 16"))
    with pytest.raises(RunError, match=r"holds another model than run\.toml describes"):
        measured(run)


def test_a_run_without_clusters_is_measured_with_the_empty_set(tmp_path: Path) -> None:
    run = trained(tmp_path, TINY.replace("p = 5", "p = 23").replace("steps = 60", "steps = 20"))
    done = measured(run)
    assert done.about.key_frequencies == ()
    rows = read_table(run.hindsight_path)
    assert np.isfinite(rows["restricted_loss"]).all()
    assert rows["excluded_loss"][0] == pytest.approx(read_table(run.steps_path)["train_loss"][0], rel=1e-5)
    assert (rows["logit_fve"] == 0).all()


def test_a_trained_run_is_refused(run: RunDirectory) -> None:
    with Lock(run), pytest.raises(RunError, match="is being trained; it can be measured when training has ended"):
        measured(run)
    assert not run.hindsight.exists()


def test_a_run_that_is_resumed_meanwhile_is_let_go_of(run: RunDirectory) -> None:
    with Lock(run) as trainer:
        trainer.__exit__(None, None, None)
        progress = Told(2, trainer.__enter__)
        with pytest.raises(RunError, match="is being trained again, so its hindsight ends here"):
            measure(run, Catalog(), progress)
    assert [path.name for path in run.hindsight.iterdir()] == ["lock"]
    assert not run.hindsight_path.exists()


def test_a_run_that_was_resumed_and_ended_meanwhile_is_let_go_of(run: RunDirectory) -> None:
    def resumed() -> None:
        with Lock(run):
            remove(run)

    with pytest.raises(RunError, match="was trained again, so its hindsight ends here"):
        measure(run, Catalog(), Told(4, resumed))
    assert [path.name for path in run.hindsight.iterdir()] == ["lock"]


def test_a_run_that_is_renamed_meanwhile_is_let_go_of(run: RunDirectory) -> None:
    elsewhere = run.path.with_name("elsewhere")
    with pytest.raises(RunError, match="was moved or removed while it was being measured"):
        measure(run, Catalog(), Told(2, lambda: run.path.rename(elsewhere)))
    assert not run.path.exists()
    moved = RunDirectory(elsewhere)
    assert rows_in(moved) == 2
    assert measured(moved).computed == 2


def test_resuming_removes_what_holds_no_longer(run: RunDirectory) -> None:
    measured(run)
    ask(run.path, "set", knob="steps", value=80, moments="kept")
    assert resume(run, Catalog(), alone(), ()) == Ended("finished")
    assert not run.hindsight_path.exists()
    assert read_about(run) is None
    done = measured(run)
    assert (done.about.final_step, done.computed) == (80, 5)


def test_a_fork_measures_its_own_checkpoints(run: RunDirectory) -> None:
    measured(run)
    child = fork(run, 60)
    assert not child.hindsight_path.exists()
    done = measured(child)  # it was not trained yet: it has the checkpoint that it goes on from, and no task.npz
    assert (done.about.final_step, done.computed) == (60, 1)
    assert read_table(child.hindsight_path)["rqi"][-1] == read_table(run.hindsight_path)["rqi"][-1]


def test_an_own_measure_is_measured_where_its_folder_is_given(tmp_path: Path, run: RunDirectory) -> None:
    parts = own_measure(tmp_path, "@part\ndef mine(circuit, test) -> float:\n    return float(len(test) + circuit.p)\n")
    assert measured(run).computed == 4
    assert measured(run, parts=parts).computed == 4  # other measures: anew
    assert read_table(run.hindsight_path)["mine"].tolist() == [13 + 5.0] * 4


def test_a_measure_that_fails_is_told_with_its_step(
    tmp_path: Path, run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = """
@part
def mine(parameters) -> float:
    return 1.0 if Path(__file__).with_suffix(".well").exists() and not multiprocessing.parent_process() else [][0]
"""
    parts = own_measure(tmp_path, failing)
    with pytest.raises(RunError, match=r"the measure mine fails at step 60: IndexError: list index out of range"):
        measured(run, parts=parts)
    (parts / "measures" / "mine.well").touch()
    monkeypatch.setattr(hindsight, "HERE_SECONDS", 0.0)
    done = measured(run, parts=parts, workers=1)
    assert read_table(run.hindsight_path)["step"].tolist() == [60]
    assert done.about.skipped == (0, 20, 40)
    assert done.problems[0] == "the measure mine fails at step 0: IndexError: list index out of range"


@pytest.mark.parametrize("result", ["None", "'text'", "{'mine': parameters['W_E'].numpy().astype(str)}", "1j"])
def test_a_measure_whose_result_is_no_number_is_told(tmp_path: Path, run: RunDirectory, result: str) -> None:
    parts = own_measure(tmp_path, f"@part\ndef mine(parameters) -> float:\n    return {result}\n")
    with pytest.raises(RunError, match="the measure mine fails at step 60: "):
        measured(run, parts=parts)


def test_a_run_of_own_parts_needs_their_folder(tmp_path: Path) -> None:
    own = tmp_path / "parts" / "tasks"
    own.mkdir(parents=True)
    source = ROOT / "grokterm" / "tasks" / "modular.py"
    (own / "mine.py").write_text(source.read_text().replace("def modular(", "def mine("))
    run = trained(tmp_path, TINY.replace('"modular"', '"mine"'), own.parent)
    with pytest.raises(UsageError, match="there is no task 'mine'"):
        measured(run)
    assert measured(run, parts=own.parent).computed == 4


def test_a_run_that_lacks_its_task_gets_it(run: RunDirectory) -> None:
    before = run.task_path.read_bytes()
    run.task_path.unlink()
    measured(run)
    with np.load(run.task_path) as now:
        assert now["train"].tolist() == np.load(run.task_path)["train"].tolist()
    run.task_path.write_bytes(before)
    assert measured(run).computed == 0


def test_a_task_that_cannot_be_read_is_written_anew(run: RunDirectory) -> None:
    whole = recorded_task.read(run.task_path)
    run.task_path.write_bytes(run.task_path.read_bytes()[:300])
    assert measured(run).computed == 4
    np.testing.assert_array_equal(recorded_task.read(run.task_path).train, whole.train)


def test_an_imported_run_is_measured(tmp_path: Path) -> None:
    file = foreign.saved(tmp_path, foreign.demo(foreign.trained()))
    run = record(plan(file, Choices()), tmp_path / "runs", "imported", Told()).run
    done = measured(run)
    live, rows = read_table(run.measures_path), read_table(run.hindsight_path)
    assert rows["step"].tolist() == live["step"].tolist()
    np.testing.assert_allclose(rows["gini_embedding"], live["gini_embedding"], rtol=1e-6)
    assert done.about.complete


def test_about_is_json_that_others_can_read(run: RunDirectory) -> None:
    measured(run)
    said = json.loads((run.hindsight / "about.json").read_text())
    assert said["final_step"] == 60
    assert set(said["names"]) == {
        *(read_table(run.hindsight_path).dtype.names or ()),
        *(path.stem for path in run.hindsight.glob("*.npy")),
    } - {"step"}


def test_where_everything_is_measured_nothing_is_written_and_no_progress_told(run: RunDirectory) -> None:
    first = measured(run)
    files = [run.task_path, run.hindsight_path, *run.hindsight.iterdir()]
    before = {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in files}
    progress = Told()
    done = measure(run, Catalog(), progress)
    assert (done.computed, done.about, done.scalars, progress.total) == (0, first.about, first.scalars, 0)
    assert {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in files} == before


@pytest.mark.parametrize("missing", ["vectors", "rows", "beside"])
def test_what_is_missing_is_measured_whatever_is_said(run: RunDirectory, missing: str) -> None:
    measured(run)
    table = run.hindsight / "loss_without_head.npy"
    if missing == "vectors":
        table.unlink()
    elif missing == "rows":
        cut_after(table, 20)
    else:
        (run.hindsight / ".new.part").mkdir()
    done = measured(run)
    assert done.computed == {"vectors": 4, "rows": 2, "beside": 0}[missing]
    assert read_table(table)["step"].tolist() == STEPS
    assert not (run.hindsight / ".new.part").exists()


def test_no_more_workers_than_the_processors_can_use(run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def none_of_them(_: object, items: object, workers: int) -> Iterator[None]:
        asked.append(workers)
        raise RunError("enough")
        yield

    monkeypatch.setattr(hindsight, "HERE_SECONDS", 0.0)
    monkeypatch.setattr(hindsight, "in_order", none_of_them)
    for workers in (50, 1):
        with pytest.raises(RunError, match="enough"):
            measured(run, workers=workers)
    assert asked == [most(), 1]
