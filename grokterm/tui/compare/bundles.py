"""Seed bundles: runs that differ in nothing but the seed, and the band that their curves make together. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grokterm.history import Series
from grokterm.run.configuration import is_imported, setting, setting_names
from grokterm.run.events import Event

DECIDE = ("task", "model", "optimizer", "training")
"""The sections of run.toml from which a run's numbers follow."""
SEEDS = frozenset({"task.split_seed", "training.seed"})
LEFT_OPEN = SEEDS | {
    f"training.{name}" for name in ("steps", "test_every", "measure_every", "checkpoint_every", "device", "threads")
}
"""What runs of a bundle may differ in: the seeds, and how long, how often looked at, and on what they were trained."""


@dataclass(frozen=True, eq=False)
class Spread:
    """Several curves as one, over the steps of all of them: median, lowest and highest value, and of how many."""

    steps: NDArray[np.int64]
    median: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    count: NDArray[np.int64]


def bundles(runs: Sequence[tuple[Mapping[str, Any], Sequence[Event]]]) -> list[tuple[int, ...]]:
    """The indices of runs, given as configuration and edits, in groups that are equal but for LEFT_OPEN.

    A run that was imported is a group by itself, for some of its settings are assumptions; so is a fork, for some of
    what was done to it is told in its parent, and a run without settings.
    """
    groups: dict[object, list[int]] = {}
    for index, (configuration, edits) in enumerate(runs):
        sections = {name: configuration[name] for name in DECIDE if isinstance(configuration.get(name), Mapping)}
        names = setting_names([sections]) - LEFT_OPEN
        told = frozenset((name, repr(setting(sections, name))) for name in names)
        turned = tuple((event.step, repr(sorted(event.data.items()))) for event in map(_turned, edits))
        planned = repr(configuration.get("interventions"))
        known = bool(sections) and not is_imported(configuration) and "parent" not in configuration
        groups.setdefault((told, planned, turned) if known else index, []).append(index)
    return [tuple(group) for group in groups.values()]


def _turned(edit: Event) -> Event:
    """An edit as far as it changes the training."""
    kept = {name: edit.data[name] for name in ("knob", "new", "moments") if name in edit.data}
    return Event(edit.step, 0.0, edit.kind, kept)


def spread(curves: Sequence[Series]) -> Spread:
    """Make one of several curves (steps never decrease).

    At every step of any of them a curve counts with its value recorded last, from its first step to its last one. A
    NaN does not count. The median of an even number is the mean of the two in the middle.
    """
    curves = [curve for curve in curves if len(curve.steps)]
    if not curves:
        nothing = np.zeros(0)
        return Spread(np.zeros(0, np.int64), nothing, nothing, nothing, np.zeros(0, np.int64))
    first = curves[0].steps
    if all(np.array_equal(curve.steps, first) for curve in curves[1:]):
        steps, values = first, np.stack([curve.values for curve in curves])
    else:
        steps = np.unique(np.concatenate([curve.steps for curve in curves]))
        values = np.stack([_held(curve, steps) for curve in curves])
    values.sort(axis=0)  # NaN comes last
    count = len(curves) - np.isnan(values).sum(axis=0)
    column = np.arange(len(steps))
    below = values[np.maximum(count - 1, 0) // 2, column]
    above = values[np.minimum(count // 2, len(curves) - 1), column]
    with np.errstate(invalid="ignore"):  # inf and -inf have no mean
        middle = np.where(below == above, below, below / 2 + above / 2)
    return Spread(steps, middle, values[0], values[np.maximum(count - 1, 0), column], count)


def _held(curve: Series, steps: NDArray[np.int64]) -> NDArray[np.float64]:
    """The value recorded last at every step, NaN before the first and after the last one."""
    rows = np.searchsorted(curve.steps, steps, side="right") - 1
    values: NDArray[np.float64] = np.where(
        (rows >= 0) & (steps <= curve.steps[-1]), curve.values[np.maximum(rows, 0)], np.nan
    )
    return values
