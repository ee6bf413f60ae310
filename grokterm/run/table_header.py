"""The .npy header of a table: its columns, and a row count that follows the data and may be stale or torn."""

import io
import re
import tokenize
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from grokterm.errors import RunError
from grokterm.run.durable import sync_directory
from grokterm.run.positioned import read_at

_LONGEST = 10 + 0xFFFF
"""Bytes: magic, version and length, then what a 2-byte length can say."""
COUNT = re.compile(rb"'shape': \(\d+[,)} ]*\n\Z")
"""The end of a header; also one that is half an old and half a new one."""


def header_of(dtype: np.dtype[Any]) -> bytes:
    """Return the .npy header of a table without rows; numpy pads it with room for a count of 21 digits."""
    header = io.BytesIO()
    description = {"descr": npy.dtype_to_descr(dtype), "fortran_order": False, "shape": (0,)}
    npy.write_array_header_1_0(header, description)
    return header.getvalue()


def create_table(path: Path, header: bytes) -> None:
    """Create a table under a temporary name, so that no reader ever meets half a header."""
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_bytes(header)
    temporary.replace(path)
    sync_directory(path.parent)


def read_header(file: int, path: Path) -> tuple[np.dtype[np.void], int]:
    """Return a table's columns and the offset of its first row, trusting nothing that the header says."""
    length = int.from_bytes(read_at(file, 2, 8), "little")
    head = read_at(file, 10 + length, 0)
    try:
        dtype = _columns(COUNT.sub(_without_count, head))
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
    shape, _, dtype = npy.read_array_header_1_0(text, max_header_size=_LONGEST)
    is_table = dtype.names and not dtype.hasobject and dtype.itemsize > 0 and len(shape) == 1
    return dtype if is_table else None


def with_count(end: re.Match[bytes], rows: int) -> bytes:
    """The end of a header that counts so many rows, as long as before."""
    return f"'shape': ({rows},), }}".encode().ljust(len(end[0]) - 1) + b"\n"


def _without_count(end: re.Match[bytes]) -> bytes:
    """The end of a header, its row count 0: headers of tables with the same columns become equal."""
    return with_count(end, 0)
