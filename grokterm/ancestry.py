"""What a fork's rows are preceded by: those of the run that it was made from, up to there, and of that one's parent.

Nothing of it is copied into the fork's directory. `find_parents` reads the parents once, into `History.parent`; the
rest answers questions about a run and its ancestors together.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grokterm.errors import RunError
from grokterm.growing import Rowwise
from grokterm.history import ArraySeries, History, Series
from grokterm.run.lineage import Parent, parent_of

Rows = tuple[NDArray[np.int64], NDArray[Any]]
"""Steps and values."""


def find_parents(history: History) -> None:
    """Read the parent of a fork, the parent's parent, and so on, each up to where the next one was made from it.

    `history.config` is known. A parent that is gone, or cannot be read, is none.
    """
    child, line = history, {history.run.name}
    while (said := Parent.of(child.config or {})) is not None:
        try:
            found = parent_of(child.run, child.config or {})
            if found is None or found.name in line:
                return
            parent = History(found)
            parent.poll()
        except RunError:
            return
        child.parent = parent.at(said.step)
        child = child.parent
        line.add(found.name)


def ancestors(history: History) -> list[History]:
    """The parents of a run that are known, the oldest first."""
    line: list[History] = []
    while history.parent is not None:
        history = history.parent
        line.insert(0, history)
    return line


def forked_at(history: History) -> Parent | None:
    """What a fork says of its parent, which may be gone; None for a run that is no fork."""
    return Parent.of(history.config or {})


def first_step(history: History) -> int:
    """The step at which the run's own rows begin."""
    parent = forked_at(history)
    return 0 if parent is None else parent.step


def whole_series(history: History, name: str) -> Series:
    """A scalar over the steps of the run and of its ancestors."""
    found = [run.series(name) for run in (*ancestors(history), history)]
    return Series(*joined([(series.steps, series.values) for series in found]))


def names(history: History) -> tuple[str, ...]:
    """Every scalar series of a run or of its ancestors: its own come first."""
    runs = (history, *reversed(ancestors(history)))
    return tuple(dict.fromkeys(name for run in runs for name in run.names()))


def array_names(history: History) -> tuple[str, ...]:
    """Every vector or matrix series of a run or of its ancestors, by name."""
    return tuple(sorted({name for run in (history, *ancestors(history)) for name in run.array_names()}))


def value_at(history: History, name: str, step: int) -> tuple[int, float] | None:
    """Step and value of the last row at or before a step, an ancestor's where the run itself has none."""
    for run in (history, *reversed(ancestors(history))):
        if (found := run.value_at(name, step)) is not None:
            return found
    return None


def array_at(history: History, name: str, step: int | None, through: Rowwise | None = None) -> ArraySeries:
    """The array of the run, or else the nearest ancestor, that has a row at or before a step (None: any).

    The run's own, empty one where there is none.
    """
    for run in (history, *reversed(ancestors(history))):
        found = run.array(name, through)
        if len(found.steps) and (step is None or found.steps[0] <= step):
            return found
    return history.array(name, through)


def whole_array(history: History, name: str, through: Rowwise | None = None) -> ArraySeries:
    """The array over the steps of the run and of its ancestors, of those with rows of the same shape."""
    parts = [run.array(name, through) for run in (*ancestors(history), history)]
    parts = [part for part in parts if len(part.steps)]
    alike = [part for part in parts if part.values.shape[1:] == parts[-1].values.shape[1:]]
    if not alike:
        return history.array(name, through)
    steps, values = joined([(part.steps, part.values) for part in alike])
    return ArraySeries(steps, values)


def joined(parts: Sequence[Rows]) -> Rows:
    """Rows of several runs in a line, the oldest first, as one; nothing is copied where only one of them has any.

    Steps never decrease: of an older run, what lies after the first row of a younger one is left out.
    """
    kept = [parts[-1]]
    for rows in reversed(parts[:-1]):
        before = until(rows, kept[0])
        if len(before[0]):
            kept = [before, *kept] if len(kept[0][0]) else [before]
    if len(kept) == 1:
        return kept[0]
    steps, values = (np.concatenate([part[column] for part in kept]) for column in (0, 1))
    return steps, values


def until(older: Rows, younger: Rows) -> Rows:
    """The rows of an older run up to the first one of a younger run."""
    if not len(younger[0]):
        return older
    end = int(np.searchsorted(older[0], younger[0][0], side="right"))
    return older[0][:end], older[1][:end]
