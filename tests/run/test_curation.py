"""Runs renamed, tagged, put into the trash and taken out again; nothing is lost and nothing is overwritten."""

import errno
import fcntl
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from grokterm.errors import RunError, UsageError
from grokterm.run.curation import (
    discard,
    discarded_runs,
    read_tags,
    rename,
    restore,
    tags_in,
    tags_text,
    write_tags,
)
from grokterm.run.directory import RunDirectory
from grokterm.run.holder import Holder
from grokterm.run.lock import Lock
from tests.small_runs import small_run


def contents(path: Path) -> dict[str, bytes]:
    return {str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()}


def test_a_renamed_run_is_the_same_run_elsewhere(tmp_path: Path) -> None:
    run = small_run(tmp_path, "a")
    before = contents(run.path)
    renamed = rename(run, " the best one ")
    assert renamed.path == tmp_path / "the best one"
    assert contents(renamed.path) == before
    assert [path.name for path in tmp_path.iterdir()] == ["the best one"]
    assert rename(renamed, "the best one") == renamed


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "needs a name of at least one character"),
        ("  ", "needs a name of at least one character"),
        ("a/b", "a / would lead into another directory"),
        ("..", "names that begin with a dot are left out of lists"),
        (".hidden", "names that begin with a dot are left out of lists"),
        ("-", "on a command line it would read as an option"),
        ("a\x1b[31m", "it holds characters that cannot be shown"),
        ("é" * 128, "the name is 256 bytes long; a directory's name has at most 255"),
        ("b", "b exists already; choose another name"),
        ("empty", "empty exists already; choose another name"),
        ("file", "file exists already; choose another name"),
    ],
)
def test_a_name_that_cannot_be_one_is_explained_and_nothing_moves(tmp_path: Path, name: str, said: str) -> None:
    run = small_run(tmp_path, "a")
    small_run(tmp_path, "b")
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    before = contents(tmp_path)
    with pytest.raises(UsageError) as raised:
        rename(run, name)
    assert said in str(raised.value)
    assert "\x1b" not in str(raised.value)
    assert contents(tmp_path) == before
    assert (tmp_path / "empty").is_dir()


@pytest.mark.parametrize("do", [lambda run: rename(run, "b"), discard])
def test_a_run_that_is_trained_stays_where_it_is(tmp_path: Path, do: Callable[[RunDirectory], object]) -> None:
    run = small_run(tmp_path, "a", state="training")
    with Lock(run), pytest.raises(RunError, match="a is being trained, so it stays where it is; stop it first"):
        do(run)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    do(run)
    assert not run.path.exists()


@pytest.mark.parametrize("do", [lambda run: rename(run, "b"), discard])
def test_a_run_that_another_host_trains_stays_until_that_one_is_dead(
    tmp_path: Path, do: Callable[[RunDirectory], object]
) -> None:
    run = small_run(tmp_path, "a", state="training")
    run.lock_path.write_bytes(Holder("elsewhere", 1, 0.0, time.time() - 30).content())
    with pytest.raises(RunError, match="a is being trained, so it stays where it is; stop it first"):
        do(run)
    run.lock_path.write_bytes(Holder("elsewhere", 1, 0.0, time.time() - 90).content())
    with run.lock_path.open() as left:
        fcntl.flock(left, fcntl.LOCK_EX)
        do(run)
    assert not run.path.exists()


def test_nobody_begins_to_train_a_run_while_it_moves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = small_run(tmp_path, "a")
    run.lock_path.touch()
    move = Path.rename
    refused: list[RunError] = []

    def move_while_somebody_trains(source: Path, target: Path) -> Path:
        with pytest.raises(RunError, match="is being trained") as caught, Lock(run):
            pytest.fail("a trainer took a run that moves")
        refused.append(caught.value)
        return move(source, target)

    monkeypatch.setattr(Path, "rename", move_while_somebody_trains)
    renamed = rename(run, "b")
    assert len(refused) == 1
    with Lock(renamed):
        pass


@pytest.mark.parametrize("do", [lambda run: rename(run, "b"), discard, lambda run: write_tags(run, ["x"])])
def test_a_run_that_vanished_is_one_sentence(tmp_path: Path, do: Callable[[RunDirectory], object]) -> None:
    with pytest.raises(RunError, match="gone is not there any more"):
        do(RunDirectory(tmp_path / "gone"))
    assert not (tmp_path / "b").exists()
    assert not (tmp_path / "gone").exists()


@pytest.mark.parametrize("do", [lambda run: rename(run, "b"), discard])
def test_a_run_that_vanishes_at_the_last_moment_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, do: Callable[[RunDirectory], object]
) -> None:
    run = small_run(tmp_path, "a")

    def vanish(*_: object) -> None:
        raise FileNotFoundError(errno.ENOENT, "No such file")

    monkeypatch.setattr(Path, "rename", vanish)
    with pytest.raises(RunError, match="a is not there any more"):
        do(run)
    assert not (tmp_path / "b").exists()
    assert discarded_runs(tmp_path) == []


def test_a_move_that_fails_leaves_the_run_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = small_run(tmp_path, "a")

    def refuse(*_: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(RunError, match=r"a cannot be moved to .*b: Invalid cross-device link"):
        rename(run, "b")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_discarded_run_lies_in_the_trash_and_comes_back(tmp_path: Path) -> None:
    run = small_run(tmp_path, "a")
    before = contents(run.path)
    lies = discard(run)
    assert lies == tmp_path / ".trash" / "a"
    assert contents(lies) == before
    assert not run.path.exists()
    assert restore(lies) == run
    assert contents(run.path) == before
    assert discarded_runs(tmp_path) == []


def test_names_that_are_taken_get_a_number(tmp_path: Path) -> None:
    first, second = discard(small_run(tmp_path, "a", seed=1)), discard(small_run(tmp_path, "a", seed=2))
    assert [first.name, second.name] == ["a", "a-2"]
    small_run(tmp_path, "a", seed=3)
    back = restore(second, "a")
    assert back.path.name == "a-2"
    assert (back.read_config() or {})["seed"] == 2
    long = small_run(tmp_path, "x" * 255)
    discard(long)
    assert len(discard(small_run(tmp_path, "x" * 255)).name) == 255


def test_what_was_discarded_last_comes_first(tmp_path: Path) -> None:
    for name in "cab":
        lies = discard(small_run(tmp_path, name))
        wait_for_another_tick(lies)
    assert [path.name for path in discarded_runs(tmp_path)] == ["b", "a", "c"]


def wait_for_another_tick(path: Path) -> None:
    """Until the file system's clock has gone on."""
    before, probe = path.stat().st_ctime_ns, path.parent.parent / "probe"
    while True:
        probe.touch()
        if probe.stat().st_ctime_ns > before:
            probe.unlink()
            return


def test_a_trash_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    run = small_run(tmp_path, "a")
    (tmp_path / ".trash").touch()
    with pytest.raises(RunError, match=r"\.trash cannot be made: File exists"):
        discard(run)
    assert run.path.exists()
    assert discarded_runs(tmp_path) == []


def test_a_run_called_by_a_dot_is_renamed_and_discarded_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(small_run(tmp_path, "a").path)
    assert rename(RunDirectory(Path()), "b").path == tmp_path / "b"
    monkeypatch.chdir(tmp_path / "b")
    assert discard(RunDirectory(Path())) == tmp_path / ".trash" / "b"


def test_of_a_link_the_link_moves(tmp_path: Path) -> None:
    real = small_run(tmp_path / "disk", "real")
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "link").symlink_to(real.path)
    renamed = rename(RunDirectory(tmp_path / "runs" / "link"), "other")
    assert renamed.path.is_symlink()
    lies = discard(renamed)
    assert (lies.is_symlink(), real.config_path.exists()) == (True, True)
    assert restore(lies).path == tmp_path / "runs" / "other"


def test_tags_are_a_list_of_strings_in_a_file(tmp_path: Path) -> None:
    run = small_run(tmp_path, "a")
    assert read_tags(run) == ()
    assert write_tags(run, [" good ", "", "seed 7", "good", "日本"]) == ("good", "seed 7", "日本")
    assert read_tags(run) == ("good", "seed 7", "日本")
    assert json.loads((run.path / "tags.json").read_text()) == ["good", "seed 7", "日本"]
    assert write_tags(run, []) == read_tags(run) == ()


def test_tags_are_typed_as_words_and_keep_their_blanks_when_they_are_edited() -> None:
    assert tags_in('good, seeds "seed 7"bad "" "open end') == ["good", "seeds", "seed 7", "bad", "", "open end"]
    for tags in ([], ["good", "seed 7", "a,b", "x-1"]):
        assert tags_in(tags_text(tags)) == tags


@pytest.mark.parametrize("content", [b"", b"{}", b'["a", 1]', b'"a"', b"\xff", b"[NaN]", b"[" * 100_000])
def test_tags_that_are_none_are_told_as_such(tmp_path: Path, content: bytes) -> None:
    run = small_run(tmp_path, "a")
    (run.path / "tags.json").write_bytes(content)
    with pytest.raises(RunError, match=r"tags\.json is not a JSON array of strings"):
        read_tags(run)


@pytest.mark.parametrize(("tag", "said"), [("a\x1b", "cannot be shown"), ("x" * 101, "at most 100 characters")])
def test_a_tag_that_cannot_be_one_changes_nothing(tmp_path: Path, tag: str, said: str) -> None:
    run = small_run(tmp_path, "a", tags=("kept",))
    with pytest.raises(UsageError, match=said):
        write_tags(run, ["good", tag])
    assert read_tags(run) == ("kept",)


def test_tags_that_cannot_be_written_leave_those_there_were(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = small_run(tmp_path, "a", tags=("kept",))

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunError, match=r"tags\.json cannot be written: No space left"):
        write_tags(run, ["other"])
    assert read_tags(run) == ("kept",)
    assert [path.name for path in run.path.iterdir() if path.name.endswith(".part")] == []
