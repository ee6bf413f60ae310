"""Whether two runs tell the same: every row, every event that holds, the last state; clocks apart."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from grokterm.history import History
from grokterm.run import checkpoint
from grokterm.run.directory import RunDirectory
from grokterm.run.events import Event
from grokterm.run.table import read_table

BY_THE_CLOCK = frozenset({"time", "seconds", "measures_share"})
"""Columns that say how long something took."""
ABOUT_THE_BREAK = frozenset({"resumed", "training", "paused", "stopping", "detached"})


def history(run: RunDirectory) -> History:
    """The run as its directory tells it now."""
    found = History(run)
    found.poll()
    return found


def differences(one: RunDirectory, other: RunDirectory) -> list[str]:
    """What is not the same, in words; nothing for equal runs."""
    found = []
    tables = ["steps.npy", "tests.npy", "measures.npy", *sorted(f"arrays/{path.name}" for path in one.arrays.iterdir())]
    if {path.name for path in one.arrays.iterdir()} != {path.name for path in other.arrays.iterdir()}:
        found.append("other arrays")
    for name in tables:
        found += _columns(name, read_table(one.path / name), read_table(other.path / name))
    ours, theirs = told(history(one)), told(history(other))
    found += [f"event {number}: {a} ≠ {b}" for number, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b]
    if len(ours) != len(theirs):
        found.append(f"{len(ours)} events ≠ {len(theirs)}")
    return found + _states(one, other)


def _columns(name: str, ours: Any, theirs: Any) -> list[str]:
    if ours.dtype != theirs.dtype:
        return [f"{name}: other columns"]
    if len(ours) != len(theirs):
        return [f"{name}: {len(ours)} rows ≠ {len(theirs)}"]
    compared = [column for column in ours.dtype.names if column not in BY_THE_CLOCK]
    return [f"{name}: {column}" for column in compared if _bytes(ours[column]) != _bytes(theirs[column])]


def _bytes(values: Any) -> bytes:
    return np.ascontiguousarray(values).tobytes()


def told(found: History) -> list[tuple[str, int, Mapping[str, object]]]:
    said = (event for event in found.events if event.kind not in ("refused", "waited"))  # these are not said twice
    return [_what(event) for event in said if event.data.get("state") not in ABOUT_THE_BREAK]


def _what(event: Event) -> tuple[str, int, Mapping[str, object]]:
    return event.kind, event.step, {key: value for key, value in event.data.items() if key != "request"}


def _states(one: RunDirectory, other: RunDirectory) -> list[str]:
    ends = [checkpoint.list_checkpoints(run.checkpoints)[-1] for run in (one, other)]
    if ends[0].step != ends[1].step:
        return [f"last checkpoint {ends[0].step} ≠ {ends[1].step}"]
    ours, theirs = (checkpoint.read(end.path) for end in ends)
    return unequal_tensors(ours, theirs)


def unequal_tensors(one: checkpoint.Checkpoint, other: checkpoint.Checkpoint) -> list[str]:
    """What is not the same in two full checkpoints of one step.

    One may have been written before that step was evaluated, and one after it: the norms that the rule of the phases
    looks back at differ then.
    """
    if one.tensors.keys() != other.tensors.keys():
        return ["other tensors"]
    same_moment = one.state.get("evaluated") == other.state.get("evaluated")
    compared = [name for name in one.tensors if same_moment or name != "phases/norms"]
    return [name for name in compared if _bytes(one.tensors[name]) != _bytes(other.tensors[name])]
