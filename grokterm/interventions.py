"""Interventions that a preset plans, its `[[interventions]]`: which knobs turn at a step, or once a condition holds.

An entry has `at = 600` or `when = "test_accuracy >= 0.5"`, then `set = { lr = 2e-3, weight_decay = 0.5 }`, and where
the optimizer's moments are to be forgotten `moments = "reset"`. In a fork `by_hand = true` says that no preset planned
it: a person asked for it.
"""

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, cast, get_args

from grokterm.catalog import Setting
from grokterm.errors import UsageError, nearest
from grokterm.knob_values import checked_knob
from grokterm.values import LARGEST_COUNT

Comparison = Literal["<", "<=", ">", ">=", "==", "!="]
Moments = Literal["kept", "reset"]

_KEYS = ("at", "when", "set", "moments", "by_hand")
_CONDITION = re.compile(r"\s*([^<>=!]*[^<>=!\s])\s*(<=|>=|==|!=|<|>)\s*([^<>=!\s]+)\s*")
_COMPARED: Mapping[Comparison, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


@dataclass(frozen=True)
class Condition:
    """A recorded scalar compared with a number: "test_accuracy >= 0.5"."""

    name: str
    comparison: Comparison
    number: float

    def __str__(self) -> str:
        return f"{self.name} {self.comparison} {repr(self.number).removesuffix('.0')}"

    def holds(self, value: float) -> bool:
        """Whether it is true of a value. Nothing is true of NaN, `!=` neither: it says that a number is missing."""
        return not math.isnan(value) and _COMPARED[self.comparison](value, self.number)


@dataclass(frozen=True)
class Intervention:
    """Knobs that turn together: with update `at`, or with the first update before which `when` holds; one is None.

    set: each knob's new value, in the order in which they turn; names as in the columns of steps.npy, and cadences.
    Fewer `steps` than were made by then end training there. by_hand: a person asked for it, of a fork or of the run
    that it was made from; a fork from before its step does without it.
    """

    at: int | None
    when: Condition | None
    set: Mapping[str, float]
    moments: Moments = "kept"
    by_hand: bool = False

    @property
    def why(self) -> str:
        """What makes it happen, in words: "at 500", or the condition; "" for a person."""
        if self.by_hand:
            return ""
        return f"at {self.at}" if self.when is None else str(self.when)

    def to_toml(self) -> dict[str, Any]:
        """Return it as an entry of `[[interventions]]`, every default written out."""
        begins = {"at": self.at} if self.when is None else {"when": str(self.when)}
        asked = {"by_hand": True} if self.by_hand else {}
        return {**begins, "set": dict(self.set), "moments": self.moments, **asked}


def condition_from(text: str) -> Condition | None:
    """The condition that a text means, NAME OP NUMBER; None where it is none."""
    said = _CONDITION.fullmatch(text)
    if said is None:
        return None
    try:
        number = float(said[3])
    except ValueError:
        return None
    return None if math.isnan(number) else Condition(said[1], cast("Comparison", said[2]), number)


def interventions_from(entries: object, where: str, settings: Sequence[Setting]) -> tuple[Intervention, ...]:
    """Read and check what a file has as `interventions`; `settings` are those of the run's optimizer.

    Raises UsageError that names the file (`where`), the entry, counted from 0, and the key.
    """
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise UsageError(f"{where}: interventions is no list of tables; begin each with a line [[interventions]]")
    return tuple(
        _intervention(entry, where, f"interventions[{index}]", settings) for index, entry in enumerate(entries)
    )


def _intervention(entry: Mapping[str, Any], where: str, place: str, settings: Sequence[Setting]) -> Intervention:
    for key in entry:
        if key not in _KEYS:
            raise UsageError(f"{where}: there is no key {place}.{key}; {nearest(key, _KEYS)}")
    if ("at" in entry) == ("when" in entry):
        raise UsageError(f'{where}: {place} needs either at = STEP or when = "NAME >= NUMBER", and not both')
    at = _step(entry["at"], where, place) if "at" in entry else None
    when = _condition(entry["when"], where, place) if "when" in entry else None
    moments = entry.get("moments", "kept")
    if moments not in get_args(Moments):
        raise UsageError(f"{where}: {place}.moments = {moments!r} must be 'kept' or 'reset'")
    by_hand = entry.get("by_hand", False)
    if not isinstance(by_hand, bool):
        raise UsageError(f"{where}: {place}.by_hand = {by_hand!r} must be true or false")
    return Intervention(at, when, _knobs(entry.get("set"), where, place, settings), moments, by_hand)


def _step(value: object, where: str, place: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST_COUNT:
        raise UsageError(f"{where}: {place}.at = {value!r} must be a whole number from 0 to {LARGEST_COUNT:,}")
    return value


def _condition(value: object, where: str, place: str) -> Condition:
    condition = condition_from(value) if isinstance(value, str) else None
    if condition is None:
        how = f'write a recorded scalar, one of {" ".join(_COMPARED)}, and a number: "test_accuracy >= 0.5"'
        raise UsageError(f"{where}: {place}.when = {value!r} is no condition; {how}")
    if condition.name == "step":
        raise UsageError(f"{where}: {place}.when = {value!r} names a step; write at = STEP instead")
    return condition


def _knobs(said: object, where: str, place: str, settings: Sequence[Setting]) -> Mapping[str, float]:
    if not isinstance(said, dict) or not said:
        raise UsageError(f"{where}: {place} needs set = {{ KNOB = VALUE }}, for instance set = {{ lr = 2e-3 }}")
    checked: dict[str, float] = {}
    for name, value in said.items():
        try:
            checked[name] = checked_knob(settings, name, value)
        except UsageError as error:
            raise UsageError(f"{where}: {place}.set: {error}") from error
    return MappingProxyType(checked)
