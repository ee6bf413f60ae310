"""Whether a file is what an earlier export wrote: only such a file is replaced, whatever its name."""

import json
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

BEGINNING = 4096
"""Bytes of a file that tell what it is."""


def is_earlier(path: Path, module: str) -> bool:
    """Whether the file `path` is what `module` of this package writes, or has no content to lose.

    Raises OSError when it cannot be read.
    """
    with path.open("rb") as file:
        beginning = file.read(BEGINNING)
    return not beginning or _MARKS[module](path, beginning)


def _is_npz(path: Path, beginning: bytes) -> bool:
    if not beginning.startswith(b"PK\3\4"):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return {"events.npy", "config.npy"} <= {*archive.namelist()}
    except zipfile.BadZipFile:
        return False


def _is_transformerlens(path: Path, beginning: bytes) -> bool:
    if not beginning.startswith(b"PK\3\4"):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            pickled = next((entry for entry in archive.namelist() if entry.endswith("/data.pkl")), None)
            if pickled is None:
                return False
            with archive.open(pickled) as file:
                return TENSORS_MARK.encode() in file.read(BEGINNING)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError):
        return False


def _is_asciicast(_: Path, beginning: bytes) -> bool:
    try:
        header = json.loads(beginning.split(b"\n", 1)[0])
    except ValueError:
        return False
    return isinstance(header, dict) and {"version", "width", "height"} <= header.keys()


def _is_gif(_: Path, beginning: bytes) -> bool:
    return beginning.startswith((b"GIF87a", b"GIF89a"))


def _is_svg(_: Path, beginning: bytes) -> bool:
    return beginning.startswith(b"<svg ") and SVG_MARK.encode() in beginning


def _is_preset(_: Path, beginning: bytes) -> bool:
    return beginning.startswith(PRESET_MARK.encode())


SVG_MARK = "<desc>grokterm export</desc>"
"""Which of the many SVG files that there are is an animation of ours."""
PRESET_MARK = "# A run of grokterm as a preset"
"""Which of the many TOML files that there are is a preset made of a run."""
TENSORS_MARK = "grokterm export"
"""Which of the many files of torch.save that there are is one of ours: the first key of the dict in it."""
_MARKS: Mapping[str, Callable[[Path, bytes], bool]] = {
    "npz": _is_npz,
    "transformerlens": _is_transformerlens,
    "asciicast": _is_asciicast,
    "gif": _is_gif,
    "svg": _is_svg,
    "preset": _is_preset,
}
