"""What can be turned while training runs: the numbers in `optimizer.param_groups` and the loop's own cadences.

`param_groups` is the only home of the optimizer's values; nothing here keeps a copy. The base learning rate stands in
the group's `initial_lr` (torch's own name for it), the one in force, warm-up included, in `lr`.
"""

from dataclasses import dataclass
from typing import Any

from torch.optim import Adam, AdamW, Optimizer

from grokterm.catalog import Setting
from grokterm.knob_values import CADENCES, checked_knob, knob_names


@dataclass
class Cadence:
    """How far to train and how often to do what, in steps."""

    steps: int
    test_every: int
    measure_every: int
    checkpoint_every: int


class Knobs:
    """Reads and writes every knob of one run by its name; a tuple such as `betas` is `beta1`, `beta2`."""

    def __init__(self, optimizer: Optimizer, settings: tuple[Setting, ...], cadence: Cadence) -> None:
        self._group = optimizer.param_groups[0]
        self._groups = optimizer.param_groups
        self._divides_decay = isinstance(optimizer, Adam) and not isinstance(optimizer, AdamW)
        self._settings = tuple(setting for setting in settings if setting.name in self._group)
        self._cadence = cadence
        self._places: dict[str, tuple[str, int | None]] = {}
        for group in self._groups:
            group.setdefault("initial_lr", group["lr"])
        for setting in self._settings:
            names = knob_names(setting)
            whole = names == (setting.name,)
            self._places |= {name: (setting.name, None if whole else at) for at, name in enumerate(names)}

    @property
    def recorded(self) -> tuple[str, ...]:
        """Names of the optimizer's knobs, one column each in steps.npy."""
        return tuple(self._places)

    def in_force(self) -> list[float]:
        """Each recorded knob's value for the coming update, warm-up included, in the order of `recorded`."""
        return [float(_pick(self._group[key], index)) for key, index in self._places.values()]

    def values(self) -> dict[str, float]:
        """Every knob's set value (for lr the one before warm-up), cadences included."""
        optimizer = {name: self._read(name) for name in self._places}
        return optimizer | {name: getattr(self._cadence, name) for name in CADENCES}

    def decay(self) -> float:
        """The share by which weight decay shrinks every weight a step; 0 without weight decay.

        lr · weight_decay, with momentum divided by 1 − momentum; 0 too where Adam divides it like a gradient, for then
        it has no such share.
        """
        if self._divides_decay:
            return 0.0
        share = self._group["lr"] * self._group.get("weight_decay", 0.0)
        return float(share / (1 - self._group.get("momentum", 0.0)))

    def warm_up(self, factor: float) -> None:
        """Put lr = factor × base into force for the coming update."""
        for group in self._groups:
            group["lr"] = group["initial_lr"] * factor

    def check(self, name: str, value: object) -> float:
        """Return the value the knob would take; UsageError says so when there is no such knob or not that value."""
        return checked_knob(self._settings, name, value)

    def set(self, name: str, value: float) -> None:
        """Put a checked value into force."""
        if name not in self._places:
            setattr(self._cadence, name, value)
            return
        key, index = self._places[name]
        for group in self._groups:
            target = "initial_lr" if key == "lr" else key
            group[target] = value if index is None else _replaced(group[key], index, value)

    def _read(self, name: str) -> float:
        key, index = self._places[name]
        return float(_pick(self._group["initial_lr" if key == "lr" else key], index))


def _pick(value: Any, index: int | None) -> Any:
    return value if index is None else value[index]


def _replaced(values: tuple[Any, ...], index: int, value: Any) -> tuple[Any, ...]:
    return (*values[:index], value, *values[index + 1 :])
