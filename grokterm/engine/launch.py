"""Starts training in a run directory, or goes on with it: behind the live screen, headless runs and every other way."""

import contextlib
import os
import platform
import socket
import threading
import time
import traceback
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Literal

import torch

from grokterm.catalog import Catalog
from grokterm.engine.building import is_cross_entropy, measures_of, task_and_model, told
from grokterm.engine.evaluation import Evaluation
from grokterm.engine.going_on import Start, find_start, prepare
from grokterm.engine.knobs import Cadence, Knobs
from grokterm.engine.patience import Held, Patience
from grokterm.engine.recorder import Recorder
from grokterm.engine.schedule import Schedule
from grokterm.engine.trainer import OnDivergence, Trainer, Wish
from grokterm.errors import RunError, TakenOverError, TrainingError, UsageError
from grokterm.preset import Preset, of_run, versions
from grokterm.run.directory import RunDirectory, no_run
from grokterm.run.format import FORMAT
from grokterm.run.lineage import Parent


@dataclass(frozen=True)
class Host:
    """What training needs of the thread or process that it runs in.

    given_up: set when a trainer that waits for the disk is to end. begun: called once the trainer obeys requests. wish:
    how the trainer is to leave, asked at every step.
    """

    lock: Held
    given_up: threading.Event
    begun: Callable[[], None] = lambda: None
    on_divergence: OnDivergence = "pause"
    wish: Callable[[], Wish] = lambda: ""


@dataclass(frozen=True)
class Ended:
    """How a trainer left a run, and the fork in which it goes on after a rewind."""

    state: Literal["finished", "stopped", "detached"]
    goes_on_in: RunDirectory | None = None


def train(run: RunDirectory, preset: Preset, catalog: Catalog, host: Host) -> Ended:
    """Build what the preset asks for and train it to its end, in this thread. The caller holds the run's lock.

    UsageError before anything was recorded when the preset cannot be built on this machine; an exception during
    training is recorded in the run as an `error` event and raised again.
    """
    device = _device(preset.training.device)
    threads = _threads(preset.training.threads)
    torch.manual_seed(preset.training.seed)
    trainer = build(run, preset, catalog, device, host)
    run.write_config(_config(preset, device, threads))
    facts = {"device": _name(device), "threads": threads, "knobs": trainer.knobs.values()}

    def begin() -> None:
        trainer.recorder.open()
        trainer.recorder.task(trainer.task.recorded())
        trainer.recorder.tell("state", 0, state="training", **facts)
        trainer.begin()

    return _run(trainer, begin, host)


def resume(run: RunDirectory, catalog: Catalog, host: Host, stale: Collection[str], device: str | None = None) -> Ended:
    """Go on with a run from its last full checkpoint, bit for bit on the same device with the same threads.

    What was recorded after it is cut and recorded again. stale: ids of the requests that a dead trainer left
    unanswered. device: another one than recorded. Raises as `train` does; RunError, having touched nothing, for a
    directory that cannot be gone on with.
    """
    config = run.read_config()
    if config is None:
        raise no_run(run.path)
    if "source" in config:
        raise RunError(f"{run.path} is an imported run: its file holds nothing that training could go on from")
    preset = of_run(config, str(run.config_path), catalog)
    place = _device(device or _recorded_device(config))
    threads = _threads(preset.training.threads)
    torch.manual_seed(preset.training.seed)
    start = find_start(run, config)
    trainer = build(run, preset, catalog, place, host, start)
    if start.checkpoint is not None:
        trainer.go_on_from(start.checkpoint)
        trainer.paused = start.paused
        numbers, arrays, _ = trainer.measure()
        trainer.recorder.check(numbers, arrays)
    parent = Parent.of(config)
    why = prepare(run, start, 0 if parent is None else parent.step)

    def go_on() -> None:
        trainer.recorder.open()
        trainer.recorder.task(trainer.task.recorded())
        facts = {"device": _name(place), "threads": threads, "knobs": trainer.knobs.values()}
        told = {"keeps": start.keeps, "checkpoint": start.path, "why": why}
        trainer.recorder.tell("state", trainer.step, state="resumed", **told, **facts)
        if trainer.paused:
            trainer.recorder.tell("state", trainer.step, state="paused")
        if start.checkpoint is None:
            trainer.begin()
        trainer.inbox.take_over(start.again, start.answered, stale)

    return _run(trainer, go_on, host)


def _run(trainer: Trainer, begin: Callable[[], None], host: Host) -> Ended:
    """Train to the end; what goes wrong is recorded, as far as the disk and the lock allow, and raised again."""
    try:
        host.lock.check()  # of two hosts that took the run in the same instant, one learns it only now
        begin()
        host.begun()
        trainer.run()
        trainer.recorder.close()
    except TakenOverError:
        raise  # the files belong to another trainer now
    except Exception as error:
        with contextlib.suppress(OSError, RunError, TrainingError):  # a full disk must not hide why training failed
            if not isinstance(error, TrainingError):  # that one was told where it happened
                trainer.recorder.fail(trainer.step, f"{type(error).__name__}: {error}", traceback.format_exc())
            trainer.end("failed")
        with contextlib.suppress(OSError):
            trainer.recorder.close()
        raise
    return Ended(trainer.leaving or "finished", trainer.goes_on_in)


def build(
    run: RunDirectory, preset: Preset, catalog: Catalog, device: torch.device, host: Host, start: Start | None = None
) -> Trainer:
    """Make the trainer of a run, and its files; `start` when it was trained before. Raises as `train` does."""
    task, model = task_and_model(preset, catalog, device)
    with told(preset):
        optimizer = catalog.load("optimizers", preset.optimizer.name)(model.parameters(), **preset.optimizer.settings)
    training = preset.training
    loss = catalog.load("losses", training.loss)
    cadence = Cadence(training.steps, training.test_every, training.measure_every, training.checkpoint_every)
    knobs = Knobs(optimizer, catalog.settings("optimizers", preset.optimizer.name), cadence)
    return Trainer(
        task,
        model,
        optimizer,
        knobs,
        cadence,
        training.warmup_steps,
        loss,
        measures_of(Evaluation(model, task, in_nats=is_cross_entropy(loss, task.n_classes)), catalog),
        Recorder(run, knobs.recorded, Patience(run, host.lock, host.given_up)),
        Schedule(preset.interventions, start.schedule if start is not None else None),
        host.lock,
        host.on_divergence,
        host.wish,
    )


def _recorded_device(config: dict[str, Any]) -> str:
    return "cuda" if str(config.get("device", "cpu")).startswith("cuda") else "cpu"


def _config(preset: Preset, device: torch.device, threads: int) -> dict[str, Any]:
    """What run.toml holds (RUN_FORMAT.md): enough to train the same run again."""
    return {
        "format": FORMAT,
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
