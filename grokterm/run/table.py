"""Tables that grow: plain .npy files of structured records, appended row by row by one writer and read while they grow.

The number of rows is taken from the file's size. The header's count follows the data, so `np.load` never sees a row
that is not there yet, and a stale count or a torn last row does no harm.
"""

import io
import os
import re
import struct
import tokenize
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.lib import format as npy
from numpy.typing import DTypeLike, NDArray

from grokterm.errors import RunError
from grokterm.run.durable import sync_directory

Rows = NDArray[np.void]

_NO_COLUMNS: np.dtype[np.void] = np.dtype([])
_LONGEST_HEADER = 10 + 0xFFFF  # magic, version and length, then what a 2-byte length can say
_COUNT = re.compile(rb"'shape': \(\d+[,)} ]*\n\Z")  # also one that is half an old and half a new one
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
        self._header = _header_of(self.dtype)
        self._count_at = self._header.rindex(b"(")
        self._row_struct = _row_struct(self.dtype)
        try:
            if not path.exists() or path.stat().st_size == 0:
                _create(path, self._header)
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
        dtype, data_at = _read_header(self._file, self.path)
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
            _write_at(self._file, bytes(self._pending), self._end)
            self._end += len(self._pending)
            self._pending.clear()
        if self._counted != self.rows:
            shape = f"({self.rows},), }}".encode()
            tail = shape.ljust(len(self._header) - self._count_at - 1) + b"\n"
            _write_at(self._file, tail, self._count_at)
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
                self.dtype, self._next = _read_header(file, self.path)
            there = max(size - self._next, 0) // self.dtype.itemsize
            count = there if most is None else min(there, most)
            content = _read_at(file, count * self.dtype.itemsize, self._next)
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
        dtype, data_at = _read_header(file, path)
        while (rows := (os.fstat(file).st_size - data_at) // dtype.itemsize) > 0:
            content = _read_at(file, dtype.itemsize, data_at + (rows - 1) * dtype.itemsize)
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
            return _read_header(file.fileno(), path)[0] if os.fstat(file.fileno()).st_size else None
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}") from error


def begin_anew(path: Path, dtype: DTypeLike) -> None:
    """Put a table without rows where there may be one, of any columns. Raises OSError.

    It takes the other one's place in one rename, so that whoever follows it sees another file.
    """
    _create(path, _header_of(np.dtype(dtype)))


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
        dtype, data_at = _read_header(file, path)
        if "step" not in (dtype.names or ()):
            raise RunError(f"{path} has no column of steps")
        kept, end = 0, (size - data_at) // dtype.itemsize
        while kept < end:  # steps never decrease: the first later one is found by halving
            middle = (kept + end) // 2
            row = np.frombuffer(_read_at(file, dtype.itemsize, data_at + middle * dtype.itemsize), dtype)[0]
            kept, end = (middle + 1, end) if int(row["step"]) <= step else (kept, middle)
        count = _COUNT.search(_read_at(file, data_at, 0))
        if count is not None and len(counted := _with_count(count, kept)) == len(count[0]):
            _write_at(file, counted, count.start())
        os.ftruncate(file, data_at + kept * dtype.itemsize)
        os.fsync(file)
    except OSError as error:
        raise RunError(f"{path} cannot be cut: {error.strerror}") from error
    finally:
        os.close(file)


def _header_of(dtype: np.dtype[Any]) -> bytes:
    """Return the .npy header of a table without rows; numpy pads it with room for a count of 21 digits."""
    header = io.BytesIO()
    description = {"descr": npy.dtype_to_descr(dtype), "fortran_order": False, "shape": (0,)}
    npy.write_array_header_1_0(header, description)
    return header.getvalue()


def _create(path: Path, header: bytes) -> None:
    """Create a table under a temporary name, so that no reader ever meets half a header."""
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_bytes(header)
    temporary.replace(path)
    sync_directory(path.parent)


def _read_header(file: int, path: Path) -> tuple[np.dtype[np.void], int]:
    """Return a table's columns and the offset of its first row, trusting nothing that the header says."""
    length = int.from_bytes(_read_at(file, 2, 8), "little")
    head = _read_at(file, 10 + length, 0)
    try:
        dtype = _columns(_COUNT.sub(_without_count, head))
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError, tokenize.TokenError) as error:
        raise RunError(f"{path} does not begin with a .npy header that can be read") from error
    if dtype is None:
        raise RunError(f"{path} is not a table: its .npy header does not describe one list of records of numbers")
    return dtype, len(head)


@lru_cache(maxsize=256)
def _columns(head: bytes) -> np.dtype[np.void] | None:
    """Return the columns that a header describes; None when it describes something else than a table.

    Remembered, because the tables of many runs begin with the same header and numpy takes 0.1 ms to read it.
    """
    text = io.BytesIO(head)
    if npy.read_magic(text) != (1, 0):
        raise ValueError("the .npy version is not 1.0")
    shape, _, dtype = npy.read_array_header_1_0(text, max_header_size=_LONGEST_HEADER)
    is_table = dtype.names and not dtype.hasobject and dtype.itemsize > 0 and len(shape) == 1
    return dtype if is_table else None


def _with_count(end: re.Match[bytes], rows: int) -> bytes:
    """The end of a header that counts so many rows, as long as before."""
    return f"'shape': ({rows},), }}".encode().ljust(len(end[0]) - 1) + b"\n"


def _without_count(end: re.Match[bytes]) -> bytes:
    """The end of a header, its row count 0: headers of tables with the same columns become equal."""
    return _with_count(end, 0)


def _row_struct(dtype: np.dtype[Any]) -> struct.Struct | None:
    """Return what packs a row of <i8 and <f8 scalars (faster than a numpy record), or None for others."""
    kinds = [dtype[name].str for name in dtype.names or ()]
    if not all(kind in _STRUCT_CODES for kind in kinds) or dtype.itemsize != 8 * len(kinds):
        return None
    return struct.Struct("<" + "".join(_STRUCT_CODES[kind] for kind in kinds))


def _write_at(file: int, content: bytes, offset: int) -> None:
    written = 0
    while written < len(content):
        written += os.pwrite(file, content[written:], offset + written)


def _read_at(file: int, count: int, offset: int) -> bytes:
    """Read up to `count` bytes; fewer where the file ends."""
    content = os.pread(file, count, offset)
    if len(content) == count:
        return content
    parts = [content]
    while parts[-1]:
        offset += len(parts[-1])
        count -= len(parts[-1])
        parts.append(os.pread(file, count, offset))
    return b"".join(parts)


def _names(dtype: np.dtype[np.void]) -> str:
    return ", ".join(dtype.names or ())
