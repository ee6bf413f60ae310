"""`grokterm export`: a run's numbers in the formats of other programs, and films of it."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from grokterm.commands.options import RUNS, Debug, RunAndCheckpoint, RunsFolder
from grokterm.export.formats import FORMATS

_HELP = "; ".join(f"{name}: {format_.about}" for name, format_ in FORMATS.items())


def _formats(incomplete: str) -> list[str]:
    """Names for the shell to complete."""
    return [name for name in FORMATS if name.startswith(incomplete)]


def export(
    place: RunAndCheckpoint = "-",
    *,
    to: Annotated[str, typer.Option(metavar="FORMAT", help=f"{_HELP}.", autocompletion=_formats)],
    out: Annotated[
        Path | None, typer.Option(help="Where to; by default the run's name with .FORMAT in the current folder.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace what an earlier export left there.")] = False,
    first: Annotated[
        str | None, typer.Option("--from", metavar="STEP", help="asciicast, gif, svg: first step or percentage.")
    ] = None,
    last: Annotated[
        str | None, typer.Option("--until", metavar="STEP", help="asciicast, gif, svg: last step or percentage.")
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option(
            help="asciicast, gif, svg: how long it takes; default 30 (asciicast) or 10 (gif, svg).", min=0.1, max=3600
        ),
    ] = None,
    speed: Annotated[
        float | None,
        typer.Option(help="asciicast: how fast instead, as in a replay.", min=0.01, max=1e6),
    ] = None,
    size: Annotated[
        str | None, typer.Option(metavar="WxH", help="asciicast: columns and rows of the screen; 120x36.")
    ] = None,
    colours: Annotated[
        Literal["none", "16", "256", "all"] | None,
        typer.Option("--colors", help="asciicast: how many the terminals have that will play it; 256."),
    ] = None,
    frames: Annotated[
        int | None, typer.Option(help="gif, svg: how many pictures at most; 120.", min=2, max=1000)
    ] = None,
    frequency: Annotated[
        int | None, typer.Option(help="gif, svg: whose circle; the largest at the end.", min=1, metavar="K")
    ] = None,
    runs: RunsFolder = RUNS,
    debug: Debug = False,
) -> None:
    """Write a run in another program's format, or as a film.

    Tables, events and configuration are written whole. A run that is still being trained is exported as it is now. What
    is written appears when it is complete.
    """
    _ = debug
    from dataclasses import replace

    from grokterm.export.beside import beside
    from grokterm.export.choices import Choices
    from grokterm.export.formats import check_choices, format_named, writer_of
    from grokterm.progress import Bar
    from grokterm.run.place import checkpoint_meant, find_place
    from grokterm.text import plain

    chosen = format_named(to)
    choices = Choices(size, colours, speed, seconds, first, last, frames, frequency)
    check_choices(to, choices)
    found, step = find_place(runs, place)
    name = found.name
    if step is not None:
        check_choices(to, Choices(step=0))
        choices = replace(choices, step=checkpoint_meant(found, step).step)
        name = f"{name}@{choices.step}"
    path = Path(f"{name}{chosen.suffix}") if out is None else out
    try:
        with beside(path, chosen, force=force) as written, Bar(f"{plain(found.name)} to {to}") as bar:
            said = writer_of(chosen, choices)(found, written, bar)
    except KeyboardInterrupt:
        typer.echo(f"interrupted: {plain(str(path))} was not written", err=True)
        raise typer.Exit(130) from None
    typer.echo(plain(f"{path}: {said}"))
