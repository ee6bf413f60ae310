"""How hindsight is kept: appended in order, gone on with after any end, begun anew where it is about something else."""

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from grokterm.errors import RunError
from grokterm.run.directory import RunDirectory
from grokterm.run.hindsight import (
    About,
    about_path,
    held,
    is_being_measured,
    is_wanted,
    read_about,
    remove,
    rows_in,
)
from grokterm.run.hindsight_writer import HindsightWriter, Row
from grokterm.run.table import read_table
from tests.measured_run import KEYS, STEPS, measure, row

ABOUT = About(STEPS[-1], KEYS, row(0).names, len(STEPS))


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    path = tmp_path / "run"
    path.mkdir()
    return RunDirectory(path)


def opened(run: RunDirectory, about: About = ABOUT, like: Row | None = None, *, again: bool = False) -> HindsightWriter:
    run.hindsight.mkdir(exist_ok=True)
    return HindsightWriter(run, about, like or row(0), again=again)


def steps_in(run: RunDirectory) -> list[list[int]]:
    paths = [run.hindsight_path, *sorted(run.hindsight.glob("*.npy"))]
    return [read_table(path)["step"].tolist() for path in paths]


def test_rows_are_tables_that_numpy_opens_and_say_what_they_are(run: RunDirectory) -> None:
    measure(run)
    rows = np.load(run.hindsight_path)
    assert rows["step"].tolist() == list(STEPS)
    assert rows["restricted_loss"][-1] == pytest.approx(0.1)
    heads = np.load(run.hindsight / "loss_without_head.npy")
    assert heads["value"].tolist() == [[0.25, step / 400] for step in STEPS]
    assert np.load(run.hindsight / "fourier_embedding.npy").dtype["value"].base == np.float32
    assert json.loads(about_path(run).read_text()) == {
        "format": 1,
        "final_step": 400,
        "key_frequencies": [3, 7, 9],
        "names": [*row(0).names],
        "checkpoints": 5,
        "skipped": [],
        "complete": True,
    }
    assert read_about(run) == replace(ABOUT, complete=True)
    assert rows_in(run) == 5


def test_it_goes_on_after_the_last_row_that_every_table_has(run: RunDirectory) -> None:
    measure(run, STEPS[:3], finish=False)
    torn = run.hindsight / "loss_without_head.npy"
    os.truncate(torn, torn.stat().st_size - 9)  # a writer that died within its row, having written other tables whole
    with opened(run) as writer:
        assert writer.last == STEPS[1]
        assert steps_in(run) == [[0, 100]] * 4
        writer.append(row(200))
        assert not writer.about.complete
        writer.finish()
    assert steps_in(run) == [[0, 100, 200]] * 4


def test_what_is_complete_stays_as_it_is(run: RunDirectory) -> None:
    measure(run)
    before = about_path(run).stat().st_mtime_ns
    with opened(run) as writer:
        assert writer.last == STEPS[-1]
        assert writer.about.complete
    assert about_path(run).stat().st_mtime_ns == before


@pytest.mark.parametrize(
    "other",
    [
        replace(ABOUT, final_step=300),
        replace(ABOUT, key_frequencies=(3, 7)),
        replace(ABOUT, names=(*ABOUT.names[1:], "new")),
    ],
    ids=["another end", "other keys", "other measures"],
)
def test_what_belongs_to_something_else_is_begun_anew(run: RunDirectory, other: About) -> None:
    measure(run)
    with opened(run, other) as writer:
        assert writer.last == -1
        assert steps_in(run) == [[]] * 4
        assert read_about(run) == other


def test_again_begins_anew_and_old_vectors_go(run: RunDirectory) -> None:
    measure(run)
    inode = run.hindsight_path.stat().st_ino
    less = Row(0, row(0).numbers, {"loss_without_head": np.zeros(2)})
    with opened(run, like=less, again=True) as writer:
        assert writer.last == -1
    assert [path.name for path in run.hindsight.glob("*.npy")] == ["loss_without_head.npy"]
    assert run.hindsight_path.stat().st_ino != inode  # whoever follows the old one sees that it is another


def test_a_death_while_it_is_begun_anew_leaves_nothing_to_go_on_with(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure(run)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("grokterm.run.hindsight_writer.begin_anew", full)
    with pytest.raises(RunError, match="cannot be written: No space left on device"):
        opened(run, replace(ABOUT, key_frequencies=(1,)))
    monkeypatch.undo()
    assert read_about(run) is None
    with opened(run) as writer:  # with the old keys, whose rows are all still there
        assert writer.last == -1


def test_checkpoints_that_cannot_be_read_are_told_and_tried_again(run: RunDirectory) -> None:
    with opened(run) as writer:
        writer.append(row(0))
        writer.skip(100)
        writer.append(row(200))
        writer.skip(300)
    with opened(run) as writer:
        assert writer.about.skipped == (100,)
        writer.append(row(300))
        writer.finish()
    about = read_about(run)
    assert about is not None
    assert about.skipped == (100,)


def test_a_row_of_other_numbers_is_refused(run: RunDirectory) -> None:
    with opened(run) as writer:
        for numbers, arrays in (
            ({"rqi": 1.0}, {}),
            (row(0).numbers, {**row(0).arrays, "loss_without_head": np.ones(3)}),
        ):
            with pytest.raises(RunError, match="give other numbers at step 100 than at step 400"):
                writer.append(Row(100, numbers, arrays))
    assert rows_in(run) == 0


def test_one_process_at_a_time(run: RunDirectory) -> None:
    assert not is_being_measured(run)
    with held(run):
        assert is_being_measured(run)
        with pytest.raises(RunError, match="is being measured by another process already"), held(run):
            pass
    assert not is_being_measured(run)


def test_removing_leaves_the_lock(run: RunDirectory) -> None:
    remove(run)  # nothing there
    measure(run)
    with held(run):
        remove(run)
        assert [path.name for path in run.hindsight.iterdir()] == ["lock"]
        assert is_being_measured(run)
    assert not run.hindsight_path.exists()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"format": 2, "final_step": 4, "key_frequencies": [], "names": [], "checkpoints": 1, "skipped": [], '
        '"complete": true}',
        '{"format": 1, "final_step": 4, "key_frequencies": [-1], "names": [], "checkpoints": 1, "skipped": [], '
        '"complete": true}',
        '{"format": 1, "final_step": 4, "key_frequencies": ["3"], "names": [], "checkpoints": 1, "skipped": [], '
        '"complete": true}',
        '{"format": 1, "final_step": 4, "key_frequencies": [3], "names": [3], "checkpoints": 1, "skipped": [], '
        '"complete": true}',
    ],
)
def test_what_says_nothing_that_can_be_meant_is_nothing(run: RunDirectory, text: str) -> None:
    run.hindsight.mkdir()
    about_path(run).write_text(text)
    assert read_about(run) is None


def test_a_place_that_cannot_be_written_is_told(run: RunDirectory) -> None:
    run.hindsight.write_text("in the way")
    with pytest.raises(RunError, match="hindsight cannot be written"), held(run):
        pass


def test_it_is_wanted_unless_the_run_says_no() -> None:
    assert is_wanted({})
    assert is_wanted({"training": {"measure_on_end": True}})
    assert not is_wanted({"training": {"measure_on_end": False}})
