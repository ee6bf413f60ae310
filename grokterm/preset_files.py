"""Which file a preset is, and what it says of itself: its one line, its paper, its cost. Nothing else is checked.

Lists and the shell's completion need no more, and start sooner without the catalog and what checks the rest.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, cast

from grokterm.errors import UsageError, nearest

Cost = Literal["A", "B", "C", "D", "E"]
COSTS: Mapping[Cost, str] = MappingProxyType(
    {"A": "under 5 s", "B": "to 30 s", "C": "to 5 min", "D": "to an hour", "E": "hours"}
)
"""How long one CPU core trains until what the preset shows has happened; most train on a while after that."""
KEYS = ("description", "paper", "cost")
"""The keys of a preset that decide nothing about a run."""


@dataclass(frozen=True)
class About:
    """What a preset says of itself. paper: "Nanda et al. 2023"; "" and None where a person's own does not say."""

    description: str = ""
    paper: str = ""
    cost: Cost | None = None


def find(reference: str) -> Path:
    """The file of a preset: a path with or without `.toml`, or the name of a packaged one. Raises UsageError."""
    asked = Path(reference)
    for path in (asked, asked.parent / f"{asked.name}.toml"):
        if os.path.isfile(path):  # noqa: PTH113 - Path.is_file raises where a name is too long
            return path
    there = packaged()
    stem = asked.name.removesuffix(".toml")
    if stem in there and asked.parent.name in ("", "presets"):
        return there[stem]
    raise UsageError(f"there is no preset {reference!r}; {nearest(stem, there)}")


def packaged() -> dict[str, Path]:
    """The files of the packaged presets by their names, sorted: inside the installed package, beside it in a checkout.

    Nothing is opened.
    """
    inside = Path(__file__).parent / "presets"
    folder = inside if inside.is_dir() else Path(__file__).parent.parent / "presets"
    return {path.stem: path for path in sorted(folder.glob("*.toml"), key=lambda path: path.stem)}


def read_raw(path: Path) -> dict[str, Any]:
    """Return what a preset's file says, unchecked. Raises UsageError when it is not TOML or cannot be read."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:  # no TOML, no UTF-8, or an integer of thousands of digits
        raise UsageError(f"{path} is not valid TOML: {error}") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error


def about(raw: Mapping[str, Any], where: str) -> About:
    """Return what the raw preset of the file `where` says of itself. Raises UsageError that names file and key."""
    paper, cost = raw.get("paper", ""), raw.get("cost")
    if "paper" in raw and not (isinstance(paper, str) and paper.strip() and paper.isprintable()):
        raise UsageError(f'{where}: paper = {paper!r} must be text on one line, for instance "Nanda et al. 2023"')
    if "cost" in raw and not (isinstance(cost, str) and cost in COSTS):
        *most, last = map(repr, COSTS)
        raise UsageError(f"{where}: cost = {cost!r} must be {', '.join(most)} or {last}")
    return About(str(raw.get("description", "")), paper.strip(), cast("Cost | None", cost))
