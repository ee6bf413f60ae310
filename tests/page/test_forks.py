"""The report of a fork: whose it is, since when, and what its parent had reached before."""

from pathlib import Path

import pytest

from grokterm.ancestry import find_parents
from grokterm.history import History
from grokterm.page.content import Table, page_of
from grokterm.page.markdown import markdown
from grokterm.report import closing, results
from grokterm.run.directory import RunDirectory
from tests.forked import parent_and_fork, remove


@pytest.fixture
def runs(tmp_path: Path) -> tuple[RunDirectory, RunDirectory]:
    return parent_and_fork(tmp_path)


def polled(run: RunDirectory) -> History:
    history = History(run)
    history.poll()
    find_parents(history)
    return history


def test_the_page_names_the_parent(runs: tuple[RunDirectory, RunDirectory]) -> None:
    parent, fork = runs
    page = page_of(polled(fork), alive=False)
    (summary,) = page.sections[0].blocks
    assert isinstance(summary, Table)
    assert ("fork of", f"{parent.name} at step 250") in summary.rows
    assert f"those before step 250 were made in {parent.name}." in markdown(page)
    assert f"fork of       {parent.name} at step 250" in closing(polled(fork))
    assert "fork of" not in markdown(page_of(polled(parent), alive=False))


def test_what_was_best_may_have_been_the_parents(runs: tuple[RunDirectory, RunDirectory]) -> None:
    best = "train accuracy was ≥ 0.99 at 139, and did not stay there"  # every number of this fork is half as large
    assert best in results(polled(runs[1]))["memorised at"]
    remove(runs[0])
    assert "train accuracy was 0.500 at best" in results(polled(runs[1]))["memorised at"]
