"""Writes a file of torch.save: the one thing of the training side that an export needs."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch


def save(values: Mapping[str, object], path: Path) -> None:
    """Write `values`, dicts and lists of plain Python, in which NumPy's arrays and dtypes become torch's.

    What results is loaded by torch.load(path, weights_only=True). Raises OSError when the disk refuses.
    """
    tensors = _with_tensors(values)
    with path.open("wb") as file:  # torch's own would raise RuntimeError for a full disk
        torch.save(tensors, file)


def _with_tensors(value: object) -> object:
    match value:
        case np.ndarray():
            return torch.from_numpy(value)
        case np.dtype():
            return getattr(torch, value.name)
        case Mapping():
            return {key: _with_tensors(item) for key, item in value.items()}
        case list():
            return [_with_tensors(item) for item in value]
    return value
