"""A recorded run whose checkpoints are whole networks of random weights, and the task that they would have learned."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from grokterm.circuit.network import Network
from grokterm.run import recorded_task
from grokterm.run.checkpoint import Kind, write
from grokterm.run.directory import RunDirectory
from tests.random_circuit import P, grid_task, random_network
from tests.recorded import record

STEPS = (100, 200, 300, 400)


def record_networks(
    runs: Path, steps: Sequence[int] = STEPS, *, p: int = P, state: str = "finished", **sizes: Any
) -> RunDirectory:
    """Write it; every checkpoint but the last is of weights alone. `sizes` are those of `random_network`."""
    run = record(runs, state=state)
    recorded_task.write(run.task_path, grid_task(p))
    for step in steps:
        write_network(run, step, random_network(p, seed=step, **sizes), kind="full" if step == steps[-1] else "weights")
    return run


def write_network(run: RunDirectory, step: int, network: Network, *, kind: Kind = "weights") -> Path:
    """Write a checkpoint of a network."""
    tensors = {f"model/{name}": weight for name, weight in network.parameters.items()}
    return write(run.checkpoints, step, tensors, kind=kind)
