"""What a run holds at one moment: rows are counted once, so that a run that goes on while it is read does no harm."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grokterm.errors import RunError
from grokterm.run.cuts import Cuts
from grokterm.run.directory import RunDirectory, no_run
from grokterm.run.events import Event, LineTail, encode, event_from
from grokterm.run.story import Story
from grokterm.run.table import Rows, TableReader

BLOCK_BYTES = 8 << 20
"""Of a table in memory at a time: a run may be larger than the machine's memory, and a bar should move."""
SMALL_BLOCK_BYTES = 1 << 19
"""The same where a row takes long to write."""
_WHEN = frozenset({"step", "time"})


@dataclass(frozen=True)
class RecordedTable:
    """A table and how many of its rows count. `name` is steps, tests, measures, hindsight, arrays/NAME, hindsight/NAME.

    dtype: its columns of numbers, little-endian and without gaps; columns of anything else are left out.
    cuts: tells when rows that count hold no longer, because their run was resumed.
    """

    name: str
    path: Path
    dtype: np.dtype[np.void]
    rows: int
    cuts: Cuts

    @property
    def nbytes(self) -> int:
        """The size of its rows."""
        return self.rows * self.dtype.itemsize

    @property
    def scalars(self) -> list[str]:
        """Its columns of single numbers, without step and time, in their order."""
        return [name for name in self.dtype.names or () if name not in _WHEN and not self.dtype[name].shape]

    def blocks(self, size: int = BLOCK_BYTES) -> Iterator[Rows]:
        """Yield the rows in order, about `size` bytes at a time. Raises RunError when the table was cut meanwhile."""
        reader = TableReader(self.path)
        left = self.rows
        while left:
            rows = reader.new_rows(min(left, max(1, size // self.dtype.itemsize)))
            if reader.restarted or not len(rows) or self.cuts.new():
                raise RunError(
                    f"{self.path} was cut or deleted while it was being read; if its run was resumed, export it again"
                )
            left -= len(rows)
            yield rows if rows.dtype == self.dtype else _only(rows, self.dtype)


@dataclass(frozen=True)
class RunContents:
    """A run as it was when it was looked at. `config_text` is its run.toml to the letter.

    events: those that hold. What a resumed run tells a second time is here once, as rows are: those of before were cut.
    problems: a sentence for each file that is no table although it should be; it is left out.
    """

    name: str
    config: Mapping[str, Any]
    config_text: str
    events: tuple[Event, ...]
    tables: tuple[RecordedTable, ...]
    problems: tuple[str, ...] = ()

    @property
    def nbytes(self) -> int:
        """The size of all rows."""
        return sum(table.nbytes for table in self.tables)

    @property
    def scalar_tables(self) -> list[RecordedTable]:
        """The tables of single numbers, for formats that have no place for vectors."""
        return [table for table in self.tables if table.scalars]

    @cached_property
    def times(self) -> "Times":
        """When each step was."""
        steps = next((table for table in self.tables if table.name == "steps"), None)
        known = steps is not None and "time" in (steps.dtype.names or ())
        parts = [(rows["step"], rows["time"]) for rows in steps.blocks()] if steps is not None and known else []
        last = self.events[-1].time if self.events else 0.0
        return Times(
            np.concatenate([np.zeros(0, np.int64), *(step for step, _ in parts)]),
            np.concatenate([np.zeros(0), *(time for _, time in parts)]),
            last,
        )

    def summary(self) -> str:
        """In words: how many tables, rows and events."""
        rows = sum(table.rows for table in self.tables)
        tables = "1 table" if len(self.tables) == 1 else f"{len(self.tables)} tables"
        return f"{tables}, {rows:,} rows, {len(self.events):,} events{self._without()}"

    def scalar_summary(self) -> str:
        """In words: how many scalars and events, and what is left out."""
        left_out = len(self.tables) - len(self.scalar_tables)
        also = f"; {left_out} vectors and matrices are left out, --to npz has them" if left_out else ""
        scalars = sum(len(table.scalars) for table in self.tables)
        return f"{scalars} scalars, {len(self.events):,} events{also}{self._without()}"

    def _without(self) -> str:
        return f"; left out: {'; '.join(self.problems)}" if self.problems else ""


@dataclass(frozen=True, eq=False)
class Times:
    """The recorded unix time of each step; `end` is the time of the last event."""

    steps: NDArray[np.int64]
    times: NDArray[np.float64]
    end: float

    @property
    def began(self) -> float:
        """The time of the first step."""
        return float(self.times[0]) if len(self.times) else self.end

    def of(self, steps: NDArray[np.int64]) -> NDArray[np.float64]:
        """The times of these steps: a step without a row has that of the next, behind the last row that of the end."""
        at = np.searchsorted(self.steps, steps)
        end = max(self.end, float(self.times[-1])) if len(self.times) else self.end
        return np.append(self.times, end)[np.minimum(at, len(self.times))]


def contents_of(run: RunDirectory) -> RunContents:
    """Look at a run: what is in it now. Raises RunError when it holds no row (yet) or cannot be read.

    Tables are counted in the opposite of the order in which the trainer writes them, so that a row of any table has
    its row in steps.
    """
    config = run.read_config()
    if config is None:
        raise no_run(run.path)
    cuts = Cuts(run)
    cuts.new()
    events = events_of(run)
    folders = (("arrays", run.arrays), ("hindsight", run.hindsight))
    arrays = [(f"{name}/{safe(path.stem)}", path) for name, folder in folders for path in _array_paths(folder)]
    scalars = (run.hindsight_path, run.measures_path, run.tests_path, run.steps_path)
    files = [(path.stem, path) for path in scalars]
    counted: dict[str, RecordedTable] = {}
    problems: list[str] = []
    for name, path in (*arrays, *files):
        try:
            table = _count(name, path, cuts)
        except RunError as error:
            problems.append(str(error))
        else:
            counted |= {name: table} if table is not None else {}
    tables = tuple(
        counted[name]
        for name in (*(name for name, _ in reversed(files)), *(name for name, _ in arrays))
        if name in counted
    )
    if not any(table.rows for table in tables):
        raise RunError("; ".join(problems) or f"{run.path} has recorded nothing yet, so there is nothing to export")
    if cuts.new():  # resumed meanwhile
        return contents_of(run)
    text = run.config_path.read_text(encoding="utf-8")
    return RunContents(run.name, config, text, events, tables, tuple(problems))


def events_of(run: RunDirectory) -> tuple[Event, ...]:
    """Return the events that hold, in the order of the file. Raises RunError when they cannot be read."""
    story = Story()
    for line in LineTail(run.events_path).new():
        event = event_from(line)
        if event is not None:
            story.add(event)
    return tuple(story.events)


def line_of(event: Event) -> str:
    """An event as the line of strict JSON that events.jsonl has of it, in ASCII."""
    return _json({"event": event.kind, "step": event.step, "time": event.time, **event.data})


def data_of(event: Event) -> str:
    """The fields that an event's kind has, as an object of strict JSON in ASCII."""
    return _json(event.data)


def words_of(event: Event) -> str:
    """An event's fields in words, numbers in full: "knob weight_decay, old 1.0, new 2.0, moments kept"."""
    unsaid = (event.kind, "text", "message")  # "training" for the state, not "state training"
    return ", ".join(
        ("" if name in unsaid else f"{name} ") + (said if isinstance(said := encode(value), str) else _json(value))
        for name, value in event.data.items()
        if name not in ("request", "traceback")
    )


def safe(text: str) -> str:
    """`text` as UTF-8 can hold it: half a surrogate pair, which JSON allows, becomes a question mark."""
    return text.encode("utf-8", "replace").decode()


def _json(value: object) -> str:
    return json.dumps(encode(value), allow_nan=False)


def _array_paths(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.glob("*.npy") if not path.name.startswith("."))
    except OSError as error:
        raise RunError(f"{folder} cannot be read: {error.strerror}") from error


def _count(name: str, path: Path, cuts: Cuts) -> RecordedTable | None:
    """Return a table as it is now; None when there is none. Raises RunError when it is not a table with steps."""
    reader = TableReader(path)
    first = reader.new_rows(1)
    if reader.dtype is None:
        return None
    numbers = [column for column in reader.dtype.names or () if _is_number(reader.dtype[column])]
    if "step" not in numbers or reader.dtype["step"].shape or reader.dtype["step"].kind not in "iu":
        raise RunError(f"{path} has no column of whole-numbered steps")
    if not all(column.isprintable() for column in numbers):
        raise RunError(f"{path} has a column whose name cannot be printed")
    columns = [(column, reader.dtype[column].base.newbyteorder("<"), reader.dtype[column].shape) for column in numbers]
    return RecordedTable(name, path, np.dtype(columns), len(first) + reader.behind, cuts)


def _is_number(recorded: np.dtype[Any]) -> bool:
    return recorded.base.kind in "fiub" and recorded.base.itemsize <= 8


def _only(rows: Rows, dtype: np.dtype[np.void]) -> Rows:
    kept = np.empty(len(rows), dtype)
    for name in dtype.names or ():
        kept[name] = rows[name]
    return kept
