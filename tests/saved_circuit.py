"""The recorded run with checkpoints: an embedding whose frequency 3 grows out of noise into a circle, 7 less so."""

from pathlib import Path

import numpy as np

from grokterm.circuit.waves import Floats, waves
from grokterm.run.checkpoint import write
from grokterm.run.directory import RunDirectory
from tests.recorded import P, record

STEPS, EVERY = 400, 100
RADII = {3: 8.0, 7: 5.0}
"""What the lengths of the directions have grown to at the end."""


def embedding(step: int, steps: int = STEPS) -> Floats:
    """W_E (p + 1, 16) after so many steps; the last row is the token `=`."""
    noise = np.random.default_rng(step).normal(size=(P + 1, 16)) * 0.05
    for index, (k, radius) in enumerate(RADII.items()):
        noise[:P, 2 * index : 2 * index + 2] += radius * step / steps * waves(P)[k - 1].T
    return noise


def record_circuit(runs: Path, steps: int = STEPS, every: int = EVERY) -> RunDirectory:
    """Write the recorded run, its checkpoints at `every`, 2 · every … `steps`, all of weights alone."""
    run = record(runs, steps)
    for step in range(every, steps + 1, every):
        W_E = embedding(step, steps).astype(np.float32)
        write(run.checkpoints, step, {"model/W_E": W_E, "model/b": np.zeros(3, np.float32)}, kind="weights")
    return run
