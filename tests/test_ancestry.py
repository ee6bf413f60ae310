"""A fork and the runs before it, read as one: what is its own, what its parent's, and what there is without one."""

from pathlib import Path

import numpy as np
import pytest
import tomli_w

from grokterm.ancestry import (
    Rows,
    ancestors,
    array_at,
    array_names,
    find_parents,
    joined,
    names,
    until,
    value_at,
    whole_array,
)
from grokterm.history import History
from grokterm.run.directory import RunDirectory
from tests.forked import FORKED_AT, STARTED, fork_of, parent_and_fork, remove


def opened(run: RunDirectory) -> History:
    history = History(run)
    history.poll()
    find_parents(history)
    return history


@pytest.fixture
def runs(tmp_path: Path) -> tuple[RunDirectory, RunDirectory]:
    return parent_and_fork(tmp_path)


def test_a_parent_is_known_up_to_the_fork(runs: tuple[RunDirectory, RunDirectory]) -> None:
    history = opened(runs[1])
    assert history.parent is not None
    assert history.parent.run == runs[0]
    assert history.parent.series("train_loss").steps.tolist() == list(range(FORKED_AT))
    assert history.parent.series("test_loss").steps.tolist() == list(range(FORKED_AT + 1))
    assert history.series("train_loss").steps[0] == FORKED_AT
    assert ancestors(opened(runs[0])) == []


def test_values_before_the_fork_are_the_parents(runs: tuple[RunDirectory, RunDirectory]) -> None:
    history, parent = opened(runs[1]), opened(runs[0])
    for step in (0, 123, FORKED_AT - 1):
        assert value_at(history, "train_loss", step) == parent.value_at("train_loss", step)
    for step in (FORKED_AT, 399):
        assert value_at(history, "train_loss", step) == history.value_at("train_loss", step)
    assert value_at(history, "nothing", 100) is None
    assert array_at(history, "neuron_clusters", 100).steps[-1] == 240
    assert array_at(history, "neuron_clusters", 255).steps[0] == 0  # the fork measured first at 260
    assert array_at(history, "neuron_clusters", None).steps[0] == 260
    assert array_at(history, "nothing", None).steps.tolist() == []
    assert whole_array(history, "neuron_clusters").steps.tolist() == list(range(0, 400, 20))


def test_names_of_a_fork_that_has_recorded_nothing(runs: tuple[RunDirectory, RunDirectory]) -> None:
    for table in (runs[1].steps_path, runs[1].tests_path, runs[1].measures_path, *runs[1].arrays.iterdir()):
        table.unlink()
    history, parent = opened(runs[1]), opened(runs[0])
    assert history.names() == ()
    assert names(history) == parent.names()
    assert array_names(history) == parent.array_names()
    assert history.step == FORKED_AT


def test_a_line_of_forks(runs: tuple[RunDirectory, RunDirectory]) -> None:
    grandchild = fork_of(runs[1], "2027-03-04-130000-mother-from-300", 300, STARTED + 120)
    history = opened(grandchild)
    line = ancestors(history)
    assert [run.run for run in line] == list(runs)
    assert [int(run.series("train_loss").steps[-1]) for run in line] == [FORKED_AT - 1, 299]
    assert value_at(history, "train_loss", 10) == opened(runs[0]).value_at("train_loss", 10)
    assert value_at(history, "train_loss", 270) == opened(runs[1]).value_at("train_loss", 270)
    remove(runs[0])
    assert [run.run for run in ancestors(opened(grandchild))] == [runs[1]]


def test_before_the_fork_a_replay_sees_its_parent(runs: tuple[RunDirectory, RunDirectory]) -> None:
    history = opened(runs[1])
    past = history.at(150)
    assert past.parent is not None
    assert past.parent.series("train_loss").steps[-1] == 149
    assert (past.step, past.state, past.knobs["lr"]) == (150, "training", 1e-3)
    assert history.at(300).parent is history.parent
    assert history.at(FORKED_AT).state == "training"
    assert history.at(150).at(100).step == 100


@pytest.mark.parametrize("breaks", ["gone", "unreadable", "other run", "leads back"])
def test_a_parent_that_cannot_be_known_is_none(runs: tuple[RunDirectory, RunDirectory], breaks: str) -> None:
    parent, child = runs
    match breaks:
        case "gone":
            remove(parent)
        case "unreadable":
            parent.events_path.unlink()
            parent.events_path.mkdir()
        case "other run":
            parent.config_path.write_text(tomli_w.dumps({"started": 1.0}))
        case "leads back":
            said = {"run": child.name, "started": STARTED + 60, "step": 100}
            parent.config_path.write_text(tomli_w.dumps({"started": STARTED, "parent": said}))
    history = opened(child)
    assert len(ancestors(history)) == (breaks == "leads back")
    assert history.step == 400


def test_joined_rows_never_go_back() -> None:
    def rows(first: int, end: int) -> Rows:
        return np.arange(first, end), np.arange(first, end) / 2

    steps, values = joined([rows(0, 9), rows(5, 7), rows(3, 4)])
    assert steps.tolist() == [0, 1, 2, 3, 3]
    assert values.tolist() == [0.0, 0.5, 1.0, 1.5, 1.5]
    assert joined([rows(0, 0), rows(0, 0)])[0].tolist() == []
    own = rows(4, 6)
    assert joined([rows(0, 0), own])[0] is own[0]
    assert until(own, rows(0, 0)) is own
