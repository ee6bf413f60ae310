"""The reference checkpoints (tests/reference.py says what they are) as circuits, and expected.json's numbers."""

from functools import cache
from typing import Any

import numpy as np

from grokterm.circuit.circuit import Circuit
from grokterm.circuit.network import Network
from tests import reference


@cache
def circuit(name: str, dtype: str = "float32") -> Circuit:
    """One checkpoint, computed in that precision; with all that was computed of it by earlier tests."""
    found = reference.load(name)
    tensors = {f"model/{parameter}": weight.numpy() for parameter, weight in found.weights.items()}
    return Circuit(Network.of(tensors, np.dtype(dtype)), found.task.recorded())


def expected(name: str, *path: str) -> Any:
    """A number, or several, of expected.json."""
    found: Any = reference.load(name).expected
    for key in path:
        found = found[key]
    return found
