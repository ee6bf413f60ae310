"""`grokterm replay`: a recorded run on the live screen, driven by a playhead."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from grokterm.commands.options import RUNS, Debug, RunReference, RunsFolder


def replay(
    run: RunReference = "-",
    speed: Annotated[
        float | None,
        typer.Option(help="How fast, 0.25 to 1000; by default the whole run in half a minute.", min=0.25, max=1000),
    ] = None,
    clock: Annotated[
        Literal["time", "steps"],
        typer.Option(help="What sets the pace: recorded time, or 10 steps a second at 1×."),
    ] = "time",
    start: Annotated[str, typer.Option("--from", metavar="STEP", help="Start at a step or a percentage.")] = "0",
    paused: Annotated[bool, typer.Option("--paused", help="Do not play at once.")] = False,
    pause_on_markers: Annotated[
        bool, typer.Option("--pause-on-markers", help="Pause at every intervention, snapshot, note and phase change.")
    ] = False,
    runs: RunsFolder = RUNS,
    parts: Annotated[
        Path | None, typer.Option(help="The folder of your own panels that the run was watched with. Its code is run.")
    ] = None,
    debug: Debug = False,
) -> None:
    """Replay a recorded run on the live screen.

    space plays and pauses, ← → scrub, < > change the speed, [ ] jump to what happened, g goes to a step, ? lists every
    key. A run that is still being trained can be replayed too.
    """
    _ = debug
    import sys

    from grokterm.catalog import Catalog
    from grokterm.errors import UsageError
    from grokterm.run.finding import find

    found = find(runs, run)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "replay needs a terminal; without one, `grokterm plot` draws a chart and `grokterm report` writes a page"
        )
    from grokterm.tui.replay.app import watch

    code = watch(
        found,
        catalog=Catalog(parts),
        start=start,
        speed=speed,
        by_time=clock == "time",
        playing=not paused,
        pause_on_markers=pause_on_markers,
    )
    raise typer.Exit(code)
