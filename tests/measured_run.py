"""What a run was found to be in hindsight, made of formulas: what viewer tests look at, without torch."""

from collections.abc import Sequence

import numpy as np

from grokterm.run.directory import RunDirectory
from grokterm.run.hindsight import About, held
from grokterm.run.hindsight_writer import HindsightWriter, Row

KEYS = (3, 7, 9)
STEPS = (0, 100, 200, 300, 400)


def row(step: int) -> Row:
    """The measures of a checkpoint; `rqi` and `loss_without_head` are known in hindsight only."""
    x = step / STEPS[-1]
    numbers = {
        "excluded_loss": 2 + 8 * x,
        "restricted_loss": 4 - 3.9 * x,
        "logit_fve": x,
        "gini_embedding": x,
        "rqi": 0.5 * x,
    }
    arrays = {
        "fourier_embedding": np.full(23, 1 + x, np.float32),
        "excluded_loss_k": np.arange(11) * x,
        "loss_without_head": np.array([0.25, x]),
    }
    return Row(step, numbers, arrays)


def measure(
    run: RunDirectory, steps: Sequence[int] = STEPS, *, keys: Sequence[int] = KEYS, finish: bool = True
) -> RunDirectory:
    """Write the rows of these checkpoints, of five."""
    with held(run):
        about = About(STEPS[-1], tuple(keys), row(0).names, len(STEPS))
        with HindsightWriter(run, about, row(0)) as writer:
            for step in steps:
                writer.append(row(step))
            if finish:
                writer.finish()
    return run
