"""What a run recorded as pandas DataFrames indexed by step; pandas is imported when the first one is made."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from grokterm.extras import load
from grokterm.history import ArraySeries
from grokterm.run.events import Event
from grokterm.run.table import Rows

if TYPE_CHECKING:
    import pandas as pd


def side_by_side(tables: Mapping[str, Rows]) -> "pd.DataFrame":
    """The scalars of several tables, a row for each step that any of them has; NaN where a table has no such row.

    A column whose name an earlier table has, and every one of hindsight, is called TABLE/NAME; a step that a table has
    twice counts as it was last.
    """
    frames: list[Any] = []
    taken: set[str] = set()
    for table, rows in tables.items():
        frame = of_table(rows)
        frame = frame[~frame.index.duplicated(keep="last")]
        shared = [name for name in frame.columns if name in taken or table == "hindsight"]
        frames.append(frame.rename(columns={name: f"{table}/{name}" for name in shared}))
        taken.update(frame.columns)
    return _pandas().concat(frames, axis="columns", sort=True)


def of_table(rows: Rows) -> "pd.DataFrame":
    """The scalars of one table in the types that were recorded."""
    names = [name for name in rows.dtype.names or () if name != "step" and not rows.dtype[name].shape]
    return _pandas().DataFrame({name: np.ascontiguousarray(rows[name]) for name in names}, index=_by_step(rows["step"]))


def of_array(series: ArraySeries) -> "pd.DataFrame":
    """A vector as one column an element; a matrix with a level of the columns for each axis."""
    values = series.values.reshape(len(series.steps), math.prod(series.values.shape[1:]))  # -1 fails without rows
    axes = [range(size) for size in series.values.shape[1:]]
    columns = axes[0] if len(axes) == 1 else _pandas().MultiIndex.from_product(axes)
    return _pandas().DataFrame(values, index=_by_step(series.steps), columns=columns)


def of_events(events: Sequence[Event]) -> "pd.DataFrame":
    """Events with their time, kind (`event`) and a column for each field that any of them has."""
    rows = [{"time": event.time, "event": event.kind, **event.data} for event in events]
    columns = dict.fromkeys(["time", "event", *(name for row in rows for name in row)])
    return _pandas().DataFrame(rows, index=_by_step([event.step for event in events]), columns=list(columns))


def _by_step(steps: Any) -> "pd.Index[int]":
    return _pandas().Index(np.asarray(steps, np.int64), name="step")


def _pandas() -> Any:
    return load("pandas", "to_pandas")
