"""Writes what is measured in hindsight: rows by step, after those that are there or in the place of others."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from grokterm.errors import RunError
from grokterm.run.directory import RunDirectory
from grokterm.run.hindsight import About, about_path, read_about, write_about
from grokterm.run.table import TableWriter, begin_anew, columns_of, cut_after, last_row


@dataclass(frozen=True, eq=False)
class Row:
    """The measures of one checkpoint: single numbers, and vectors and matrices, by name."""

    step: int
    numbers: Mapping[str, float]
    arrays: Mapping[str, NDArray[Any]]

    @property
    def names(self) -> tuple[str, ...]:
        """What it measures."""
        return (*self.numbers, *self.arrays)


class HindsightWriter:
    """Appends rows to the tables of one run, whose lock is `held`, as a context manager.

    It goes on after the rows that are there, or begins anew where they belong to another last checkpoint, other key
    frequencies or other measures, or `again` is said. `like`: a row as all will be. Raises RunError when something
    cannot be written; the rows before are kept.
    """

    def __init__(self, run: RunDirectory, about: About, like: Row, *, again: bool = False) -> None:
        self.run = run
        self.about = replace(about, complete=False)
        self.last = -1
        """The last step that has a row."""
        self._tables: dict[Path, TableWriter] = {}
        self._columns = _columns(run, like)
        there = None if again else read_about(run)
        try:
            if there is not None and there.is_same(about) and _are_there(self._columns):
                self._go_on(there)
            else:
                self._begin_anew()
            for path, dtype in self._columns.items():
                self._tables[path] = TableWriter(path, dtype)
        except OSError as error:
            raise self._refused(error) from error

    def append(self, row: Row) -> None:
        """Write a row of a later step, the vectors first: whoever sees it in hindsight.npy finds them."""
        if _columns(self.run, row) != self._columns:
            last = self.about.final_step
            raise RunError(
                f"{self.run.path}: the measures give other numbers at step {row.step:,} than at step {last:,}"
            )
        try:
            for name, value in row.arrays.items():
                self._write(_array_path(self.run, name), row.step, value)
            self._write(self.run.hindsight_path, row.step, *row.numbers.values())
        except OSError as error:
            raise self._refused(error) from error
        self.last = row.step

    def skip(self, step: int) -> None:
        """Write down that a checkpoint could not be read."""
        self._say(replace(self.about, skipped=tuple(sorted({*self.about.skipped, step}))))

    def finish(self) -> None:
        """Say that every checkpoint was gone through, once all rows are on the disk."""
        try:
            for table in self._tables.values():
                table.sync()
        except OSError as error:
            raise self._refused(error) from error
        self._say(replace(self.about, complete=True))

    def close(self) -> None:
        """Close every table."""
        with contextlib.suppress(OSError):  # every row was written when it was appended
            for table in self._tables.values():
                table.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _go_on(self, there: About) -> None:
        """Keep the rows that every table has; a writer that died may have left some of its last one."""
        ends = [last_row(path) for path in self._columns]
        self.last = min(-1 if end is None else int(end["step"]) for end in ends)
        for path, end in zip(self._columns, ends, strict=True):
            if end is not None and int(end["step"]) > self.last:
                cut_after(path, self.last)
        skipped = tuple(sorted({*self.about.skipped, *(step for step in there.skipped if step <= self.last)}))
        is_whole = there.complete and there.checkpoints == self.about.checkpoints and there.skipped == skipped
        self.about = replace(self.about, skipped=skipped, complete=is_whole)
        if self.about != there:
            self._say(self.about)

    def _begin_anew(self) -> None:
        about_path(self.run).unlink(missing_ok=True)  # first: without it nobody goes on with what is there
        for path in self.run.hindsight.glob("*.npy"):
            if path not in self._columns:
                path.unlink()
        for path, dtype in self._columns.items():
            begin_anew(path, dtype)
        self._say(self.about)

    def _say(self, about: About) -> None:
        self.about = about
        try:
            write_about(self.run, about)
        except OSError as error:
            raise self._refused(error) from error

    def _write(self, path: Path, *values: Any) -> None:
        self._tables[path].append(*values)
        self._tables[path].flush()

    def _refused(self, error: OSError) -> RunError:
        return RunError(f"what was measured of {self.run.path} cannot be written: {error.strerror}")


def _columns(run: RunDirectory, like: Row) -> dict[Path, "np.dtype[np.void]"]:
    """What a row of each table holds; hindsight.npy comes first."""
    scalars: list[tuple[Any, ...]] = [("step", "<i8"), *((name, "<f8") for name in like.numbers)]
    columns = {run.hindsight_path: np.dtype(scalars)}
    for name, value in like.arrays.items():
        kind = "<f4" if value.dtype.itemsize < 8 else "<f8"
        columns[_array_path(run, name)] = np.dtype([("step", "<i8"), ("value", kind, value.shape)])
    return columns


def _are_there(columns: Mapping[Path, "np.dtype[np.void]"]) -> bool:
    """Whether every table is there with these columns."""
    try:
        return all(columns_of(path) == dtype for path, dtype in columns.items())
    except RunError:
        return False


def _array_path(run: RunDirectory, name: str) -> Path:
    return run.hindsight / f"{name}.npy"
