"""Finds out what a file of somebody else's is: layout, task, split, the steps of its weights. Nothing is written."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor

from grokterm.engine.cross_entropy import cross_entropy
from grokterm.engine.task import Task
from grokterm.errors import UsageError
from grokterm.importers.choices import Choices, Operation
from grokterm.importers.contents import Contents, contents
from grokterm.importers.layouts import Weights, weights
from grokterm.importers.operation import find_operation
from grokterm.importers.reading import open_file
from grokterm.importers.settings import refuse_contradictions
from grokterm.importers.split import Evidence, FoundSplit, find_split
from grokterm.importers.timeline import Recorded, Shift, evaluated_after, saved_after
from grokterm.models.transformer import Transformer
from grokterm.tasks.modular import modular

COMPARED = 8
"""Checkpoints whose losses are computed to find their steps."""


@dataclass(frozen=True)
class Source:
    """The file: its name without folders, its size in bytes, its SHA-256."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, eq=False)
class Plan:
    """Everything that is known of a file. `states` are its weights by step, rising; `choices` what a person said.

    tested_after: updates between the epoch of a test loss and its step. left_out: what of the file is not imported.
    """

    source: Source
    choices: Choices
    contents: Contents
    task: Task
    operation: Operation
    why_operation: str
    split: FoundSplit
    states: Sequence[tuple[int, Weights]]
    saved_after: Shift
    tested_after: Shift
    left_out: tuple[str, ...]

    @property
    def steps(self) -> int:
        """The last step that the file knows of."""
        return max(self.states[-1][0], len(self.contents.train_losses))

    def model(self, of: Weights) -> Transformer:
        """The model with these weights, in their precision."""
        return _model(self.task, of)


def plan(path: Path, choices: Choices) -> Plan:
    """Read a file and find out what it is. Raises UsageError, one sentence that names the file."""
    opened = open_file(path)
    try:
        found = contents(opened, choices.test_every)
        refuse_contradictions(choices, found.settings)
        checkpoints = [(epoch, weights(state, choices.p)) for epoch, state in found.checkpoints]
        final = None if found.final is None else weights(found.final, choices.p)
        _refuse_mixed([state for _, state in checkpoints] + ([final] if final else []))
        return _planned(_source(path), choices, found, checkpoints, final)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from error
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error


def _planned(
    source: Source, choices: Choices, found: Contents, checkpoints: list[tuple[int, Weights]], final: Weights | None
) -> Plan:
    decisive, is_last = _decisive([state for _, state in checkpoints] + ([final] if final else []))
    any_task = modular(p=decisive.p)
    logits = _logits(_model(any_task, decisive), any_task)
    operation, why = find_operation(logits.argmax(dim=1), decisive.p, choices.operation, found.settings.operation)
    labels = modular(p=decisive.p, operation=operation).labels
    losses = -logits.double().log_softmax(dim=1).gather(1, labels[:, None])[:, 0]
    recorded = len(found.train_losses) and len(found.test_losses) and is_last
    last = (float(found.train_losses[-1]), float(found.test_losses[-1])) if recorded else None
    split = find_split(Evidence(decisive.p, losses, last), found.train_rows, choices, found.settings)
    task = modular(
        p=decisive.p,
        operation=operation,
        train_fraction=split.fraction,
        split=split.split.procedure,
        split_seed=split.split.seed,
    )
    saved, states, left_out = _steps(task, found, checkpoints, final)
    tested = _tested_after(task, found, states)
    return Plan(source, choices, found, task, operation, why, split, states, saved, tested, left_out)


def _steps(
    task: Task, found: Contents, checkpoints: list[tuple[int, Weights]], final: Weights | None
) -> tuple[Shift, list[tuple[int, Weights]], tuple[str, ...]]:
    """Give every state its step: checkpoints by their epochs, the final one after the last of the losses."""
    epochs, train = len(found.train_losses), Recorded(found.train_losses)
    last_epoch = checkpoints[-1][0] if checkpoints else -1
    if epochs and last_epoch > epochs:
        raise UsageError(
            f"its checkpoints reach epoch {last_epoch:,} and it has {epochs:,} train losses; "
            "an import needs one for every epoch, or none"
        )
    computed = [(epoch, _losses(task, state)[0]) for epoch, state in _some(checkpoints)] if epochs else []
    saved = saved_after(train, computed, last_epoch)
    states = {epoch + saved.updates: state for epoch, state in checkpoints}
    left_out: tuple[str, ...] = ()
    if final is not None:
        step = epochs or found.final_step or 0
        if checkpoints and not epochs:
            left_out = ("the weights without an epoch of their own: their step is not known",)
        else:
            if step in states and not _same(states[step], final):
                left_out = (f"the checkpoint of step {step:,}, in favour of the final weights, which are others",)
            states[step] = final
    return saved, sorted(states.items(), key=lambda item: item[0]), left_out


def _tested_after(task: Task, found: Contents, states: list[tuple[int, Weights]]) -> Shift:
    test = Recorded(found.test_losses, found.test_every)
    if not len(found.test_losses):
        return Shift(0, measured=True)
    if found.first_test_step is not None:
        return Shift(found.first_test_step, measured=True)
    is_demo = bool(found.checkpoints) and states[0][1].layout == "TransformerLens"
    computed = [(step, _losses(task, state)[1]) for step, state in _some(states)]
    return evaluated_after(test, computed, usual=1 if is_demo else 0)


def _some(states: Sequence[tuple[int, Weights]]) -> list[tuple[int, Weights]]:
    """A few states that have only numbers: the first ones, where losses change fastest, and some of all the others."""
    early = states[: COMPARED // 2]
    rest = states[COMPARED // 2 :]
    chosen = [*early, *rest[:: max(len(rest) // (COMPARED // 2), 1)]]
    return [(at, state) for at, state in chosen if not state.not_finite()]


def _decisive(states: Sequence[Weights]) -> tuple[Weights, bool]:
    """The last weights without NaN and infinity, and whether they are the last ones."""
    broken = ""
    for state in reversed(states):
        found = state.not_finite()
        if not found:
            return state, not broken
        broken = broken or found
    everywhere = " in every checkpoint" if len(states) > 1 else ""
    raise UsageError(f"{broken} holds NaN or infinity{everywhere}, so there is nothing to measure")


def _refuse_mixed(states: Sequence[Weights]) -> None:
    for one, other in pairwise(states):
        shapes = [{name: tuple(tensor.shape) for name, tensor in state.tensors.items()} for state in (one, other)]
        if shapes[0] != shapes[1] or one.layout != other.layout:
            raise UsageError("its checkpoints are not of one model: their layouts or shapes differ")


def _model(task: Task, of: Weights) -> Transformer:
    n_heads, d_model, _ = of.tensors["W_Q"].shape
    copied = of.copied()
    model = Transformer(task, d_model=d_model, n_heads=n_heads, d_mlp=of.tensors["W_in"].shape[1])
    model = model.to(copied["W_E"].dtype)
    model.load_state_dict(copied)
    return model


def _logits(model: Transformer, task: Task) -> Tensor:
    with torch.no_grad():
        logits: Tensor = model(task.inputs)
    return logits


def _losses(task: Task, state: Weights) -> tuple[float, float]:
    """Train and test loss of these weights."""
    logits = _logits(_model(task, state), task)
    train, test = (float(cross_entropy(logits[rows], task.labels[rows])[0]) for rows in (task.train, task.test))
    return train, test


def _same(one: Weights, other: Weights) -> bool:
    pairs = ((tensor, other.tensors[name]) for name, tensor in one.tensors.items())
    return all(bool(((a == b) | (a.isnan() & b.isnan())).all()) for a, b in pairs)


def _source(path: Path) -> Source:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Source(path.name, path.stat().st_size, digest)
