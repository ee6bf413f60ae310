"""What runs were told to do differently, as text, and what they are called beside each other."""

from collections.abc import Mapping, Sequence
from typing import Any

from grokterm.run.events import Event
from grokterm.tui.compare.run_names import short_names
from grokterm.tui.compare.settings import MOST_EDITS, differences_text, differing
from tests.several_runs import configuration, edit

Told = tuple[str, str, Mapping[str, Any], Sequence[Event]]


def test_only_what_differs_is_listed_the_rest_counted() -> None:
    found = differing([configuration(0), configuration(1, lr=2e-3)])
    assert [(each.name, each.values) for each in found.settings] == [
        ("optimizer.lr", ("0.001", "0.002")),
        ("training.seed", ("0", "1")),
    ]
    assert found.circumstances == ()
    assert found.equal == 10  # preset, device, and eight settings


def test_circumstances_are_kept_apart_and_what_is_missing_says_so() -> None:
    other = configuration(0, torch="2.9")
    found = differing([configuration(0), other])
    assert [(each.name, each.values) for each in found.circumstances] == [("torch", ("–", "2.9"))]
    assert found.settings == ()


def test_true_and_one_are_not_the_same() -> None:
    found = differing([configuration(0, flag=True), configuration(0, flag=1)])
    assert [each.values for each in found.circumstances] == [("true", "1")]


def test_page_has_a_column_a_run_and_the_edits() -> None:
    edits = [edit(150, "weight_decay", 2.0)]
    runs = [("1", "seed 0", configuration(0), edits), ("2", "seed 1", configuration(1), [])]
    assert differences_text(runs, 80).splitlines() == [
        "               1 seed 0  2 seed 1",
        "training.seed         0         1",
        "",
        "1 seed 0: knobs turned during the run",
        "      150  wd 1 → 2",
        "",
        "11 more are equal",
    ]


def test_many_runs_get_labels_and_blocks_that_fit() -> None:
    runs: list[Told] = [
        (label, f"a rather long name {label}", configuration(seed), []) for seed, label in enumerate("12345678")
    ]
    lines = differences_text(runs, 34).splitlines()
    assert lines[:2] == ["1 a rather long name 1", "2 a rather long name 2"]
    assert "               1  2  3  4  5  6  7" in lines
    assert "               8" in lines
    assert max(map(len, lines[9:14])) <= 34


def test_equal_runs_and_long_edits_are_told() -> None:
    edits = [edit(step, "lr", 0.1) for step in range(50)]
    text = differences_text([("1", "a", configuration(0), edits), ("2", "b", configuration(0), [])], 80)
    assert "every setting from which the numbers follow is the same" in text
    assert f"and {50 - MOST_EDITS} more" in text
    assert text.endswith("12 are equal")


def test_text_of_a_run_reaches_no_terminal() -> None:
    text = differences_text(
        [("1", "\x1b[31m", configuration(0, lr="\x1b[2J\n"), []), ("2", "b", configuration(0), [])], 80
    )
    assert "\x1b" not in text
    assert "[31m" in text


def test_names_are_the_runs_own_where_those_differ() -> None:
    paths = ["/r/2027-03-04-113000-wd03", "/r/2027-03-04-113100-wd1"]
    assert short_names(paths, [configuration(0), configuration(1)]) == ("wd03", "wd1")


def test_runs_of_one_name_are_called_by_what_sets_them_apart() -> None:
    paths = [f"/r/2027-03-04-11300{second}-mod113" for second in range(3)]
    seeds = [configuration(seed, steps=100 * (seed + 1)) for seed in range(3)]
    assert short_names(paths, seeds) == ("seed 0", "seed 1", "seed 2")
    both = [configuration(seed, lr=lr) for seed, lr in ((0, 0.1), (0, 0.2), (1, 0.1))]
    assert short_names(paths, both) == ("lr 0.1 seed 0", "lr 0.2 seed 0", "lr 0.1 seed 1")
    assert short_names([*paths, "/r/2027-03-04-113000-mod59"], [*seeds, configuration(0, p=59)]) == (
        "mod113 seed 0",
        "mod113 seed 1",
        "mod113 seed 2",
        "mod59",
    )


def test_runs_told_the_same_are_called_by_when_or_where() -> None:
    paths = ["/r/2027-03-04-113000-mod113", "/r/2027-03-04-121500-mod113"]
    assert short_names(paths, [configuration(0)] * 2) == ("113000", "121500")
    assert short_names(["/a/one/run", "/a/two/run"], [configuration(0)] * 2) == ("one", "two")
