"""Writes what is measured in hindsight: rows by step, after those that are there or in the place of others."""

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from grokterm.errors import RunError
from grokterm.run.directory import RunDirectory
from grokterm.run.hindsight import (
    About,
    about_path,
    beside,
    read_about,
    remove,
    remove_beside,
    tables_in,
    write_about,
)
from grokterm.run.hindsight_placing import finish_placing
from grokterm.run.plain_file import is_plain
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
    frequencies or other measures, or `again` is said. A finished measurement stays in its place until the new one,
    written beside it, is finished too; of what is done `again` nothing is left otherwise. `like`: a row as all will be.
    Raises RunError when something cannot be written; the rows before are kept.
    """

    def __init__(self, run: RunDirectory, about: About, like: Row, *, again: bool = False) -> None:
        self.run = run
        self.about = replace(about, complete=False)
        self.last = -1
        """The last step that has a row."""
        self._tables: dict[Path, TableWriter] = {}
        self._again, self._at = again, run
        try:
            finish_placing(run)
            self._at, there = _place(run, about, like, again=again)
            self._columns = _columns(self._at, like)
            if there is not None:
                self._go_on(there)
            else:
                self._begin_anew()
            for path, dtype in self._columns.items():
                self._tables[path] = TableWriter(path, dtype)
            self._file = _identity(self._at.hindsight_path)
        except OSError as error:
            raise self._refused(error) from error

    def append(self, row: Row) -> None:
        """Write a row of a later step, the vectors first: whoever sees it in hindsight.npy finds them."""
        if _columns(self._at, row) != self._columns:
            last = self.about.final_step
            raise RunError(
                f"{self.run.path}: the measures give other numbers at step {row.step:,} than at step {last:,}"
            )
        self._refuse_another()
        try:
            for name, value in row.arrays.items():
                self._write(_array_path(self._at, name), row.step, value)
            self._write(self._at.hindsight_path, row.step, *row.numbers.values())
        except OSError as error:
            raise self._refused(error) from error
        self.last = row.step

    def skip(self, step: int) -> None:
        """Write down that a checkpoint could not be read."""
        self._refuse_another()
        self._say(replace(self.about, skipped=tuple(sorted({*self.about.skipped, step}))))

    def finish(self) -> None:
        """Say that every checkpoint was gone through, once all rows are on the disk."""
        self._refuse_another()
        try:
            for table in self._tables.values():
                table.sync()
        except OSError as error:
            raise self._refused(error) from error
        self._say(replace(self.about, complete=True))
        self._refuse_another()  # removed between the last look and about.json, which would speak of rows that are gone
        if self._at != self.run:
            self._put_in_place()

    def close(self) -> None:
        """Close every table."""
        with contextlib.suppress(OSError):  # every row was written when it was appended
            for table in self._tables.values():
                table.close()
        if self._again and self._at != self.run:
            with contextlib.suppress(OSError):  # the next one who measures removes it
                remove_beside(self.run)

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
        about_path(self._at).unlink(missing_ok=True)  # first: without it nobody goes on with what is there
        for path in tables_in(self._at):
            if path not in self._columns:
                path.unlink()
        for path, dtype in self._columns.items():
            begin_anew(path, dtype)
        self._say(self.about)

    def _refuse_another(self) -> None:
        """Raise RunError where hindsight.npy is not the one that this writes: who trains a run removes it first."""
        try:
            is_ours = _identity(self._at.hindsight_path) == self._file
        except FileNotFoundError:
            is_ours = False
            remove(self.run)  # perhaps about.json was written after its trainer had removed it
        except OSError as error:
            raise self._refused(error) from error
        if not is_ours:
            raise RunError(
                f"{self.run.path} was trained again, so its hindsight ends here; measure it when that has ended"
            )

    def _say(self, about: About) -> None:
        self.about = about
        try:
            write_about(self._at, about)
        except OSError as error:
            raise self._refused(error) from error

    def _put_in_place(self) -> None:
        try:
            finish_placing(self.run)
        except OSError as error:
            self._refuse_another()  # removed meanwhile
            raise self._refused(error) from error
        self._at = self.run
        self._refuse_another()

    def _write(self, path: Path, *values: Any) -> None:
        self._tables[path].append(*values)
        self._tables[path].flush()

    def _refused(self, error: OSError) -> RunError:
        return RunError(f"what was measured of {self.run.path} cannot be written: {error.strerror}")


def finished(run: RunDirectory, about: About, like: Row) -> About | None:
    """What is said of a measurement to which nothing is to be added, as a HindsightWriter would find; else None.

    Nothing is written, and what lies beside one that is finished is still to be put in place or removed. For who holds
    the run's hindsight; about, like: as for the writer. Raises RunError where a table cannot be read.
    """
    there = read_about(run)
    if there is None or not there.complete or os.path.lexists(beside(run).path) or not _fits(run, there, about, like):
        return None
    try:
        ends = [last_row(path) for path in _columns(run, like)]
    except OSError:  # the writer tells it
        return None
    skipped = {*about.skipped, *(step for step in there.skipped if step <= about.final_step)}
    is_whole = there.checkpoints == about.checkpoints and {*there.skipped} == skipped
    return there if is_whole and all(end is not None and end["step"] == about.final_step for end in ends) else None


def _place(run: RunDirectory, about: About, like: Row, *, again: bool) -> tuple[RunDirectory, About | None]:
    """Where rows are written, and what is said of those that they go on after; None where they begin anew.

    That is beside a finished measurement which will not do; nothing else lies beside one then. Raises OSError.
    """
    new = beside(run)
    there = read_about(run)
    if there is None or not there.complete or (not again and _fits(run, there, about, like)):
        remove_beside(run)
        return run, None if there is None or again or not _fits(run, there, about, like) else there
    begun = None if again or new.path.is_symlink() else read_about(new)
    if begun is not None and _fits(new, begun, about, like):
        return new, begun
    remove_beside(run)
    new.hindsight.mkdir(parents=True)
    return new, None


def _fits(place: RunDirectory, there: About, about: About, like: Row) -> bool:
    """Whether rows of a measuring belong after those that are there."""
    return there.is_same(about) and _are_there(_columns(place, like))


def _identity(path: Path) -> tuple[int, int]:
    """Which file lies there; a removed one that is still open keeps its number. Raises OSError."""
    status = path.lstat()
    return status.st_dev, status.st_ino


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
        return all(is_plain(path) and columns_of(path) == dtype for path, dtype in columns.items())
    except RunError:
        return False


def _array_path(run: RunDirectory, name: str) -> Path:
    return run.hindsight / f"{name}.npy"
