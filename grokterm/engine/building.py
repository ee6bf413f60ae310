"""Builds what a preset names: its task, its model, and the measures that apply to them."""

import contextlib
import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from grokterm.catalog import Catalog
from grokterm.engine.evaluation import Evaluation
from grokterm.engine.task import Task
from grokterm.errors import UsageError
from grokterm.preset import Preset

Loss = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""A part of kind "losses": outputs and labels → the mean loss, differentiable, and the accuracy, float64 scalars."""


def task_and_model(preset: Preset, catalog: Catalog, device: torch.device) -> tuple[Task, nn.Module]:
    """Make the task, and a model as it is before training, on a device. Raises UsageError for what cannot be made."""
    seeded = {"seed": preset.training.seed}
    with told(preset):
        wants_seed = any(setting.name == "seed" for setting in catalog.settings("tasks", preset.task.name))
        task: Task = catalog.load("tasks", preset.task.name)(**preset.task.settings, **(seeded if wants_seed else {}))
        task = task.to(device)
        model: nn.Module = catalog.load("models", preset.model.name)(task, **preset.model.settings).to(device)
    return task, model


def measures_of(evaluation: Evaluation, catalog: Catalog) -> dict[str, Callable[..., Any]]:
    """Every measure whose facts exist there, by name."""
    loaded = {name: catalog.load("measures", name) for name in catalog.names("measures")}
    return {name: measure for name, measure in loaded.items() if evaluation.applies(measure)}


def is_cross_entropy(loss: Loss, n_classes: int) -> bool:
    """Whether a loss is a cross-entropy in nats: equal outputs for every class cost ln n_classes then."""
    equal, _ = loss(torch.zeros(1, n_classes), torch.zeros(1, dtype=torch.int64))
    return math.isclose(float(equal), math.log(n_classes), rel_tol=1e-6)


@contextlib.contextmanager
def told(preset: Preset) -> Iterator[None]:
    """What a part refuses, and sizes that do not fit into memory, as UsageError."""
    try:
        yield
    except ValueError as error:
        raise UsageError(f"{preset.name}: {error}") from error
    except (MemoryError, RuntimeError) as error:
        if not _is_about_memory(error):
            raise
        sizes = "the sizes in [task] and [model] need more memory than this machine has"
        raise UsageError(f"{preset.name}: {sizes}; take smaller ones") from error


def _is_about_memory(error: MemoryError | RuntimeError) -> bool:
    """Whether an allocation failed. On a CPU torch raises a plain RuntimeError, whose words are all there is."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return any(words in str(error) for words in ("not enough memory", "can't allocate memory", "size calculation over"))
