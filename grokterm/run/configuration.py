"""What run.toml says, for lists of thousands of runs: what many runs repeat is parsed once.

Parsing a run.toml takes Python's own reader 0.2 ms, nearly all of it for lines that every run of a preset repeats.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from grokterm.errors import RunError
from grokterm.run.format import upgraded

Configuration = Mapping[str, Any]
"""A run.toml as read. Sections are shared between runs: never change one."""

_PIECE = re.compile(r"^(?=\[)", re.MULTILINE)


def read_configuration(path: Path) -> Configuration | None:
    """Return what a run.toml says, or None while there is none.

    Raises RunError when it is not TOML, cannot be read, or is of a newer format. The same as RunDirectory.read_config,
    faster where many files are read.
    """
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - Path.open costs as much as the rest
            content = file.readall()
        config = parse(content.decode())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise RunError(f"{path} is not valid TOML: {error}") from error
    return upgraded(config, path)


def parse(text: str) -> dict[str, Any]:
    """Return what `text` means as TOML. Raises ValueError when it is not TOML.

    It is parsed in pieces that many files share: the lines before the first section, and every section. Cutting there
    is right unless a cut is inside a text or a list, or two pieces belong to one table. Then a piece is no TOML by
    itself or repeats a key, and the whole is parsed at once.
    """
    if '"""' in text or "'''" in text:
        return tomllib.loads(text)
    whole: dict[str, Any] = {}
    length = 0
    try:
        head, *sections = _PIECE.split(text)
        for piece in (*head.split("\n"), *sections):
            found = _piece(piece)
            whole.update(found)
            length += len(found)
    except ValueError:
        return tomllib.loads(text)
    return whole if len(whole) == length else tomllib.loads(text)


def is_imported(configuration: Configuration) -> bool:
    """Whether the run was made of somebody else's file: some of its settings are assumptions, and it has no marks."""
    return isinstance(configuration.get("source"), Mapping)


def setting_names(configurations: Iterable[Configuration]) -> frozenset[str]:
    """Return the dotted path of every setting that any of these has: "optimizer.lr", "training.steps", "device"."""
    names: set[str] = set()
    seen: set[int] = set()
    left = [("", configuration) for configuration in configurations]
    while left:
        path, section = left.pop()
        for key, value in section.items():
            if not isinstance(value, Mapping):
                names.add(path + key)
            elif id(value) not in seen:
                seen.add(id(value))
                left.append((f"{path}{key}.", value))
    return frozenset(names)


def steps_asked(config: Configuration, step: int) -> int | None:
    """How far a fork is to train that has not come to the step where a person asked for it; None for any other run."""
    entries = config.get("interventions")
    asked: list[tuple[int, int]] = []
    for entry in entries if isinstance(entries, list) else ():
        match entry:
            case {"by_hand": True, "at": int(at), "set": {"steps": int(steps)}} if at >= step and steps > 0:
                asked.append((at, steps))
    return max(asked, key=lambda each: each[0])[1] if asked else None


def setting(configuration: Configuration, name: str) -> Any:
    """Return the value of a setting by its dotted path; None when there is no such setting."""
    value: Any = configuration
    for key in name.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


@lru_cache(maxsize=8192)
def _piece(text: str) -> Configuration:
    return tomllib.loads(text)
