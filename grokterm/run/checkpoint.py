"""Saved states of a run: safetensors files that execute nothing when they are opened.

A weights checkpoint holds the model; a full one also holds all it takes to go on bit for bit. The caller names the
tensors: "model/W_E", "optimizer/W_E/exp_avg", "random/torch". A digest over all of it tells a damaged file.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from grokterm.errors import RunError
from grokterm.run.durable import write_whole
from grokterm.run.events import decode, encode

Kind = Literal["weights", "full"]

GOING_ON = frozenset(
    {"knobs", "edits", "events", "paused", "evaluated", "diverged", "busy", "measuring", "phases", "schedule"}
)
"""What the state of a full checkpoint must speak of for training to go on from it."""

_NAME = re.compile(r"(\d{9,18})\.safetensors")


@dataclass(frozen=True)
class CheckpointInfo:
    """Where the checkpoint of a step lies."""

    step: int
    path: Path


@dataclass(frozen=True)
class Metadata:
    """What a checkpoint says about itself."""

    step: int
    kind: Kind
    state: Mapping[str, object]


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A saved state in memory; `tensors` have the names and dtypes that they were written with."""

    step: int
    kind: Kind
    tensors: Mapping[str, NDArray[Any]]
    state: Mapping[str, object]


def write(
    directory: Path,
    step: int,
    tensors: Mapping[str, NDArray[Any]],
    *,
    kind: Kind,
    state: Mapping[str, object] | None = None,
) -> Path:
    """Save `tensors` as the checkpoint of `step`, durably and whole, and return its path. Raises OSError.

    A weights-only write never replaces the full checkpoint of a step: the full one stays and its path is returned.
    """
    from safetensors.numpy import save

    path = directory / f"{step:09d}.safetensors"
    if kind == "weights" and _is_full(path):
        return path
    told = json.dumps(encode(state or {}), allow_nan=False)
    whole = {name: np.asarray(tensor, order="C") for name, tensor in tensors.items()}
    metadata = {
        "format": "1",
        "kind": kind,
        "step": str(step),
        "state": told,
        "digest": _digest(step, kind, told, whole),
    }
    write_whole(path, save(whole, metadata))
    return path


def read(path: Path) -> Checkpoint:
    """Load a checkpoint. Raises RunError, naming the file, when it is missing, torn, damaged or not a checkpoint."""
    from safetensors import SafetensorError, safe_open

    metadata = read_metadata(path)
    try:
        with safe_open(path, framework="numpy") as file:
            said = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    except (OSError, SafetensorError, TypeError, KeyError, AttributeError) as error:  # KeyError…: a dtype numpy lacks
        raise RunError(f"{path} cannot be read as a checkpoint: {error}") from error
    digest = said.get("digest")
    if digest is not None and digest != _digest(metadata.step, metadata.kind, said.get("state", ""), tensors):
        raise RunError(f"{path} is damaged: its content does not fit its digest")
    return Checkpoint(metadata.step, metadata.kind, tensors, metadata.state)


def read_metadata(path: Path) -> Metadata:
    """Return what a checkpoint says about itself without loading its tensors. Raises RunError as `read` does."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            said = file.metadata() or {}
    except (OSError, SafetensorError) as error:
        raise RunError(f"{path} cannot be read as a checkpoint: {error}") from error
    try:
        state = decode(json.loads(said.get("state", "{}")))
        step = int(said["step"])
    except (KeyError, ValueError, RecursionError) as error:
        raise RunError(f"{path} is no checkpoint of a run: its metadata give no step or no state") from error
    kind = said.get("kind")
    if (kind != "weights" and kind != "full") or not isinstance(state, dict):
        raise RunError(f"{path} is no checkpoint of a run: its metadata give no kind or no state")
    return Metadata(step, kind, state)


def list_checkpoints(directory: Path) -> list[CheckpointInfo]:
    """Return the checkpoints of a directory by step; none when it is missing. Temporary leftovers are not listed.

    Raises RunError when the directory cannot be read.
    """
    try:
        if not directory.is_dir():
            return []
        named = [(match, path) for path in directory.iterdir() if (match := _NAME.fullmatch(path.name))]
    except OSError as error:
        raise RunError(f"{directory} cannot be read: {error.strerror}") from error
    return sorted((CheckpointInfo(int(match[1]), path) for match, path in named), key=lambda info: info.step)


def full_before(directory: Path, step: int) -> int | None:
    """Return the step of the last full checkpoint before a step; None when there is none that can be read."""
    for info in reversed(list_checkpoints(directory)):
        if info.step < step and _is_full(info.path):
            return info.step
    return None


def _digest(step: int, kind: str, state: str, tensors: Mapping[str, NDArray[Any]]) -> str:
    """SHA-256 in hexadecimal over all that a checkpoint says: RUN_FORMAT.md has the order."""
    found = hashlib.sha256(f"{step}\n{kind}\n{state}\n".encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        found.update(f"{name}\n{tensor.dtype.str}\n{list(tensor.shape)}\n".encode())
        found.update(np.ascontiguousarray(tensor).data)
    return found.hexdigest()


def _is_full(path: Path) -> bool:
    """Say whether a readable full checkpoint lies at `path`; one that cannot be read may be replaced."""
    if not path.exists():
        return False
    try:
        return read_metadata(path).kind == "full"
    except RunError:
        return False
