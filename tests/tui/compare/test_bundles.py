"""Seed bundles: which runs belong together, and the median, range and number of their curves."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grokterm.history import Series
from grokterm.importers.choices import Choices
from grokterm.importers.description import configuration as configuration_of_import
from grokterm.importers.plan import plan
from grokterm.run.events import Event
from grokterm.tui.compare.bundles import bundles, spread
from tests import foreign
from tests.several_runs import configuration, edit, series


def test_runs_that_differ_in_seed_cadence_length_and_device_are_one_bundle() -> None:
    runs: list[tuple[dict[str, Any], list[Event]]] = [
        (configuration(0), []),
        (configuration(1, steps=900, measure_every=5), []),
        (configuration(2, device="cuda (H200)"), []),
    ]
    assert bundles(runs) == [(0, 1, 2)]


@pytest.mark.parametrize("other", [{"lr": 2e-3}, {"p": 59}, {"betas": [0.9, 0.99]}])
def test_any_setting_that_decides_the_numbers_parts_them(other: dict[str, object]) -> None:
    assert bundles([(configuration(0), []), (configuration(1, **other), []), (configuration(2), [])]) == [(0, 2), (1,)]


def test_knobs_turned_part_them_unless_turned_alike() -> None:
    runs = [(configuration(seed), edits) for seed, edits in enumerate([[], [edit(5, "lr", 2.0)], [edit(6, "lr", 2.0)]])]
    assert bundles(runs) == [(0,), (1,), (2,)]
    alike = [(configuration(seed), [edit(5, "lr", 2.0)]) for seed in range(2)]
    assert bundles(alike) == [(0, 1)]


def test_runs_without_settings_stay_alone() -> None:
    assert bundles([(configuration(0), []), ({}, []), ({}, [])]) == [(0,), (1,), (2,)]


def test_imported_runs_stay_alone(tmp_path: Path) -> None:
    imported = configuration_of_import(plan(foreign.saved(tmp_path, foreign.nanda(foreign.trained())), Choices()))
    trained = {name: section for name, section in imported.items() if name != "source"}
    assert bundles([(imported, []), (trained, []), (imported, []), (trained, [])]) == [(0,), (1, 3), (2,)]


def test_one_is_one_and_its_equal() -> None:
    made = spread([series([0, 5, 9], [3.0, 2.0, 1.0])])
    for values in (made.median, made.low, made.high):
        assert values.tolist() == [3.0, 2.0, 1.0]
    assert made.count.tolist() == [1, 1, 1]


def test_steps_are_united_values_held_and_no_run_counts_outside_its_range() -> None:
    made = spread([series([0, 10, 20], [1.0, 2.0, 3.0]), series([5, 10], [7.0, 9.0])])
    assert made.steps.tolist() == [0, 5, 10, 20]
    assert made.low.tolist() == [1.0, 1.0, 2.0, 3.0]
    assert made.high.tolist() == [1.0, 7.0, 9.0, 3.0]
    assert made.median.tolist() == [1.0, 4.0, 5.5, 3.0]
    assert made.count.tolist() == [1, 2, 2, 1]


def test_nan_does_not_count_and_infinity_does() -> None:
    nan, inf = float("nan"), float("inf")
    made = spread([series([0, 1], [nan, nan]), series([0, 1], [1.0, nan]), series([0, 1], [inf, nan])])
    assert made.count.tolist() == [2, 0]
    assert (made.low[0], made.median[0], made.high[0]) == (1.0, inf, inf)
    assert np.isnan([made.low[1], made.median[1], made.high[1]]).all()
    assert np.isnan(spread([series([0], [inf]), series([0], [-inf])]).median[0])


def test_nothing_recorded_is_nothing() -> None:
    assert len(spread([]).steps) == len(spread([series([], [])]).steps) == 0


def held(curve: Series, step: int) -> float | None:
    rows = [row for row, at in enumerate(curve.steps) if at <= step]
    inside = rows and step <= curve.steps[-1]
    return float(curve.values[rows[-1]]) if inside else None


def test_any_cadence_agrees_with_the_definition() -> None:
    chance = random.Random(0)
    for _ in range(60):
        curves = []
        for _ in range(chance.randrange(1, 6)):
            start, every = chance.randrange(0, 40), chance.choice([1, 3, 7, 20])
            steps = range(start, start + every * chance.randrange(1, 20), every)
            curves.append(series(steps, [chance.uniform(-5, 5) for _ in steps]))
        made = spread(curves)
        assert made.steps.tolist() == sorted({int(step) for curve in curves for step in curve.steps})
        for row, step in enumerate(made.steps.tolist()):
            there = [value for curve in curves if (value := held(curve, step)) is not None]
            assert made.count[row] == len(there)
            if there:
                assert (made.low[row], made.high[row]) == (min(there), max(there))
                assert made.median[row] == pytest.approx(float(np.median(there)), rel=1e-12)
            else:
                assert np.isnan(made.median[row])
