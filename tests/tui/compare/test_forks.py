"""Forks compared: with their parent when they are named alone, on one axis with it, and never taken for a seed."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from grokterm.cli import app
from grokterm.errors import UsageError
from grokterm.run.directory import RunDirectory
from grokterm.tui.compare.bundles import bundles
from grokterm.tui.compare.compared import Followed
from grokterm.tui.compare.comparison import Comparison, with_parent
from grokterm.tui.compare.overlay import Terms
from grokterm.tui.compare.panels import draw_panel
from grokterm.tui.compare.run_names import short_names
from grokterm.tui.compare.settings import differing, intervention_text
from grokterm.tui.looks import Looks
from tests.forked import FORKED_AT, STARTED, parent_and_fork, remove
from tests.several_runs import configuration

SAID = {"run": "mother", "started": STARTED, "step": 250}
ENTRY = {"at": 1600, "set": {"lr": 2e-3, "weight_decay": 0.5}, "moments": "kept"}


@pytest.fixture
def runs(tmp_path: Path) -> tuple[RunDirectory, RunDirectory]:
    return parent_and_fork(tmp_path)


def test_a_fork_named_alone_is_compared_with_its_parent(runs: tuple[RunDirectory, RunDirectory]) -> None:
    parent, fork = runs
    assert with_parent([fork]) == [parent, fork]
    assert with_parent([parent]) == [parent]
    assert with_parent([fork, parent]) == [fork, parent]
    remove(parent)
    with pytest.raises(UsageError, match=f"is a fork of {parent.name}, which is not beside it; name a second run"):
        with_parent([fork])


def test_both_are_drawn_on_one_axis(runs: tuple[RunDirectory, RunDirectory]) -> None:
    comparison = Comparison([Followed(run).now for run in runs])
    assert comparison.last == 400
    mother, fork = (comparison.trace(track, "weight_norm_sq") for track in comparison.tracks)
    assert mother is not None
    assert fork is not None
    assert (mother.x[0], fork.x[0]) == (0, 260)
    assert (mother.reading(100), fork.reading(100)) == ("2125", "")
    assert (mother.reading(300), fork.reading(300)) == ("1375", "687.5")
    assert (FORKED_AT, "2 fork of mother") in [(mark.x, mark.label) for mark in comparison.marks(None)]
    for cursor in (None, 0, 100, FORKED_AT, 399):
        for since in (False, True):
            there = Comparison(comparison.runs, since_memorised=since, bundled=True)
            for digit in range(1, 9):
                drawn = draw_panel(there, digit, Terms(since), Looks(cursor=cursor, smooth=True), 80, 20)
                assert drawn is not None
                assert len(drawn.rows) == 20


def printed(runs: Path, *arguments: str) -> str:
    result = CliRunner().invoke(app, ["compare", "--runs", str(runs), *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_a_comparison_with_the_parent_is_printed(runs: tuple[RunDirectory, RunDirectory]) -> None:
    parent, fork = runs
    text = printed(parent.path.parent, fork.name)
    assert [line.split()[:2] for line in text.splitlines()[1:3]] == [["1", "mother"], ["2", "mother-from-250"]]
    assert [line.split() for line in text.splitlines() if line.startswith("parent.step")] == [
        ["parent.step", "–", "250"]
    ]
    told = json.loads(printed(parent.path.parent, fork.name, "--json"))
    assert [run["path"] for run in told["runs"]] == [str(parent.path), str(fork.path)]
    assert told["settings"] == {"parent.run": [None, parent.name], "parent.step": [None, "250"]}
    assert told["runs"][1]["edits"] == []


def test_interventions_are_told_in_words() -> None:
    found = differing([configuration(), configuration(interventions=[ENTRY, {"when": "x > 1", "set": {"eps": 1e-7}}])])
    assert [(each.name, each.values) for each in found.settings] == [
        ("interventions.1", ("–", "at 1,600: lr 0.002, wd 0.5")),
        ("interventions.2", ("–", "x > 1: eps 1e-07")),
    ]
    assert intervention_text({**ENTRY, "moments": "reset"}) == "at 1,600: lr 0.002, wd 0.5, moments reset"
    many = differing([configuration(), configuration(interventions=[ENTRY] * 10)]).settings
    assert [each.name for each in many][:2] == ["interventions.01", "interventions.02"]


@pytest.mark.parametrize("odd", [1, "soon", [1, "x"], [[1]], {"at": 5}, [{"at": "soon", "set": 3}], [{}]])
def test_odd_interventions_break_nothing(odd: Any) -> None:
    found = differing([configuration(), configuration(interventions=odd, parent=odd)])
    assert found.settings
    assert bundles([(configuration(interventions=odd), []), (configuration(1, interventions=odd), [])]) == [(0, 1)]


def test_forks_and_other_plans_are_in_no_bundle() -> None:
    def grouped(*configurations: dict[str, Any]) -> list[tuple[int, ...]]:
        return bundles([(each, []) for each in configurations])

    assert grouped(configuration(0), configuration(1), configuration(2, interventions=[ENTRY])) == [(0, 1), (2,)]
    assert grouped(configuration(0, interventions=[ENTRY]), configuration(1, interventions=[ENTRY])) == [(0, 1)]
    assert grouped(configuration(0, parent=SAID), configuration(1, parent=SAID)) == [(0,), (1,)]


def test_forks_from_one_step_are_told_apart_by_what_they_do() -> None:
    paths = [f"/r/2027-03-04-11300{index}-mother-from-600" for index in range(3)]
    other = {**ENTRY, "set": {"lr": 3e-3}}
    plans = [configuration(interventions=entries, parent=SAID) for entries in ([ENTRY], [other], [])]
    assert short_names(paths, plans) == ("at 1,600: lr 0.002, wd 0.5", "at 1,600: lr 0.003", "mother-from-600")
