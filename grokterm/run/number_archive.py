"""Reads arrays of numbers from a .npz file of which nothing is trusted: no size that it claims, no object in it."""

import ast
import lzma
import math
import re
import struct
import zipfile
import zlib
from collections.abc import Collection
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

BROKEN = (
    *(OSError, EOFError, ValueError, TypeError, KeyError, IndexError, OverflowError, MemoryError, SyntaxError),
    *(RuntimeError, zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, lzma.LZMAError, struct.error),
)
"""What `arrays_in` raises for a file that is damaged or holds something else; RuntimeError: encrypted, or recursion."""
_BEGINS = b"\x93NUMPY\x01\x00"  # version 1.0, which numpy writes for every plain array
_NUMBERS = re.compile(r"[<>|=][biufc]\d{1,2}")


class TooLargeError(ValueError):
    """An array claims more bytes than are allowed."""


def arrays_in(file: BinaryIO, names: Collection[str], most_bytes: int) -> dict[str, NDArray[Any]]:
    """Return those of the named arrays that are there, read-only. Raises one of BROKEN.

    most_bytes: of every entry of the file, whether it is named or not.
    """
    with zipfile.ZipFile(file) as archive:
        entries = {entry.filename: entry for entry in archive.infolist()}
        if any(entry.file_size > most_bytes for entry in entries.values()):
            raise TooLargeError("it claims more numbers than are allowed")
        wanted = {name: entries[f"{name}.npy"] for name in names if f"{name}.npy" in entries}
        return {name: _array(archive.read(entry)) for name, entry in wanted.items()}


def _array(content: bytes) -> NDArray[Any]:
    """An array as its .npy file holds it, where the header speaks of exactly the bytes that are there."""
    if not content.startswith(_BEGINS):
        raise ValueError("an array has no .npy header")
    data_at = 10 + int.from_bytes(content[8:10], "little")
    said = ast.literal_eval(content[10:data_at].decode("latin-1"))
    match said:
        case {"descr": str(kind), "fortran_order": bool(is_fortran), "shape": [*shape]} if _NUMBERS.fullmatch(kind):
            dtype = np.dtype(kind)
        case _:
            raise ValueError("an array is none of numbers")
    if not all(isinstance(length, int) and length >= 0 for length in shape):
        raise ValueError(f"an array has no shape {said['shape']}")
    if math.prod(shape) * dtype.itemsize != len(content) - data_at:
        raise ValueError("an array has not as many numbers as it claims")
    numbers = np.frombuffer(content, dtype, offset=data_at)
    return numbers.reshape(tuple(shape), order="F" if is_fortran else "C")
