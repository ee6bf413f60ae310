"""What runs are called beside each other: short, and no two the same. Pure."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from grokterm.drawing.cells import one_cell_each
from grokterm.run.finding import without_date
from grokterm.tui.compare.bundles import LEFT_OPEN, SEEDS
from grokterm.tui.compare.settings import ABSENT, PARENT, PLANNED, Difference, differing
from grokterm.tui.panel import short_knob

MOST_SETTINGS = 2
"""Runs that differ in more settings are called by their directories."""


def short_names(paths: Sequence[str], configurations: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """A name for each run: its own without the date, and what sets it apart where that is not enough (`seed 1`).

    A name that all of them have says nothing and is left out. Every character takes one cell.
    """
    directories = [one_cell_each(Path(path).resolve().name) for path in paths]
    own = [without_date(name) for name in directories]
    names = list(own)
    for name in set(own):
        alike = [index for index, other in enumerate(own) if other == name]
        apart = _apart([paths[i] for i in alike], [directories[i] for i in alike], [configurations[i] for i in alike])
        for index, words in zip(alike, apart, strict=True):
            names[index] = words if len(alike) == len(own) and words else f"{name} {words}".rstrip()
    return tuple(names)


def _apart(paths: Sequence[str], directories: Sequence[str], configurations: Sequence[Mapping[str, Any]]) -> list[str]:
    """What sets runs of one name apart: settings, when they began, or where they lie."""
    if len(paths) == 1:
        return [""]
    in_full = [one_cell_each(str(Path(path).resolve())) for path in paths]
    for words in (_by_settings(configurations), _without_what_is_common(directories)):
        if len(set(words)) == len(paths):
            return words
    return _without_what_is_common(in_full)


def _by_settings(configurations: Sequence[Mapping[str, Any]]) -> list[str]:
    """The settings that are not the same, as far as the numbers follow from them."""
    found = [
        each
        for each in differing(configurations).settings
        if each.name not in LEFT_OPEN - SEEDS and not each.name.startswith(f"{PARENT}.")
    ]
    if len(found) > MOST_SETTINGS:
        return []
    return [" ".join(filter(None, (_words(each, index) for each in found))) for index in range(len(configurations))]


def _words(difference: Difference, index: int) -> str:
    """What a run says of a setting, and which one that is; an intervention speaks for itself."""
    value, section = difference.values[index], difference.name.partition(".")[0]
    if section == PLANNED:
        return "" if value == ABSENT else value
    return f"{short_knob(difference.name.rpartition('.')[2])} {value}"


def _without_what_is_common(names: Sequence[str]) -> list[str]:
    """The names without the words (between dashes or slashes) that all of them begin and end with."""
    words = [re.split(r"(?<=[-/])", name) for name in names]
    shortest = min(map(len, words))
    first = next((at for at in range(shortest) if len({each[at] for each in words}) > 1), shortest - 1)
    last = next((at for at in range(shortest - first) if len({each[-1 - at] for each in words}) > 1), 0)
    return ["".join(each[first : len(each) - last]).rstrip("-/") for each in words]
