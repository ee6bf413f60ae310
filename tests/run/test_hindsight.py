"""How hindsight is kept: appended in order, gone on with after any end, begun anew where it is about something else."""

import contextlib
import json
import os
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grokterm.errors import RunError
from grokterm.run.directory import RunDirectory
from grokterm.run.hindsight import (
    About,
    about_path,
    beside,
    held,
    is_being_measured,
    is_wanted,
    read_about,
    remove,
    rows_in,
)
from grokterm.run.hindsight_writer import HindsightWriter, Row
from grokterm.run.table import TableWriter, read_table
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


def test_whoever_sees_a_row_finds_its_vectors(run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    flush, seen = TableWriter.flush, []

    def watched(table: TableWriter) -> None:
        flush(table)
        seen.append([len(steps) for steps in steps_in(run)])

    with opened(run) as writer:
        monkeypatch.setattr(TableWriter, "flush", watched)
        writer.append(row(0))
        writer.append(row(100))
    assert all(rows <= min(vectors) for rows, *vectors in seen)
    assert {rows for rows, *_ in seen} == {0, 1, 2}


def test_rows_are_on_the_disk_before_it_is_said_that_they_are_all(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync, synced = os.fsync, list[int]()

    def noted(file: int) -> None:
        synced.append(os.fstat(file).st_ino)
        sync(file)

    with opened(run) as writer:
        writer.append(row(0))
        monkeypatch.setattr(os, "fsync", noted)
        writer.finish()
    tables = {path.stat().st_ino for path in (run.hindsight_path, *run.hindsight.glob("*.npy"))}
    assert len(tables) == 4
    assert tables == {*synced[: synced.index(about_path(run).stat().st_ino)]}


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
    measure(run, finish=False)
    with opened(run, other) as writer:
        assert writer.last == -1
        assert steps_in(run) == [[]] * 4
        assert read_about(run) == other


LESS = Row(0, {"rqi": 1.0}, {"loss_without_head": np.full(2, 7.0)})
"""Of a new measurement that takes the place of a finished one."""


def there(run: RunDirectory) -> dict[str, bytes]:
    """What lies in the place of a measurement."""
    return {path.name: path.read_bytes() for path in (run.hindsight_path, *run.hindsight.iterdir()) if path.is_file()}


def replaced(run: RunDirectory, *, again: bool = True) -> None:
    with opened(run, replace(ABOUT, names=LESS.names), LESS, again=again) as writer:
        assert writer.last == -1
        writer.append(LESS)
        writer.finish()
        assert writer.about.complete


@pytest.mark.parametrize("again", [True, False])
def test_a_finished_measurement_stays_until_the_new_one_is_finished(run: RunDirectory, again: bool) -> None:
    measure(run)
    before, inode = there(run), run.hindsight_path.stat().st_ino
    about = replace(ABOUT, names=LESS.names)
    with opened(run, about, LESS, again=again) as writer:
        writer.append(LESS)
        assert there(run) == before
    assert there(run) == before
    assert beside(run).path.exists() != again  # what is done again begins anew, all else goes on
    with opened(run, about, LESS, again=again) as writer:
        assert writer.last == (-1 if again else 0)
        if again:
            writer.append(LESS)
        writer.finish()
    assert not beside(run).path.exists()
    assert read_about(run) == replace(about, complete=True)
    assert [path.name for path in run.hindsight.glob("*.npy")] == ["loss_without_head.npy"]
    assert steps_in(run) == [[0]] * 2
    assert run.hindsight_path.stat().st_ino != inode  # whoever follows the old one sees that it is another


def test_a_death_while_one_takes_the_place_of_the_other_leaves_no_mixture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for operations in range(40):
        (tmp_path / str(operations)).mkdir()
        run = measure(RunDirectory(tmp_path / str(operations)))
        old = there(run)
        left = operations
        died = False

        def mortal(do: Callable[..., Any]) -> Callable[..., Any]:
            def done(*arguments: Any, **options: Any) -> Any:
                nonlocal left, died
                if left == 0 or died:
                    died = True
                    raise KeyboardInterrupt
                left -= 1
                return do(*arguments, **options)

            return done

        with monkeypatch.context() as patched:
            for name in ("unlink", "replace"):
                patched.setattr(Path, name, mortal(getattr(Path, name)))
            with contextlib.suppress(KeyboardInterrupt):
                replaced(run, again=False)
        found = there(run)
        new = {"hindsight.npy", "about.json", "loss_without_head.npy"}
        is_old = all(old.get(name) == content for name, content in found.items())
        is_new = all(old.get(name) != content for name, content in found.items() if name != "lock")
        assert is_old or (is_new and found.keys() <= new | {"lock"})
        with opened(run, replace(ABOUT, names=LESS.names), LESS) as writer:
            if writer.last == -1:
                writer.append(LESS)
            if not writer.about.complete:
                writer.finish()
        assert there(run).keys() == new | {"lock"}
        assert steps_in(run) == [[0]] * 2
        if not died:
            return
    raise AssertionError("it never came to its end")


def test_removing_takes_what_lies_beside_too(run: RunDirectory) -> None:
    measure(run)
    with opened(run, again=True) as writer:
        writer.append(row(0))
        remove(run)
        with pytest.raises(RunError, match="was trained again"):
            writer.append(row(100))
    assert [path.name for path in run.hindsight.iterdir()] == ["lock"]


def test_a_link_beside_is_not_followed(tmp_path: Path, run: RunDirectory) -> None:
    measure(run)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    measure(RunDirectory(elsewhere))
    beside(run).path.symlink_to(elsewhere)
    kept = there(RunDirectory(elsewhere))
    replaced(run)
    assert there(RunDirectory(elsewhere)) == kept
    assert not beside(run).path.is_symlink()


def test_a_death_while_it_is_begun_anew_leaves_nothing_to_go_on_with(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure(run, finish=False)

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
        '{"format": 1, "final_step": 4, "key_frequencies": [0], "names": [], "checkpoints": 1, "skipped": [], '
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


def test_a_link_in_its_place_is_refused_and_what_it_leads_to_is_kept(tmp_path: Path, run: RunDirectory) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("about.json", "someone.npy"):
        (elsewhere / name).write_text("a stranger's")
    run.hindsight.symlink_to(elsewhere)
    with pytest.raises(RunError, match="hindsight is a link"), held(run):
        pass
    with pytest.raises(RunError, match="hindsight is a link"):
        remove(run)
    assert {path.name: path.read_text() for path in elsewhere.iterdir()} == dict.fromkeys(
        ("about.json", "someone.npy"), "a stranger's"
    )


def test_only_tables_are_removed(tmp_path: Path, run: RunDirectory) -> None:
    measure(run)
    other = tmp_path / "other.npy"
    np.save(other, np.ones(3))
    (run.hindsight / "linked.npy").symlink_to(other)
    np.save(run.hindsight / "mine.npy", np.ones(3))
    os.mkfifo(run.hindsight / "pipe.npy")
    kept = {"linked.npy", "mine.npy", "pipe.npy"}
    with opened(run, again=True) as writer:
        writer.finish()
        assert kept <= {path.name for path in run.hindsight.iterdir()}
    remove(run)
    assert {path.name for path in run.hindsight.iterdir()} == kept | {"lock"}


def test_a_link_where_a_table_belongs_is_replaced_and_never_written_through(tmp_path: Path, run: RunDirectory) -> None:
    measure(run, STEPS[:3], finish=False)
    ours, theirs = run.hindsight / "loss_without_head.npy", tmp_path / "theirs.npy"
    ours.rename(theirs)
    before = theirs.read_bytes()
    ours.symlink_to(theirs)
    with opened(run) as writer:
        assert writer.last == -1
        writer.append(row(0))
    assert theirs.read_bytes() == before


def test_a_run_that_was_trained_between_two_rows_is_seen(run: RunDirectory) -> None:
    for do in (lambda writer: writer.append(row(200)), lambda writer: writer.skip(200), HindsightWriter.finish):
        with opened(run, again=True) as writer:
            writer.append(row(100))
            remove(run)  # as its trainer does before it trains
            with pytest.raises(RunError, match="was trained again, so its hindsight ends here"):
                do(writer)
        assert not run.hindsight_path.exists()
        assert read_about(run) is None


def test_somebody_who_is_about_to_end_is_waited_for(run: RunDirectory) -> None:
    with ExitStack() as other:
        other.enter_context(held(run))
        timer = threading.Timer(0.4, other.close)
        timer.start()
        with held(run, patience=20):
            pass
        timer.join()


def test_a_pipe_in_the_place_of_what_it_says_is_nothing(run: RunDirectory) -> None:
    run.hindsight.mkdir()
    os.mkfifo(about_path(run))
    assert read_about(run) is None
