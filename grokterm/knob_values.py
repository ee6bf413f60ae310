"""What can be turned while training runs, by name, and which values it may take; torch is not needed to say so.

A knob is a number among an optimizer's settings, one of a pair such as `betas` as `beta1` and `beta2`, or one of the
loop's own cadences.
"""

import math
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Any, get_args, get_origin

from pydantic import TypeAdapter, ValidationError

from grokterm.catalog import Catalog, Setting
from grokterm.errors import UsageError, nearest
from grokterm.values import LARGEST_COUNT, sentence

CADENCES = ("steps", "test_every", "measure_every", "checkpoint_every")
"""How far to train and how often to do what, in steps."""
SHORT: Mapping[str, str] = {"wd": "weight_decay", "weight-decay": "weight_decay"}
"""What people call a knob when they type."""

_ASSIGNMENT = re.compile(r"[,;\s]*([A-Za-z_][\w.-]*)\s*=\s*(\[[^\]]*\]|[^\s,;\[]+)(?=[,;\s]|$)")
_SECTION = re.compile(r"(?:optimizer|training)\.")


def knob_names(setting: Setting) -> tuple[str, ...]:
    """The knobs of a setting: itself where it is a number, one an element where it is a tuple of numbers, else none."""
    if _is_number(setting.annotation):
        return (setting.name,)
    return tuple(f"{setting.name.removesuffix('s')}{index + 1}" for index in range(len(_elements(setting))))


def checked_knob(settings: Sequence[Setting], name: str, value: object) -> float:
    """Return the value that a knob would take; `settings` are those of the run's optimizer.

    Raises UsageError that says so when there is no such knob or it cannot have that value.
    """
    if name in CADENCES:
        return _checked_cadence(name, value)
    kinds = {
        knob: kind for setting in settings for knob, kind in zip(knob_names(setting), _kinds(setting), strict=True)
    }
    if name not in kinds:
        raise UsageError(f"there is no knob {name!r}; {nearest(name, (*kinds, *CADENCES))}")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UsageError(f"{name} = {value}: must be a number")
    try:
        return float(TypeAdapter(kinds[name]).validate_python(value))
    except ValidationError as error:
        raise UsageError(f"{name} = {value}: {sentence(error)}") from error


def checked_knobs(catalog: Catalog, optimizer: object, values: Mapping[str, float]) -> dict[str, float]:
    """Return the values that knobs of a run would take; `optimizer` is what its configuration says under that name.

    Of an optimizer that is in no catalog it is known only that its knobs are numbers. Raises UsageError as
    `checked_knob` does.
    """
    kind = optimizer.get("name") if isinstance(optimizer, Mapping) else None
    known = isinstance(kind, str) and kind in catalog.names("optimizers")
    settings = catalog.settings("optimizers", str(kind)) if known else ()
    return {
        name: checked_knob(settings, name, value) if known or name in CADENCES else _finite(name, value)
        for name, value in values.items()
    }


def knobs_of_text(text: str, names: Collection[str]) -> dict[str, float]:
    """Read what a person types: `lr=2e-3 wd=0.5`, `optimizer.betas=[0.9, 0.98]`, `training.steps=5000`.

    names: the run's knobs. The values are numbers, and not checked further. Raises UsageError that names the nearest
    knob, or says how to write it.
    """
    found: dict[str, float] = {}
    begin = 0
    while said := _ASSIGNMENT.match(text, begin):
        turned = _numbers(said[1], said[2], names)
        for name in turned:
            if name in found:
                raise UsageError(f"{text.strip()!r}: {name} is set twice")
        found |= turned
        begin = said.end()
    if text[begin:].strip(" ,;\t\n") or not found:
        raise UsageError(f"{text.strip()!r}: write KNOB=VALUE, for instance lr=2e-3, several with spaces between them")
    return found


def _numbers(said: str, value: str, names: Collection[str]) -> dict[str, float]:
    """Return what one assignment sets: one knob, or each of a tuple's."""
    name = _SECTION.sub("", said, count=1) if _SECTION.match(said) else said
    name = SHORT.get(name, name)
    if name in names:
        return {name: _number(name, value)}
    tuples = [knob for knob in names if re.fullmatch(rf"{re.escape(name.removesuffix('s'))}[0-9]+", knob)]
    if not tuples or not name.endswith("s"):
        raise UsageError(f"there is no knob {said!r}; {nearest(name, names)}")
    elements = [element.strip() for element in value.strip("[]").split(",")]
    if not value.startswith("[") or len(elements) != len(tuples):
        raise UsageError(f"{name} = {value}: must be {len(tuples)} numbers in brackets, for {' and '.join(tuples)}")
    return {knob: _number(knob, element) for knob, element in zip(tuples, elements, strict=True)}


def _number(name: str, text: str) -> float:
    for kind in (int, float):  # a whole number stays one: it may be larger than a float holds exactly
        try:
            return kind(text)
        except ValueError:
            continue
    raise UsageError(f"{name} = {text}: must be a number")


def _finite(name: str, value: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise UsageError(f"{name} = {value}: must be a number")
    return value


def _checked_cadence(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UsageError(f"{name} = {value}: must be a whole number")
    if value > LARGEST_COUNT:
        raise UsageError(f"{name} = {value}: must be a whole number of at most {LARGEST_COUNT:,}")
    if not value >= 1 or value != int(value):  # NaN is not at least 1
        raise UsageError(f"{name} = {value}: must be a whole number of at least 1")
    return int(value)


def _kinds(setting: Setting) -> tuple[Any, ...]:
    """The type of each of its knobs, in the order of `knob_names`."""
    return (setting.annotation,) if _is_number(setting.annotation) else _elements(setting)


def _elements(setting: Setting) -> tuple[Any, ...]:
    """The types of a tuple's elements where all are numbers; none for anything else, nor for a tuple of any length."""
    kinds = get_args(setting.annotation) if get_origin(setting.annotation) is tuple else ()
    return kinds if all(_is_number(kind) for kind in kinds) else ()


def _is_number(annotation: Any) -> bool:
    return (get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation) in (int, float)
