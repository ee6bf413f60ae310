"""Tables that grow: plain .npy files of structured records, appended row by row by one writer and read while they grow.

The number of rows is taken from the file's size. The header's count follows the data, so `np.load` never sees a row
that is not there yet, and a stale count or a torn last row does no harm.
"""

import os
import struct
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

from grokterm.errors import RunError
from grokterm.run.positioned import read_at, write_at
from grokterm.run.table_header import COUNT, create_table, header_of, read_header, with_count

Rows = NDArray[np.void]

_NO_COLUMNS: np.dtype[np.void] = np.dtype([])
_STRUCT_CODES = {"<i8": "q", "<f8": "d"}


class TableWriter:
    """Appends rows to one table; creates the file, or continues one with the same columns.

    Raises RunError when the file cannot be created or continued. `flush`, `sync` and `close` raise OSError when the
    disk refuses: the rows then stay buffered and the next flush writes them again at the same place.
    """

    def __init__(self, path: Path, dtype: DTypeLike) -> None:
        self.path = path
        self.dtype = np.dtype(dtype)
        self._pending = bytearray()
        self._counted = -1  # rows that the header speaks of; unknown
        self._header = header_of(self.dtype)
        self._count_at = self._header.rindex(b"(")
        self._row_struct = _row_struct(self.dtype)
        try:
            if not path.exists() or path.stat().st_size == 0:
                create_table(path, self._header)
            self._file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except OSError as error:
            raise RunError(f"{path} cannot be written: {error.strerror}") from error
        try:
            self._end = self._continue()
        except OSError as error:
            os.close(self._file)
            raise RunError(f"{path} cannot be written: {error.strerror}") from error
        except BaseException:
            os.close(self._file)
            raise

    def _continue(self) -> int:
        """Cut a torn last row and return the offset at which the next row goes."""
        dtype, data_at = read_header(self._file, self.path)
        if dtype != self.dtype or data_at != len(self._header):
            raise RunError(f"{self.path} has other columns than this run records: {_names(dtype)}")
        size = os.fstat(self._file).st_size
        end = size - (size - data_at) % dtype.itemsize
        os.ftruncate(self._file, end)
        return end

    @property
    def rows(self) -> int:
        """Rows written to the file so far, without those still buffered."""
        return (self._end - len(self._header)) // self.dtype.itemsize

    def append(self, *values: Any) -> None:
        """Buffer one row: a value per column, in the columns' order (a scalar fills a column that has a shape)."""
        if self._row_struct is not None:
            self._pending += self._row_struct.pack(*values)
        else:
            self._pending += np.array([values], self.dtype).tobytes()

    def flush(self) -> None:
        """Write the buffered rows, then the header's row count: data first, so that no reader is promised too much."""
        if self._pending:
            write_at(self._file, bytes(self._pending), self._end)
            self._end += len(self._pending)
            self._pending.clear()
        if self._counted != self.rows:
            shape = f"({self.rows},), }}".encode()
            tail = shape.ljust(len(self._header) - self._count_at - 1) + b"\n"
            write_at(self._file, tail, self._count_at)
            self._counted = self.rows

    def sync(self) -> None:
        """Flush, then wait until the rows are on the disk."""
        self.flush()
        os.fsync(self._file)

    def close(self) -> None:
        """Flush and close; closing twice is harmless."""
        if self._file < 0:
            return
        try:
            self.flush()
        finally:
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class TableReader:
    """Follows a table that somebody else writes; opens the file only when its size says that there is more to read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.dtype: np.dtype[np.void] | None = None
        """The table's columns; None until the file exists."""
        self.restarted = False
        """True when the rows of the latest `new_rows` start again at row 0: the file was cut or replaced."""
        self.behind = 0
        """Rows that were there at the latest `new_rows` and not returned by it."""
        self._inode = 0
        self._next = 0  # offset of the first byte not yet returned

    def new_rows(self, most: int | None = None) -> Rows:
        """Return the rows appended since the last call, at most so many; 0 rows (without columns while the file is
        missing).

        Raises RunError when the file cannot be read or its header is not a table's.
        """
        self.restarted = False
        self.behind = 0
        try:
            status = os.stat(self.path)  # noqa: PTH116 - half the price of Path.stat, and this runs every frame
        except FileNotFoundError:  # not there yet, or deleted: what was read of it stays known
            return self._no_rows()
        except OSError as error:
            raise RunError(f"{self.path} cannot be read: {error.strerror}") from error
        if self.dtype is not None and (status.st_size < self._next or status.st_ino != self._inode):
            self._start_over()
        if status.st_size == 0 or (self.dtype is not None and status.st_size - self._next < self.dtype.itemsize):
            return self._no_rows()
        self._inode = status.st_ino
        return self._read(status.st_size, most)

    def _read(self, size: int, most: int | None) -> Rows:
        try:
            file = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise RunError(f"{self.path} cannot be read: {error.strerror}") from error
        try:
            if self.dtype is None:
                self.dtype, self._next = read_header(file, self.path)
            there = max(size - self._next, 0) // self.dtype.itemsize
            count = there if most is None else min(there, most)
            content = read_at(file, count * self.dtype.itemsize, self._next)
        except OSError as error:
            raise RunError(f"{self.path} cannot be read: {error.strerror}") from error
        finally:
            os.close(file)
        rows = np.frombuffer(content, self.dtype, count=len(content) // self.dtype.itemsize)
        self._next += rows.nbytes
        self.behind = there - count
        return rows

    def _start_over(self) -> None:
        self.restarted = self.dtype is not None
        self.dtype = None
        self._next = 0

    def _no_rows(self) -> Rows:
        return np.zeros(0, _NO_COLUMNS if self.dtype is None else self.dtype)


def read_table(path: Path) -> Rows:
    """Return the whole table, its row count taken from the file's size.

    Raises RunError when the file is missing, cannot be read, or is not a table.
    """
    reader = TableReader(path)
    rows = reader.new_rows()
    if reader.dtype is None:
        raise RunError(f"{path} is {'empty' if path.exists() else 'missing'}, so there is no table to read")
    return rows


def last_row(path: Path) -> np.void | None:
    """Return a table's last complete row without reading the others; None when it has none, or there is no such file.

    Raises RunError when the file cannot be read or is not a table.
    """
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}") from error
    try:
        if not os.fstat(file).st_size:
            return None
        dtype, data_at = read_header(file, path)
        while (rows := (os.fstat(file).st_size - data_at) // dtype.itemsize) > 0:
            content = read_at(file, dtype.itemsize, data_at + (rows - 1) * dtype.itemsize)
            if len(content) == dtype.itemsize:  # else the file was cut meanwhile
                row: np.void = np.frombuffer(content, dtype)[0]
                return row
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}") from error
    finally:
        os.close(file)
    return None


def columns_of(path: Path) -> np.dtype[np.void] | None:
    """Return what a row of a table holds; None where there is no table yet. Raises RunError as `read_table` does."""
    try:
        with path.open("rb") as file:
            return read_header(file.fileno(), path)[0] if os.fstat(file.fileno()).st_size else None
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}") from error


def begin_anew(path: Path, dtype: DTypeLike) -> None:
    """Put a table without rows where there may be one, of any columns. Raises OSError.

    It takes the other one's place in one rename, so that whoever follows it sees another file.
    """
    create_table(path, header_of(np.dtype(dtype)))


def cut_after(path: Path, step: int) -> None:
    """Cut the rows of later steps off a table, durably; harmless where there is no table yet.

    The header's count is lowered before the rows go, so that it never speaks of rows that are not there. Raises
    RunError when the file is not a table, or cannot be cut.
    """
    try:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    except OSError as error:
        raise RunError(f"{path} cannot be cut: {error.strerror}") from error
    try:
        size = os.fstat(file).st_size
        if not size:
            return
        dtype, data_at = read_header(file, path)
        if "step" not in (dtype.names or ()):
            raise RunError(f"{path} has no column of steps")
        kept, end = 0, (size - data_at) // dtype.itemsize
        while kept < end:  # steps never decrease: the first later one is found by halving
            middle = (kept + end) // 2
            row = np.frombuffer(read_at(file, dtype.itemsize, data_at + middle * dtype.itemsize), dtype)[0]
            kept, end = (middle + 1, end) if int(row["step"]) <= step else (kept, middle)
        count = COUNT.search(read_at(file, data_at, 0))
        if count is not None and len(counted := with_count(count, kept)) == len(count[0]):
            write_at(file, counted, count.start())
        os.ftruncate(file, data_at + kept * dtype.itemsize)
        os.fsync(file)
    except OSError as error:
        raise RunError(f"{path} cannot be cut: {error.strerror}") from error
    finally:
        os.close(file)


def _row_struct(dtype: np.dtype[Any]) -> struct.Struct | None:
    """Return what packs a row of <i8 and <f8 scalars (faster than a numpy record), or None for others."""
    kinds = [dtype[name].str for name in dtype.names or ()]
    if not all(kind in _STRUCT_CODES for kind in kinds) or dtype.itemsize != 8 * len(kinds):
        return None
    return struct.Struct("<" + "".join(_STRUCT_CODES[kind] for kind in kinds))


def _names(dtype: np.dtype[np.void]) -> str:
    return ", ".join(dtype.names or ())
