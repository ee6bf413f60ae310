"""A synthetic run of any length with everything that a real one records, written in a second or two."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grokterm.run.directory import RunDirectory, create
from grokterm.run.events import EventLog
from grokterm.run.table import TableWriter

P = 113
MEASURE_EVERY = 20
KNOBS = {"lr": 1e-3, "weight_decay": 1.0, "beta1": 0.9, "beta2": 0.98, "eps": 1e-8}
SCALARS = (
    *("seconds", "measures_share", "excluded_loss", "excluded_loss_max", "restricted_loss", "restricted_loss_train"),
    *("restricted_loss_test", "gini_embedding", "gini_unembedding", "key_frequencies", "neurons_in_clusters"),
    *("neuron_fve", "logit_fve", "logit_cosines_loss", "logit_margin_mean", "logit_margin_min", "weight_norm"),
    *("weight_norm_sq", "weight_norm_sq/W_E", "weight_norm_sq/W_U", "weight_norm_sq/W_in", "weight_norm_sq/W_out"),
)
VECTORS = {"fourier_embedding": P, "fourier_unembedding": P, "neuron_clusters": 56, "excluded_loss_k": 56}


def record_large(runs: Path, steps: int, seed: int = 0) -> RunDirectory:
    """Write a finished run of `steps` steps of noisy curves; columns as a mod113 run has them."""
    random = np.random.default_rng(seed)
    run = create(runs, f"large-{steps}-{seed}")
    settings = {"steps": steps, "seed": seed, "measure_every": MEASURE_EVERY}
    run.write_config({"format": 1, "preset": "mod113", "seed": seed, "started": 1.8e9, "training": settings})
    at, x = np.arange(steps), np.linspace(0, 1, steps)
    loss = 4.7 * np.exp(-20 * x) * random.lognormal(0, 0.3, steps) + 1e-7
    share = 1 / (1 + np.exp((0.6 - x) * 40))
    knobs = [np.full(steps, value) for value in KNOBS.values()]
    _write(
        run.steps_path,
        at,
        ("time", 1.8e9 + at / 20),
        ("train_loss", loss),
        ("train_accuracy", 1 - loss / 10),
        ("grad_norm", loss),
        ("update_norm", loss),
        *zip(KNOBS, knobs, strict=True),
    )
    _write(run.tests_path, at, ("test_loss", 8 * (1 - share) + 1e-6), ("test_accuracy", share))
    measured, x = at[::MEASURE_EVERY], x[::MEASURE_EVERY]
    _write(run.measures_path, measured, *((name, x + random.random(len(x))) for name in SCALARS))
    for name, size in VECTORS.items():
        values = (random.random((len(x), size)) + x[:, np.newaxis]).astype("<f4")
        _write(run.arrays / f"{name}.npy", measured, ("value", values))
    events = EventLog(run.events_path)
    events.write("state", 0, state="training", device="cpu", threads=2, knobs={**KNOBS, "steps": steps})
    events.write("phase", 0, phase="memorization", at=0, why="training begins")
    events.write("phase", steps // 4, phase="circuit formation", at=steps // 5, why="synthetic")
    events.write("edit", steps // 2, knob="weight_decay", old=1.0, new=2.0, moments="kept")
    events.write("state", steps, state="finished")
    return run


def _write(path: Path, steps: NDArray[np.int64], *columns: tuple[str, NDArray[Any]]) -> None:
    dtype = np.dtype([("step", "<i8"), *((name, values.dtype.str, values.shape[1:]) for name, values in columns)])
    rows = np.zeros(len(steps), dtype)
    rows["step"] = steps
    for name, values in columns:
        rows[name] = values
    with TableWriter(path, dtype):
        pass
    with path.open("ab") as file:
        file.write(rows.tobytes())
