"""Finds the checkpoint that is meant and makes a Circuit of it: the door from a run directory to its mechanism."""

import numpy as np
from numpy.typing import DTypeLike, NDArray

from grokterm.circuit.circuit import Circuit
from grokterm.circuit.network import Network
from grokterm.errors import RunError
from grokterm.run import recorded_task
from grokterm.run.checkpoint import CheckpointInfo, read
from grokterm.run.directory import RunDirectory


def read_circuit(
    run: RunDirectory,
    info: CheckpointInfo,
    *,
    dtype: DTypeLike | None = None,
    key_frequencies: NDArray[np.bool_] | None = None,
) -> Circuit:
    """Load a checkpoint and the task that it learned; nothing is computed yet.

    dtype: the precision to compute in, by default that of the weights. key_frequencies: as `Circuit` takes them. Raises
    RunError, naming the file, when it cannot be read or holds another kind of network or task.
    """
    task = recorded_task.read(run.task_path)
    tensors = read(info.path).tensors
    try:
        return Circuit(Network.of(tensors, dtype), task, key_frequencies=key_frequencies)
    except RunError as error:
        raise RunError(f"{info.path}: {error}") from error
