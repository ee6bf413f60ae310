"""Tables in memory that keep up with files which others append to, and the columns that they are made of."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from grokterm.errors import RunError
from grokterm.run.table import Rows, TableReader

ROWS_AT_ONCE = 65_536
"""A million rows pass through a few megabytes instead of being held twice."""
_FIRST_CAPACITY = 1024  # rows

Rowwise = Callable[[NDArray[Any]], NDArray[Any]]
"""Makes rows from rows, each from its own alone."""


class Column:
    """A column that grows: a contiguous buffer, doubled when it is full, so that a look at it copies nothing.

    most: with so many values after the latest, older ones are forgotten now and then.
    """

    def __init__(self, dtype: DTypeLike, shape: tuple[int, ...], most: int | None = None) -> None:
        self.is_scalar = not shape
        self._most = most
        self._buffer: NDArray[Any] = np.empty((0, *shape), dtype)
        self._length = 0

    def extend(self, values: NDArray[Any], more: int) -> None:
        """Append values; `more` is how many are known to follow."""
        if self._most is not None:
            more = 0
            if self._length > 2 * self._most:
                self._buffer = self._buffer[self._length - self._most : self._length].copy()
                self._length = self._most
        end = self._length + len(values)
        if end > len(self._buffer):
            capacity = max(end + more, 2 * self._length, _FIRST_CAPACITY)
            grown = np.empty((capacity, *self._buffer.shape[1:]), self._buffer.dtype)
            grown[: self._length] = self._buffer[: self._length]
            self._buffer = grown
        self._buffer[self._length : end] = values
        self._length = end

    def view(self) -> NDArray[Any]:
        """Every value so far, read-only; one taken before stays as it is."""
        view = self._buffer[: self._length]
        view.flags.writeable = False
        return view


class Table:
    """The columns of one table file, kept up with it. `problem` says why it has none although there is a file.

    most: of longer tables only about so many of the latest rows are kept, and `through` does not apply.
    """

    def __init__(self, path: Path, most: int | None = None) -> None:
        self._most = most
        self.columns: dict[str, Column] = {}
        self.problem = ""
        self._made: dict[Rowwise, Column] = {}
        self._reader = TableReader(path)
        self._forgotten = False  # since the last poll

    def poll(self) -> bool:
        """Read what is new and say whether anything changed. A file that is no table is a `problem`, no error."""
        before = self.problem
        try:
            changed = self._read()
            self.problem = ""
        except RunError as error:
            changed = bool(self.columns)
            self.forget()  # what is read of it next is read from its first row
            self.problem = str(error)
        changed |= self._forgotten
        self._forgotten = False
        return changed or self.problem != before

    def forget(self) -> None:
        """Give up what was read, of a file that has other rows now: the next poll reads them all."""
        self._forgotten |= bool(self.columns)
        self.columns.clear()
        self._made.clear()
        self._reader = TableReader(self._reader.path)

    def _read(self) -> bool:
        changed = False
        while True:
            rows = self._reader.new_rows(ROWS_AT_ONCE)
            if self._reader.restarted:
                self.columns.clear()
                self._made.clear()
            if not self.columns and rows.dtype.names:
                self.columns.update(self._columns_for(rows))
            for name, column in self.columns.items() if len(rows) else ():
                column.extend(rows[name], self._reader.behind)
            changed |= bool(len(rows)) or self._reader.restarted
            if not self._reader.behind:
                return changed

    def through(self, make: Rowwise, column: "Column") -> NDArray[Any]:
        """What `make` makes of a column's rows; those that it has not seen yet are given to it now, some at a time."""
        values = column.view()
        made = self._made.get(make)
        if made is None:
            like = make(values[:0])
            made = self._made[make] = Column(like.dtype, like.shape[1:])
        while len(made.view()) < len(values):
            done = len(made.view())
            made.extend(make(values[done : done + ROWS_AT_ONCE]), max(len(values) - done - ROWS_AT_ONCE, 0))
        return made.view()

    def steps(self) -> NDArray[np.int64]:
        """The step of every row."""
        return self.columns["step"].view() if "step" in self.columns else np.zeros(0, np.int64)

    def _columns_for(self, rows: Rows) -> dict[str, Column]:
        """Make the columns a viewer can show: scalars as float64, steps as int64, arrays in their own dtype."""
        columns = {}
        for name in rows.dtype.names or ():
            recorded = rows.dtype[name]
            if recorded.base.kind in "fiub":
                dtype = np.int64 if name == "step" else recorded.base if recorded.shape else np.float64
                columns[name] = Column(dtype, recorded.shape, self._most)
        if "step" not in columns or not columns["step"].is_scalar or rows.dtype["step"].kind not in "iu":
            raise RunError(f"{self._reader.path} has no column of whole-numbered steps")
        return columns
