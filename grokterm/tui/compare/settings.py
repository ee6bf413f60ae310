"""What runs were told to do differently: the settings that are not the same in all of them, and the edits. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grokterm.drawing.cells import one_cell_each
from grokterm.run.configuration import setting, setting_names
from grokterm.run.events import Event
from grokterm.tui.compare.bundles import DECIDE
from grokterm.tui.differences import table
from grokterm.tui.panel import short_knob
from grokterm.tui.panels.log import describe, number_text

ALWAYS_OTHER = frozenset({"format", "started", "description", "parent.started"})
"""Keys of run.toml that say nothing about how a run was made, or something else in every run."""
PLANNED, PARENT = "interventions", "parent"
ABSENT = "–"
LONGEST_VALUE = 28
MOST_EDITS = 20


@dataclass(frozen=True)
class Difference:
    """A setting by its dotted path, and what every run says, ABSENT where it says nothing."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Differences:
    """Settings from which the numbers follow, circumstances (where and with what), and how many are equal."""

    settings: tuple[Difference, ...]
    circumstances: tuple[Difference, ...]
    equal: int


def differing(configurations: Sequence[Mapping[str, Any]]) -> Differences:
    """Compare what the run.toml of several runs say. Planned interventions are interventions.1, interventions.2, …"""
    configurations = [_with_numbered_interventions(each) for each in configurations]
    names = sorted(setting_names(configurations) - ALWAYS_OTHER)
    if all(setting(each, "seed") in (None, setting(each, "training.seed")) for each in configurations):
        names = [name for name in names if name != "seed"]
    found = [(name, [setting(each, name) for each in configurations]) for name in names]
    unequal = [
        Difference(name, tuple(map(value_text, values)))
        for name, values in found
        if any(repr(value) != repr(values[0]) for value in values[1:])
    ]
    settings = tuple(each for each in unequal if each.name.partition(".")[0] in (*DECIDE, PLANNED, PARENT))
    others = tuple(each for each in unequal if each not in settings)
    return Differences(settings, others, len(found) - len(unequal))


def _with_numbered_interventions(configuration: Mapping[str, Any]) -> Mapping[str, Any]:
    """A configuration in which each planned intervention is a setting, told in words."""
    entries = configuration.get(PLANNED)
    if not isinstance(entries, list):
        return configuration
    digits = len(str(len(entries)))
    told = {f"{index:0{digits}}": intervention_text(entry) for index, entry in enumerate(entries, 1)}
    return {**configuration, PLANNED: told}


def intervention_text(entry: object) -> str:
    """A planned intervention in words: "at 600: lr 0.002, wd 0.5, moments reset"; what is none, as it is."""
    match entry:
        case {"at": int(at), "set": {**knobs}, **more}:
            begins = f"at {at:,}"
        case {"when": str(begins), "set": {**knobs}, **more}:
            pass
        case _:
            return str(entry)
    turned = [f"{short_knob(str(knob))} {number_text(value)}" for knob, value in knobs.items()]
    turned += ["moments reset"] if more.get("moments") == "reset" else []
    return f"{begins}: {', '.join(turned)}"


def value_text(value: object) -> str:
    """A value as a preset writes it, on one line."""
    if value is None:
        return ABSENT
    if isinstance(value, bool):
        return str(value).lower()
    return one_cell_each(str(value)) or '""'


def edit_lines(edits: Sequence[Event]) -> list[str]:
    """A line for every change of a knob during a run."""
    lines = [f"{edit.step:>9,}  {one_cell_each(describe(edit)[1])}" for edit in edits[:MOST_EDITS]]
    return lines + ([f"and {len(edits) - MOST_EDITS:,} more"] if len(edits) > MOST_EDITS else [])


def differences_text(
    runs: Sequence[tuple[str, str, Mapping[str, Any], Sequence[Event]]], width: int, *, longest: int = LONGEST_VALUE
) -> str:
    """A line a differing setting, a column a run (label, name, configuration, edits), in blocks that fit `width`.

    Where runs with their names do not fit beside each other, the columns have labels, and a list above says whose.
    """
    found = differing([configuration for _, _, configuration, _ in runs])
    heads = [_cut(f"{label} {one_cell_each(name)}", longest) for label, name, _, _ in runs]
    parts = []
    if any(len(_blocks(heads, each, width, longest)) > 1 for each in (found.settings, found.circumstances)):
        parts.append("\n".join(f"{label} {one_cell_each(name)}" for label, name, _, _ in runs))
        heads = [label for label, _, _, _ in runs]
    parts += _blocks(heads, found.settings, width, longest)
    if not found.settings:
        parts.append("every setting from which the numbers follow is the same")
    edited = [(label, name, edit_lines(edits)) for label, name, _, edits in runs if edits]
    parts += [
        "\n".join([f"{label} {one_cell_each(name)}: knobs turned during the run", *lines])
        for label, name, lines in edited
    ]
    if not edited:
        parts.append("no knob was turned during any of the runs")
    parts += [f"made where and with what\n{block}" for block in _blocks(heads, found.circumstances, width, longest)]
    more = " more" if found.settings or found.circumstances else ""
    parts.append(f"{found.equal:,}{more} {'is' if found.equal == 1 else 'are'} equal")
    return "\n\n".join(parts)


def _blocks(names: Sequence[str], differences: Sequence[Difference], width: int, longest: int) -> list[str]:
    """The same lines again and again, each time for as many runs as fit beside each other."""
    if not differences:
        return []
    columns = [[_cut(each.values[index], longest) for each in differences] for index in range(len(names))]
    widths = [max(map(len, [name, *column])) for name, column in zip(names, columns, strict=True)]
    left = max(len(each.name) for each in differences)
    blocks: list[list[int]] = []
    room = 0
    for index, needed in enumerate(widths):
        if not blocks or needed + 2 > room:
            blocks.append([])
            room = width - left
        blocks[-1].append(index)
        room -= needed + 2
    return [
        table(
            [
                ("", *(names[index] for index in block)),
                *((each.name, *(columns[index][row] for index in block)) for row, each in enumerate(differences)),
            ]
        )
        for block in blocks
    ]


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
