"""Whose fork a run is: found by name, found again by its beginning, and never outside the folder."""

from pathlib import Path
from typing import Any

import pytest

from grokterm.run.directory import RunDirectory
from grokterm.run.lineage import Parent, beside, folder_of, is_name, parent_of
from tests.small_runs import STARTED, small_run

SAID: dict[str, Any] = {"run": "mother", "started": STARTED, "step": 600}


@pytest.mark.parametrize(
    ("at", "understood", "place"),
    [
        (600, 600, "step 600"),
        (1700, 1700, "step 1,700 (goes on from its checkpoint at step 600)"),
        (599, 600, "step 600"),
        ("x", 600, "step 600"),
        (True, 600, "step 600"),
    ],
)
def test_where_a_fork_branches_off(at: object, understood: int, place: str) -> None:
    parent = Parent.of({"parent": {**SAID, "at": at}})
    assert parent is not None
    assert (parent.at, parent.place) == (understood, place)


def test_what_a_fork_says() -> None:
    assert Parent.of({"parent": SAID}) == Parent("mother", STARTED, 600, 600)
    assert Parent.of({"parent": {"run": "mother", "step": 0}}) == Parent("mother", None, 0, 0)
    assert Parent.of({}) is None


@pytest.mark.parametrize(
    "said",
    [
        "mother",
        {},
        {**SAID, "run": 3},
        {**SAID, "run": ""},
        {**SAID, "run": "."},
        {**SAID, "run": ".."},
        {**SAID, "run": ".trash"},
        {**SAID, "run": "../mother"},
        {**SAID, "run": "/etc"},
        {**SAID, "run": "a/../b"},
        {**SAID, "run": "a\\b"},
        {**SAID, "run": "a\0b"},
        {**SAID, "run": "a" * 300},
        {**SAID, "step": -1},
        {**SAID, "step": True},
        {**SAID, "step": 600.0},
        {**SAID, "step": 2**70},
    ],
)
def test_what_cannot_be_meant_names_no_parent(said: object) -> None:
    assert Parent.of({"parent": said}) is None


@pytest.mark.parametrize("started", ["then", True, float("nan"), float("inf"), 10**400])
def test_a_beginning_that_cannot_be_meant_is_none(started: object) -> None:
    assert Parent.of({"parent": {**SAID, "started": started}}) == Parent("mother", None, 600, 600)


def test_the_parent_is_the_run_of_that_name_which_began_then(tmp_path: Path) -> None:
    child = small_run(tmp_path, "child", started=STARTED + 9)
    config = {"parent": SAID}
    assert parent_of(child, config) is None
    other = small_run(tmp_path, "mother", started=STARTED + 1)
    assert parent_of(child, config) is None
    other.path.rename(tmp_path / "somebody else")
    mother = small_run(tmp_path, "mother")
    assert parent_of(child, config) == mother
    assert parent_of(child, {}) is None


def test_a_renamed_parent_is_found_by_its_beginning(tmp_path: Path) -> None:
    child = small_run(tmp_path, "child", started=STARTED + 9)
    small_run(tmp_path, "mother", started=STARTED + 1)
    mother = small_run(tmp_path, "grandmother")
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "run.toml").write_text("no toml")
    assert parent_of(child, {"parent": SAID}) == mother
    assert parent_of(child, {"parent": {"run": "mother", "step": 600}}) is None


def test_a_run_is_not_its_own_parent(tmp_path: Path) -> None:
    child = small_run(tmp_path, "child")
    assert parent_of(child, {"parent": {**SAID, "run": "child"}}) is None
    assert parent_of(child, {"parent": SAID}) is None


def test_a_parent_is_found_however_the_run_was_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mother = small_run(tmp_path, "mother")
    child = small_run(tmp_path, "child", started=STARTED + 9)
    monkeypatch.chdir(child.path)
    for path in (Path(), Path("../child"), Path("checkpoints/..")):
        found = parent_of(RunDirectory(path), {"parent": SAID})
        assert found is not None
        assert found.path.resolve() == mother.path
    link = tmp_path / "elsewhere" / "link"
    link.parent.mkdir()
    link.symlink_to(child.path)
    assert folder_of(RunDirectory(link)) == tmp_path


def test_only_names_lead_beside_a_run(tmp_path: Path) -> None:
    run = small_run(tmp_path, "mother")
    assert beside(run, "child") == RunDirectory(tmp_path / "child")
    assert beside(run, "../child") is None
    assert is_name("2027-03-04-113000-mod113 (2)")
