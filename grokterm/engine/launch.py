"""Starts training in a run directory: the one function behind the live screen, headless runs and every later way."""

import contextlib
import os
import platform
import socket
import time
import traceback
from collections.abc import Callable
from typing import Any

import torch

from grokterm.catalog import Catalog
from grokterm.engine.evaluation import Evaluation
from grokterm.engine.knobs import Cadence, Knobs
from grokterm.engine.recorder import Recorder
from grokterm.engine.trainer import Trainer
from grokterm.errors import RunError, UsageError
from grokterm.preset import Preset, versions
from grokterm.run.directory import RunDirectory


def train(run: RunDirectory, preset: Preset, catalog: Catalog) -> None:
    """Build what the preset asks for and train it to its end, in this thread. The caller holds the run's lock.

    UsageError before anything was recorded when the preset cannot be built on this machine; an exception during
    training is recorded in the run as an `error` event and raised again.
    """
    device = _device(preset.training.device)
    threads = _threads(preset.training.threads)
    torch.manual_seed(preset.training.seed)
    trainer = _build(run, preset, catalog, device)
    run.write_config(_config(preset, device, threads))
    events = trainer.recorder.events
    try:
        events.write("state", 0, state="training", device=_name(device), threads=threads, knobs=trainer.knobs.values())
        trainer.run()
        trainer.recorder.close()
    except Exception as error:
        with contextlib.suppress(OSError, RunError):  # a full disk must not hide why training failed
            message = f"{type(error).__name__}: {error}"
            events.write("error", trainer.step, message=message, traceback=traceback.format_exc())
            trainer.end("failed")
        with contextlib.suppress(OSError):
            trainer.recorder.close()
        raise


def _build(run: RunDirectory, preset: Preset, catalog: Catalog, device: torch.device) -> Trainer:
    seeded = {"seed": preset.training.seed}
    try:
        wants_seed = any(setting.name == "seed" for setting in catalog.settings("tasks", preset.task.name))
        task = catalog.load("tasks", preset.task.name)(**preset.task.settings, **(seeded if wants_seed else {}))
        task = task.to(device)
        model = catalog.load("models", preset.model.name)(task, **preset.model.settings).to(device)
        optimizer = catalog.load("optimizers", preset.optimizer.name)(model.parameters(), **preset.optimizer.settings)
    except ValueError as error:
        raise UsageError(f"{preset.name}: {error}") from error
    except (MemoryError, RuntimeError) as error:
        if not _is_about_memory(error):
            raise
        sizes = "the sizes in [task] and [model] need more memory than this machine has"
        raise UsageError(f"{preset.name}: {sizes}; take smaller ones") from error
    training = preset.training
    cadence = Cadence(training.steps, training.test_every, training.measure_every, training.checkpoint_every)
    knobs = Knobs(optimizer, catalog.settings("optimizers", preset.optimizer.name), cadence)
    evaluation = Evaluation(model, task)
    loaded = {name: catalog.load("measures", name) for name in catalog.names("measures")}
    measures: dict[str, Callable[..., Any]] = {name: made for name, made in loaded.items() if evaluation.applies(made)}
    recorder = Recorder(run, knobs.recorded)
    return Trainer(task, model, optimizer, knobs, cadence, training.warmup_steps, measures, recorder)


def _is_about_memory(error: MemoryError | RuntimeError) -> bool:
    """Whether an allocation failed. On a CPU torch raises a plain RuntimeError, whose words are all there is."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return any(words in str(error) for words in ("not enough memory", "can't allocate memory", "size calculation over"))


def _config(preset: Preset, device: torch.device, threads: int) -> dict[str, Any]:
    """What run.toml holds (RUN_FORMAT.md): enough to train the same run again."""
    return {
        "format": 1,
        "preset": preset.name,
        "description": preset.description,
        "seed": preset.training.seed,
        "started": time.time(),
        "host": socket.gethostname(),
        "device": _name(device),
        "threads": threads,
        "python": platform.python_version(),
        **versions(),
        **preset.to_toml(),
    }


def _device(asked: str) -> torch.device:
    if asked == "cuda" and not torch.cuda.is_available():
        raise UsageError("training.device = 'cuda': torch finds no CUDA device on this machine; use cpu or auto")
    return torch.device("cuda" if asked != "cpu" and torch.cuda.is_available() else "cpu")


def _name(device: torch.device) -> str:
    return f"cuda ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else "cpu"


def _threads(asked: int | str) -> int:
    """Set and return the number of threads of a matrix product: as asked, or every processor this process may use."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    torch.set_num_threads(asked if isinstance(asked, int) else min(available, torch.get_num_threads()))
    return torch.get_num_threads()
