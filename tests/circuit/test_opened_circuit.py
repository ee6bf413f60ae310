"""From a run directory to its circuit, through `open_run` and `read_circuit`."""

from pathlib import Path

import numpy as np
import pytest

import grokterm
from grokterm.circuit.reading import read_circuit
from grokterm.errors import RunError
from grokterm.run import recorded_task
from grokterm.run.checkpoint import list_checkpoints, write
from grokterm.run.directory import RunDirectory
from tests.random_circuit import grid_task, random_network
from tests.recorded import record

STEPS = (100, 200)


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    """A recorded run with two saved states of random networks, and its task."""
    made = record(tmp_path, 300)
    for step in STEPS:
        tensors = random_network(seed=step, dtype=np.float32).parameters
        write(made.checkpoints, step, {f"model/{name}": tensor for name, tensor in tensors.items()}, kind="weights")
    recorded_task.write(made.task_path, grid_task())
    return made


def test_the_circuit_of_a_step_and_of_the_last_one(run: RunDirectory) -> None:
    opened = grokterm.open_run(run.path)
    first, last = random_network(seed=100, dtype=np.float32), random_network(seed=200, dtype=np.float32)
    np.testing.assert_array_equal(opened.circuit(100).network.W_E, first.W_E)
    np.testing.assert_array_equal(opened.circuit().network.W_U, last.W_U)
    assert opened.circuit().logits.dtype == np.float32
    assert opened.circuit(dtype=np.float64).logits.dtype == np.float64
    assert opened.circuit().losses.all > 0


def test_key_frequencies_of_another_checkpoint(run: RunDirectory) -> None:
    keys = np.array([False, True, False, False, True])
    assert read_circuit(run, list_checkpoints(run.checkpoints)[0], key_frequencies=keys).keys == [2, 5]


def test_what_is_missing_is_said(run: RunDirectory) -> None:
    opened = grokterm.open_run(run.path)
    with pytest.raises(RunError, match="no checkpoint at step 150; the nearest: 100 and 200"):
        opened.circuit(150)
    run.task_path.unlink()
    with pytest.raises(RunError, match="`grokterm measure` makes it"):
        opened.circuit()


def test_another_kind_of_network_or_task_names_its_file(run: RunDirectory) -> None:
    write(run.checkpoints, 300, {"model/W": np.zeros(3, np.float32)}, kind="weights")
    opened = grokterm.open_run(run.path)
    with pytest.raises(RunError, match=r"300.*: its weights are not those of the one-layer transformer"):
        opened.circuit()
    run.task_path.unlink()
    recorded_task.write(run.task_path, grid_task(13))
    with pytest.raises(RunError, match=r"100.*: what was learned is not a function of all pairs"):
        opened.circuit(100)
