"""`grokterm presets`: the presets that there are, by paper, and one of them with its comments."""

import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grokterm.commands.options import Debug

if TYPE_CHECKING:
    from grokterm.preset_files import About

WIDTH = 80
"""Cells of a line where no terminal says how many there are."""
LEAST_DESCRIPTION = 20
NO_PAPER = "no paper"
NOT_SAID = "-"


@dataclass(frozen=True)
class Listed:
    """A preset in the list."""

    name: str
    file: Path
    about: "About"


def _words_for_the_shell(context: typer.Context, incomplete: str) -> list[str]:
    from grokterm.preset_files import packaged

    first = () if context.params.get("show") else ("show",)
    return [word for word in (*first, *packaged()) if word.startswith(incomplete)]


def presets(
    show: Annotated[
        str | None,
        typer.Argument(metavar="show", help="Print a preset; may be left out.", autocompletion=_words_for_the_shell),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Argument(
            metavar="PRESET",
            help="A preset: a path, with or without .toml, or a packaged name.",
            autocompletion=_words_for_the_shell,
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the list as one JSON array, with the path of each file.")
    ] = False,
    debug: Debug = False,
) -> None:
    """List the packaged presets by paper, or print one with its comments.

    \b
      grokterm presets                         each with its cost and its one line
      grokterm presets mod113                  what to expect, what to try, every setting
      grokterm presets show mod113 > my.toml   its file as it is: a preset of your own to begin with
      grokterm run my --set task.p=97          trains that

    A cost says how long one CPU core trains until what the preset shows has happened.
    """
    _ = debug
    from grokterm.errors import UsageError
    from grokterm.preset_files import about, find, packaged, read_raw

    match show, preset:
        case None, _:
            there = in_order(Listed(name, file, about(read_raw(file), str(file))) for name, file in packaged().items())
            typer.echo(_json_of(there) if as_json else "\n".join(list_lines(there, _width())))
        case "show", None:
            raise UsageError("presets show needs a preset, for instance: grokterm presets show mod113")
        case _ if as_json:
            raise UsageError("--json belongs to the list of presets; the file of one is TOML already")
        case ("show", str(name)) | (str(name), None):
            _print_file(find(name))
        case _:
            how = f"for instance: grokterm presets show {preset}"
            raise UsageError(f"presets {show} {preset}: one preset is printed at a time, {how}")


def in_order(presets: Iterable[Listed]) -> list[Listed]:
    """Sort by paper, those without one last, then by cost, then by name."""

    def place(preset: Listed) -> tuple[bool, str, str, str, str]:
        paper, cost = preset.about.paper, preset.about.cost
        return not paper, paper.casefold(), paper, cost or "~", preset.name

    return sorted(presets, key=place)


def list_lines(presets: Sequence[Listed], width: int) -> list[str]:
    """Return the list as lines of `width` cells at most, a heading for each paper and what the costs mean at its end.

    presets: as `in_order` has them. Only where names leave no room for descriptions are lines longer.
    """
    from grokterm.preset_files import COSTS
    from grokterm.text import plain

    longest = max((len(preset.name) for preset in presets), default=0)
    before = longest + len("    C  ")
    lines: list[str] = []
    for paper, group in groupby(presets, key=lambda preset: preset.about.paper):
        lines.append(plain(paper) or NO_PAPER)
        for preset in group:
            said = _wrapped(plain(preset.about.description), max(width - before, LEAST_DESCRIPTION)) or [""]
            first = f"  {plain(preset.name):<{longest}}  {preset.about.cost or NOT_SAID}  {said[0]}"
            lines += [first.rstrip(), *(" " * before + more for more in said[1:])]
        lines.append("")
    costs = ", ".join(f"{cost} {time}" for cost, time in COSTS.items())
    return lines + _wrapped(f"One CPU core takes: {costs}", width)


def _wrapped(text: str, width: int) -> list[str]:
    import textwrap

    return textwrap.wrap(text, width, break_on_hyphens=False)


def _width() -> int:
    import shutil

    return shutil.get_terminal_size((WIDTH, 24)).columns if sys.stdout.isatty() else WIDTH


def _json_of(presets: Sequence[Listed]) -> str:
    """One object a line, as strict JSON; null for what a preset does not say."""
    import json

    said = [
        {
            "name": preset.name,
            "paper": preset.about.paper or None,
            "cost": preset.about.cost,
            "description": preset.about.description,
            "file": str(preset.file),
        }
        for preset in presets
    ]
    return "[" + ",\n ".join(json.dumps(each, ensure_ascii=False) for each in said) + "]"


def _print_file(file: Path) -> None:
    """Print a preset's file: byte for byte in a pipe, harmless and in colour on a terminal."""
    from grokterm.errors import UsageError

    try:
        content = file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error
    if not sys.stdout.isatty():
        typer.echo(content, nl=False)
        return
    from grokterm.text import plain

    lines = content.decode(errors="replace").splitlines()
    text = "\n".join(plain(line.expandtabs(4)) for line in lines)
    if os.environ.get("NO_COLOR") or os.environ.get("TERM", "") in ("", "dumb", "unknown"):
        typer.echo(text)
        return
    from rich.console import Console
    from rich.syntax import Syntax

    coloured = Syntax("", "toml", theme="ansi_dark").highlight(text)
    coloured.rstrip()
    Console(highlight=False).print(coloured, soft_wrap=True)
