"""What a file of somebody else's holds, in the file's own counting: weights by epoch, losses, settings.

Known are the files of Nanda's own code (`model`, `train_losses`, `test_losses`, `optimizer`, `config`, `epoch`; the
published run has `state_dicts` and `epochs`), those of the grokking demo of TransformerLens (`model`, `checkpoints`,
`checkpoint_epochs`, `train_losses`, `test_losses`, `train_indices`, `test_indices`, `config`), our own exports in that
layout, and bare state dicts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from grokterm.errors import UsageError
from grokterm.importers.layouts import is_state_dict
from grokterm.importers.reading import Opened
from grokterm.importers.settings import Settings, settings
from grokterm.values import LARGEST_COUNT

OURS = "grokterm export"
"""What a file has as a key that `grokterm export` wrote; its value says when the test losses were taken."""
FINAL = ("model", "state_dict", "model_state_dict")
CHECKPOINTS = ("checkpoints", "state_dicts")
EPOCHS = ("checkpoint_epochs", "epochs")

StateDict = Mapping[Any, object]


@dataclass(frozen=True, eq=False)
class Contents:
    """A file's weights and numbers.

    checkpoints: (epoch, state dict) in the order of epochs. final: the state dict without an epoch of its own, with the
    step that its file gives it, if any. train_losses: one an epoch, float64; test_losses: one every `test_every`
    epochs; empty where the file has none. first_test_step: the updates before the first of them, 0 or 1, where the file
    says it, as our own do. train_rows: int64 row numbers a·p + b, or None.
    """

    checkpoints: Sequence[tuple[int, StateDict]]
    final: StateDict | None
    final_step: int | None
    train_losses: NDArray[np.float64]
    test_losses: NDArray[np.float64]
    test_every: int
    first_test_step: int | None
    train_rows: Tensor | None
    settings: Settings


def contents(opened: Opened, test_every: int | None = None) -> Contents:
    """Take a file's values apart. Raises UsageError when there are no weights, or its parts do not fit together."""
    values = opened.values
    if is_state_dict(values):
        return _weights_alone(values, opened.metadata)
    final = next((values[key] for key in FINAL if is_state_dict(values.get(key))), None)
    checkpoints = _checkpoints(values)
    if final is None and not checkpoints:
        named = ", ".join(repr(str(key)[:40]) for key in list(values)[:8])
        raise UsageError(
            f"it holds no weights of a transformer: no W_E, no model, no checkpoints (it has {named or 'nothing'})"
        )
    train_losses, test_losses = _losses(values, "train_losses"), _losses(values, "test_losses")
    epoch = values.get("epoch")
    first_test_step, every = _said_of_tests(values.get(OURS))
    return Contents(
        checkpoints,
        final if isinstance(final, Mapping) else None,
        # Nanda's code saves after the update of an epoch, so the weights of epoch e have seen e + 1 updates.
        _count("epoch", epoch) + 1 if epoch is not None and not len(train_losses) else None,
        train_losses,
        test_losses,
        _cadence(len(train_losses), len(test_losses), every if test_every is None else test_every),
        first_test_step,
        _rows(values.get("train_indices")),
        settings(values.get("config"), values.get("optimizer")),
    )


def _weights_alone(values: StateDict, metadata: Mapping[str, str]) -> Contents:
    said = metadata.get("step", "")
    step = int(said) if said.isascii() and said.isdigit() and len(said) < len(str(LARGEST_COUNT)) else None
    nothing = np.zeros(0)
    return Contents((), values, step, nothing, nothing, 1, None, None, settings(None, None))


def _checkpoints(values: StateDict) -> list[tuple[int, StateDict]]:
    key = next((key for key in CHECKPOINTS if key in values), None)
    if key is None:
        return []
    stored = values[key]
    if isinstance(stored, Mapping):  # {epoch: state dict}
        epochs, states = list(stored), list(stored.values())
    elif isinstance(stored, list | tuple):
        states = list(stored)
        epochs = _epochs(values, key, len(states))
    else:
        raise UsageError(f"its {key} are a {type(stored).__name__}, not a list of state dicts")
    counted = [_count(f"an epoch of {key}", epoch) for epoch in epochs]
    if any(later <= earlier for earlier, later in pairwise(counted)):
        raise UsageError(f"the epochs of its {key} do not rise from one to the next")
    for epoch, state in zip(counted, states, strict=True):
        if not is_state_dict(state):
            raise UsageError(f"the checkpoint of epoch {epoch} is no state dict: it has no W_E")
    return list(zip(counted, states, strict=True))


def _epochs(values: StateDict, key: str, count: int) -> list[object]:
    found = next((values[name] for name in EPOCHS if name in values), None)
    if isinstance(found, Tensor):
        found = found.flatten().tolist()
    if isinstance(found, range):
        found = list(found)
    if not isinstance(found, list | tuple):
        raise UsageError(f"it has {count} {key} and no {' or '.join(EPOCHS)} that say when they were saved")
    if len(found) != count:
        raise UsageError(f"it has {count} {key} and {len(found)} epochs for them")
    return list(found)


def _count(what: str, value: object) -> int:
    if isinstance(value, Tensor) and value.numel() == 1:
        value = value.item()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < LARGEST_COUNT:
        raise UsageError(f"{what} is {repr(value)[:40]}, not a whole number from 0 on")
    return value


def _losses(values: StateDict, key: str) -> NDArray[np.float64]:
    """The losses as float64, each the very number in the file; NaN and infinities stay."""
    stored = values.get(key)
    if stored is None:
        return np.zeros(0)
    if isinstance(stored, Tensor) and stored.ndim == 1:
        stored = stored.tolist()
    if not isinstance(stored, list | tuple):
        raise UsageError(f"its {key} are a {type(stored).__name__}, not a list of numbers")
    numbers = np.zeros(len(stored))
    for index, loss in enumerate(stored):
        number = loss.item() if isinstance(loss, Tensor) and loss.numel() == 1 else loss
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise UsageError(f"{key}[{index}] is a {type(loss).__name__}, not a number")
        try:
            numbers[index] = number
        except OverflowError as error:
            raise UsageError(f"{key}[{index}] is too large a number") from error
    return numbers


def _said_of_tests(mark: object) -> tuple[int | None, int | None]:
    """The step of the first test loss and how many lie between two, as our own exports say it; None elsewhere."""
    if not isinstance(mark, Mapping) or "first_test_step" not in mark:
        return None, None
    first, every = (_count(f"{name} of {OURS!r}", mark.get(name)) for name in ("first_test_step", "test_every"))
    if first > 1 or not every:
        raise UsageError(f"{OURS!r} has first_test_step {first} and test_every {every}; not 0 or 1 and at least 1")
    return first, every


def _cadence(train: int, test: int, said: int | None) -> int:
    """How many epochs lie between two test losses: with n of them at 0, c, 2c, …, c is where ceil(train / c) = n."""
    if not test:
        return 1
    if said is not None:
        given = -(-train // said)
        if train and given != test:
            raise UsageError(
                f"a test loss every {said:,} epochs (--test-every) gives {given:,} test losses in {train:,} epochs; "
                f"the file has {test:,}"
            )
        return said
    if not train:
        raise UsageError(
            f"it has {test:,} test losses and no train losses; say --test-every N, for instance --test-every 1"
        )
    fitting = [c for c in range(max(train // test - 1, 1), train // max(test - 1, 1) + 1) if -(-train // c) == test]
    if not fitting:
        raise UsageError(
            f"{test:,} test losses do not spread evenly over {train:,} train losses, the first at epoch 0 of both"
        )
    if len(fitting) > 1:
        raise UsageError(
            f"{test:,} test losses in {train:,} epochs could be every {fitting[0]:,} to every {fitting[-1]:,} epochs; "
            f"say which, for instance --test-every {_roundest(fitting)}"
        )
    return fitting[0]


def _roundest(numbers: Sequence[int]) -> int:
    return max(numbers, key=lambda number: (len(str(number)) - len(str(number).rstrip("0")), -number))


def _rows(stored: object) -> Tensor | None:
    """Row numbers of the training pairs, checked to be distinct whole numbers."""
    if stored is None:
        return None
    if isinstance(stored, list | tuple):
        if not all(isinstance(row, int) and not isinstance(row, bool) and 0 <= row < LARGEST_COUNT for row in stored):
            raise UsageError("its train_indices are not all whole numbers from 0 on")
        stored = torch.tensor(stored, dtype=torch.int64)
    if not isinstance(stored, Tensor) or stored.ndim != 1 or not _is_whole(stored):
        raise UsageError("its train_indices are not a list of whole numbers")
    rows = stored.to(torch.int64)
    if rows.numel() == 0 or int(rows.min()) < 0 or bool((rows.sort().values.diff() == 0).any()):
        raise UsageError("its train_indices are empty, negative or name a pair twice")
    return rows


def _is_whole(tensor: Tensor) -> bool:
    return not tensor.is_floating_point() and tensor.dtype != torch.bool
