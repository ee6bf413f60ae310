"""Reads and writes whole pieces of a file at an offset: the system may do only a part of what it is asked for."""

import os


def write_at(file: int, content: bytes, offset: int) -> None:
    """Write all of it. Raises OSError."""
    written = 0
    while written < len(content):
        written += os.pwrite(file, content[written:], offset + written)


def read_at(file: int, count: int, offset: int) -> bytes:
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
