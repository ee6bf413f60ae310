"""What a person types about knobs: `lr 2e-3`, or `lr 2e-3 wd 0.5`. Pure: text in, values or a sentence out."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from grokterm.drawing.ticks import format_setting
from grokterm.errors import UsageError, nearest
from grokterm.knob_values import CADENCES, SHORT, knobs_of_text

BIG_JUMP = 10.0
"""A change by this factor or more is asked about once more."""

_IN_THOUSANDS = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d.]|,\d)")  # 30,000, as it is shown
_NAME_BEFORE_NUMBER = re.compile(r"(^|[\s,;])([A-Za-z_][\w.-]*)\s+(?=[-+.\d\[])")


@dataclass(frozen=True, slots=True)
class Typed:
    """What a line about one knob says so far: a knob and a value, or the sentence that says what is missing."""

    knob: str = ""
    value: float = math.nan
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Changes:
    """What a line about any number of knobs says so far: their new values, or the sentence that says what is wrong."""

    values: Mapping[str, float] = field(default_factory=dict)
    problem: str = ""


def understand(text: str, knobs: Mapping[str, float]) -> Typed:
    """Read a line about one knob: `lr=2e-3`, `lr 2e-3` or `wd 0.5`; `knobs` are those there are, with their values."""
    name, _, number = text.replace("=", " ").strip().partition(" ")
    name = SHORT.get(name, name)
    if not name:
        return Typed(problem="type a knob and its new value, for instance lr 2e-3")
    if name not in knobs:
        return Typed(problem=f"no knob {name!r}; {nearest(name, knobs)}")
    if not number.strip():
        return Typed(name, problem=f"{name} is {format_setting(knobs[name])}; type its new value")
    try:
        value = float(_one_number(number).replace("_", ""))
    except ValueError:
        return Typed(name, problem=f"{number.strip()!r} is no number")
    problem = _impossible(name, value)
    return Typed(name, problem=problem) if problem else Typed(name, value)


def understand_several(text: str, knobs: Mapping[str, float]) -> Changes:
    """Read a line about any number of knobs, none too: `lr 2e-3 wd 0.5`, `lr=2e-3, betas=[0.9,0.98]`."""
    if not text.strip():
        return Changes()
    try:
        values = knobs_of_text(_NAME_BEFORE_NUMBER.sub(r"\1\2=", _one_number(text)), knobs)
    except UsageError as error:
        return Changes(problem=str(error))
    problems = [problem for knob, value in values.items() if (problem := _impossible(knob, value))]
    return Changes(problem=problems[0]) if problems else Changes(values)


def is_big_jump(old: float, new: float) -> bool:
    """Whether a change is so large that it may be a slip: by a factor of ten, or to or from zero."""
    if old == new:
        return False
    return old <= 0 or new <= 0 or max(new / old, old / new) >= BIG_JUMP


def change_text(knob: str, old: float, new: float) -> str:
    """A change in words: old → new, and by which factor."""
    factor = f"  (× {new / old:.3g})" if old else ""
    return f"{knob} {format_setting(old)} → {format_setting(new)}{factor}"


def _one_number(text: str) -> str:
    """A text without the commas between thousands."""
    return _IN_THOUSANDS.sub(lambda number: number[0].replace(",", ""), text)


def _impossible(knob: str, value: float) -> str:
    """Why no knob of this kind has such a value; "" where it may. The trainer knows the exact bounds."""
    if not 0 <= value < math.inf:
        return f"{knob} must be a finite number, 0 or more"
    whole = knob not in CADENCES or (value >= 1 and value == int(value))
    return "" if whole else f"{knob} must be a whole number of at least 1"
