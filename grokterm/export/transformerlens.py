"""TransformerLens: one file of torch.save, laid out as its grokking demo saves a training run.

d = torch.load("run.pth", weights_only=True)
model = HookedTransformer(HookedTransformerConfig(**d["config"]))
model.load_state_dict(d["model"])

As in the demo, epoch e (from 0) computes train_losses[e], updates, and may save: d["checkpoints"][i] are the weights of
step d["checkpoint_epochs"][i] + 1, and those of step 0 have no epoch. train_losses[e] is the loss of the weights after
e updates. test_losses are those recorded, evenly spaced. Where as many lie evenly from step 1 on as from step 0, they
begin at step 1, as in the demo, which tests after the update: test_losses[e · every] is the loss after e · every + 1
updates. Otherwise they begin at step 0; which of both it is, and `every`, stands in the mark, the first entry.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from grokterm import __version__
from grokterm.ancestry import find_parents, whole_series
from grokterm.circuit.circuit import Circuit
from grokterm.circuit.network import Network
from grokterm.errors import RunError
from grokterm.export.choices import Choices
from grokterm.export.earlier import TENSORS_MARK
from grokterm.export.hooked_transformer import config, state_dict
from grokterm.history import History, Series
from grokterm.progress import Progress
from grokterm.run import recorded_task
from grokterm.run.checkpoint import CheckpointInfo, list_checkpoints, read
from grokterm.run.configuration import is_imported
from grokterm.run.directory import RunDirectory, no_run
from grokterm.run.recorded_task import RecordedTask
from grokterm.run.table import last_row

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class States:
    """The networks to write, by step, rising; `problems` has a sentence for each checkpoint that is left out."""

    networks: Mapping[int, Network]
    problems: Sequence[str]

    @property
    def last(self) -> int:
        """The step of the last one."""
        return max(self.networks)


def write(run: RunDirectory, path: Path, progress: Progress, choices: Choices) -> str:
    """Write the file `path`: every checkpoint, the newest one as the model; with `choices.step` that one alone.

    Losses are those up to the model's step; NaN where a fork's parent has them and is gone. Raises RunError for a run
    without checkpoints, or of another kind of network or task.
    """
    history = History(run)
    history.poll()
    if history.config is None:
        raise no_run(run.path)
    seed = None if is_imported(history.config) else history.config.get("seed")  # that of somebody else is not known
    find_parents(history)
    task = recorded_task.read(run.task_path)
    states = _states(run, task, choices.step, progress)
    history = history.at(states.last)
    train = every_loss(_recorded(history, run.steps_path, "train_loss"), states.last)
    first, every, test = even_losses(_recorded(history, run.tests_path, "test_loss"), states.last)
    saved = {} if choices.step is not None else {step - 1: network for step, network in states.networks.items() if step}
    values = {
        TENSORS_MARK: {
            "grokterm": __version__,
            "run": run.name,
            "step": states.last,
            **({"first_test_step": first, "test_every": every} if len(test) else {}),
        },
        "model": state_dict(states.networks[states.last]),
        "config": config(states.networks[states.last], seed),
        "checkpoints": [state_dict(network) for network in saved.values()],
        "checkpoint_epochs": list(saved),
        "train_losses": train.tolist(),
        "test_losses": test.tolist(),
        "train_indices": task.train,
        "test_indices": task.test,
        **_optimizer(history.knobs),
    }
    from grokterm.torch_file import save

    save(values, path)
    return _told(states, len(saved), train, test, every)


def every_loss(recorded: Series, steps: int) -> Floats:
    """The loss of every step before `steps`, (steps,), NaN where none was recorded; (0,) for a run without any."""
    return _by_step(recorded, steps) if len(recorded.steps) else np.zeros(0)


def even_losses(recorded: Series, steps: int) -> tuple[int, int, Floats]:
    """The first step, how many steps lie between two, and the recorded losses that lie so, as many as the layout needs.

    For n epochs they are ⌈n / every⌉. They begin at step 1, or at step 0 where more of them lie evenly from there. A
    run whose cadence was changed has fewer of them than were recorded.
    """
    losses = _by_step(recorded, steps + 1)
    known = np.zeros(steps + 1, np.bool_)
    known[recorded.steps[recorded.steps <= steps]] = True
    begins = [step for step in (1, 0) if step < steps + 1 and known[step]]
    if not begins or not steps:
        return 0, 1, np.zeros(0)
    widest = int(np.diff(np.flatnonzero(known)).max(initial=1))  # any closer row of places has one in the widest gap
    for every in range(min(widest, steps), steps + 1):
        for first in begins:
            places = first + every * np.arange(-(-steps // every))
            if known[places].all():
                return first, every, losses[places]
    raise AssertionError("a single loss always lies evenly")


def _by_step(recorded: Series, steps: int) -> Floats:
    losses = np.full(steps, np.nan)
    there = recorded.steps < steps
    losses[recorded.steps[there]] = recorded.values[there]
    return losses


def _recorded(history: History, path: Path, name: str) -> Series:
    """A loss that a trainer recorded; what the measures of an imported run say of checkpoints is none."""
    if is_imported(history.config or {}) and last_row(path) is None:
        return Series(np.zeros(0, np.int64), np.zeros(0))
    return whole_series(history, name)


def _states(run: RunDirectory, task: RecordedTask, step: int | None, progress: Progress) -> States:
    """Read the checkpoints; damaged ones are left out, unless it is the one that was asked for, or all are."""
    infos = [info for info in list_checkpoints(run.checkpoints) if step in (None, info.step)]
    networks: dict[int, Network] = {}
    problems: list[str] = []
    progress.begin(len(infos))
    for info in infos:
        try:
            networks[info.step] = _network(info, task)
        except RunError as error:
            problems.append(str(error))
        progress.advance(1)
    if not networks:
        raise RunError(problems[0] if problems else f"{run.name} has no checkpoint")
    return States(networks, problems)


def _network(info: CheckpointInfo, task: RecordedTask) -> Network:
    tensors = read(info.path).tensors
    try:
        return Circuit(Network.of(tensors), task).network
    except RunError as error:
        raise RunError(f"{info.path}: {error}") from error


def _optimizer(knobs: Mapping[str, float]) -> Mapping[str, object]:
    """AdamW's settings in force at the end, as far as they are known, where its state dict has them."""
    group: dict[str, object] = {name: knobs[name] for name in ("lr", "weight_decay", "eps") if name in knobs}
    if {"beta1", "beta2"} <= knobs.keys():
        group["betas"] = (knobs["beta1"], knobs["beta2"])
    return {"optimizer": {"state": {}, "param_groups": [group]}} if group else {}


def _told(states: States, checkpoints: int, train: Floats, test: Floats, every: int) -> str:
    between = f", every {every:,} epochs" if every > 1 else ""
    parts = [
        f"the weights of step {states.last:,}",
        f"{checkpoints:,} checkpoints" if checkpoints != 1 else "1 checkpoint",
        f"{len(train):,} train and {len(test):,} test losses{between}",
    ]
    missing = int(np.isnan(train).sum())
    trained = any(network.b_in.any() or network.b_out.any() for network in states.networks.values())
    notes = ["b_in and b_out as they were trained"] if trained else []
    notes += [f"{missing:,} train losses NaN"] if missing else []
    return "; ".join([", ".join(parts), *notes, *(f"left out: {problem}" for problem in states.problems)])
