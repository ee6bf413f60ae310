"""Opens a file of somebody else's without running anything in it, and without believing the sizes it claims."""

import pickle
import re
import stat
import struct
import warnings
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from grokterm.errors import UsageError
from grokterm.importers.tensors import odd_tensor

_UNREADABLE = (
    pickle.UnpicklingError,
    zipfile.BadZipFile,
    struct.error,
    zlib.error,
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    MemoryError,
    NotImplementedError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What torch.load and zipfile raise for bytes that are not what they should be; OSError is told apart."""
_LONGEST_REASON = 120


@dataclass(frozen=True, eq=False)
class Opened:
    """A file's values by name, the text that a safetensors file says about itself, and the file's size in bytes."""

    values: Mapping[Any, object]
    metadata: Mapping[str, str]
    size: int


def open_file(path: Path) -> Opened:
    """Read a file of `torch.save` or a safetensors file; the kind is told from its first bytes, not from its name.

    torch.load runs with weights_only=True alone. Every tensor in the values is dense, in memory, and no larger than the
    file. Raises UsageError, one sentence, for everything else.
    """
    opened = _opened(path)
    odd = odd_tensor(opened.values, opened.size)
    if odd:
        raise UsageError(f"{path}: {odd}")
    return opened


def _opened(path: Path) -> Opened:
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise UsageError(f"{path} is a directory; import takes a file")
        if not stat.S_ISREG(status.st_mode):
            raise UsageError(f"{path} is no ordinary file")
        with path.open("rb") as file:
            head = file.read(9)
        if not head:
            raise UsageError(f"{path} is empty")
        if head.startswith(b"PK"):
            return Opened(_torch_values(path, status.st_size), {}, status.st_size)
        if head[8:9] == b"{":
            return _safetensors(path, status.st_size)
    except FileNotFoundError as error:
        raise UsageError(f"there is no file {path}") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from error
    except ValueError as error:  # a name with a zero byte
        raise UsageError(f"{str(path)!r} is no file name") from error
    if head[:1] == b"\x80":
        raise UsageError(
            f"{path} is a bare pickle or was saved by a torch older than 1.6, and neither is opened here; "
            "load it where you trust it and save its weights again with torch.save"
        )
    raise UsageError(f"{path} is neither a file of torch.save nor a safetensors file")


def _torch_values(path: Path, size: int) -> Mapping[Any, object]:
    """Load a zip archive of torch.save. Raises UsageError."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
        # torch.save stores without compression, so what unpacks to more than the file holds was not written by it.
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
            raise UsageError(f"{path} is a zip archive, but not one of torch.save: its entries are compressed")
        if not any(entry.filename.endswith("data.pkl") for entry in entries):
            raise UsageError(f"{path} is a zip archive, but not one of torch.save: it holds no data.pkl")
        if sum(entry.file_size for entry in entries) > size:
            raise UsageError(f"{path} claims more bytes than it has; it is damaged or made up")
        # Mapped storages cannot grow, so a shape larger than its storage is an error and never an allocation.
        with warnings.catch_warnings(action="ignore"):  # about torch's own storages, on files that are damaged
            loaded = torch.load(path, weights_only=True, map_location="cpu", mmap=True)
    except _UNREADABLE as error:
        raise UsageError(_why_not_loaded(path, error)) from error
    if isinstance(loaded, Tensor):
        raise UsageError(f"{path} holds one tensor, not the weights of a model by name")
    if not isinstance(loaded, Mapping):
        raise UsageError(f"{path} holds a {type(loaded).__name__}, not a dict of weights")
    return loaded


def _why_not_loaded(path: Path, error: Exception) -> str:
    asked = _classes(path)
    if asked:
        named = ", ".join(name[:_LONGEST_REASON] for name in asked[:3]) + (" and others" if len(asked) > 3 else "")
        return (
            f"{path} asks for the class {named}, and only plain weights and numbers are loaded from a file; "
            "load it where you trust it and save it again with plain dicts, lists and tensors instead"
        )
    says = isinstance(error, RuntimeError | zipfile.BadZipFile)  # others are the pickle's own confusion
    return f"{path} is damaged or no file of torch.save: {_reason(error) if says else 'its pickle cannot be followed'}"


def _reason(error: Exception) -> str:
    """The error's words on one line, without control characters and not too many."""
    return " ".join(re.sub(r"[^ -~]", " ", str(error)).split())[:_LONGEST_REASON]


def _classes(path: Path) -> list[str]:
    """Names that the file's pickle asks for and torch does not allow; found by reading the pickle, not running it."""
    try:
        return [ascii(str(name))[1:-1] for name in torch.serialization.get_unsafe_globals_in_checkpoint(path)]
    except (*_UNREADABLE, OSError):
        return []


def _safetensors(path: Path, size: int) -> Opened:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            values = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
            return Opened(values, file.metadata() or {}, size)
    except (SafetensorError, *_UNREADABLE) as error:
        raise UsageError(f"{path} is a damaged safetensors file: {_reason(error)}") from error
