"""Which run is being trained, and what is said of one that nobody trains."""

import os
from pathlib import Path

import pytest

from grokterm.errors import RunError
from grokterm.run.directory import RunDirectory
from grokterm.run.events import EventLog, event_from
from grokterm.run.living import find_living, not_trained, went_on_in
from grokterm.run.lock import Lock
from grokterm.run.story import Story
from tests.recorded import record
from tests.small_runs import STARTED, small_run


def told(run: RunDirectory, *lines: dict[str, object]) -> Story:
    story = Story()
    for line in lines:
        event = event_from({"step": 3, "time": STARTED, **line})
        assert event is not None
        story.add(event)
    return story


def test_the_newest_living_run_is_found_past_newer_dead_ones(tmp_path: Path) -> None:
    old = small_run(tmp_path, "old", started=STARTED, state="training")
    living = small_run(tmp_path, "living", started=STARTED + 1, state="training")
    small_run(tmp_path, "newer", started=STARTED + 2)
    with Lock(old), Lock(living):
        assert find_living(tmp_path) == find_living(tmp_path, "") == living
        assert find_living(tmp_path, "ol") == old
        with pytest.raises(RunError, match="nobody trains newer: it finished at step 3"):
            find_living(tmp_path, "newer")


def test_of_several_runs_the_one_in_training_is_meant(tmp_path: Path) -> None:
    small_run(tmp_path, "sweep-1")
    two, three = small_run(tmp_path, "sweep-2", state="training"), small_run(tmp_path, "sweep-3", state="training")
    with pytest.raises(RunError, match="'sweep' could be sweep-3, sweep-2, sweep-1; say more"):
        find_living(tmp_path, "sweep")
    with Lock(two):
        assert find_living(tmp_path, "sweep") == two
        with Lock(three), pytest.raises(RunError, match="'sweep' could be sweep-3, sweep-2; say more"):
            find_living(tmp_path, "sweep")


def test_an_imported_run_is_not_to_be_gone_on_with(tmp_path: Path) -> None:
    run = small_run(tmp_path, "theirs", source={"file": "a.pt"})
    replay = f"`grokterm replay {run.path}` shows it"
    with pytest.raises(RunError) as raised:
        find_living(tmp_path)
    assert str(raised.value).endswith(f"the newest, theirs, was imported and cannot be trained: {replay}")
    assert str(not_trained(run)) == f"nobody trains theirs: it was imported and cannot be trained; {replay}"


def test_a_lock_that_cannot_be_read_is_not_in_the_way(tmp_path: Path) -> None:
    living = small_run(tmp_path, "living", state="training")
    odd = small_run(tmp_path, "odd", started=STARTED + 9)
    odd.lock_path.symlink_to(os.devnull)
    with Lock(living):
        assert find_living(tmp_path) == living


def test_where_nobody_trains_the_newest_run_says_how_to_go_on(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"there is no run in .*; `grokterm run mod113-quick` makes one"):
        find_living(tmp_path)
    small_run(tmp_path, "old")
    small_run(tmp_path, "it's new", started=STARTED + 1, state="training")
    with pytest.raises(RunError) as raised:
        find_living(tmp_path)
    path = f"{tmp_path}/it'\"'\"'s new"
    assert str(raised.value) == (
        f"no run in {tmp_path} is being trained; the newest, it's new, was interrupted at step 3: "
        f"`grokterm resume '{path}'` goes on with it"
    )


def test_a_finished_run_goes_on_with_more_steps_only(tmp_path: Path) -> None:
    run = small_run(tmp_path, "done")
    assert str(not_trained(run)) == (
        f"nobody trains done: it finished at step 3; `grokterm replay {run.path}` shows it, "
        f"`grokterm resume {run.path} --steps N` goes on with it"
    )


def test_a_run_that_was_left_for_a_fork_names_it(tmp_path: Path) -> None:
    run = record(tmp_path, 10, state="training")
    events = EventLog(run.events_path)
    events.write("fork", 10, run="child", at=5)
    events.write("state", 10, state="stopped")
    assert str(not_trained(run)).endswith(
        f"it was left at step 10 for a fork of it; `grokterm attach {tmp_path / 'child'}` shows that one"
    )


def test_a_run_went_on_in_its_last_fork_unless_it_went_on_itself(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path / "run")
    first, second = {"event": "fork", "run": "first"}, {"event": "fork", "run": "second"}
    stopped, resumed = {"event": "state", "state": "stopped"}, {"event": "state", "state": "resumed", "keeps": 99}
    for lines, expected in (
        ([], None),
        ([stopped], None),
        ([first], "first"),
        ([first, stopped], "first"),
        ([first, stopped, resumed], None),
        ([first, stopped, resumed, second, stopped], "second"),
        ([{"event": "fork", "run": "../elsewhere"}, stopped], None),
        ([{"event": "fork"}, stopped], None),
        ([{"event": "fork", "run": "run"}, stopped], None),
        ([first, {"event": "fork", "run": "run"}, stopped], "first"),
    ):
        left = went_on_in(run, told(run, *lines).events)
        assert (None if left is None else left[0].name) == expected
