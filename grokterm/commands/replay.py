"""`grokterm replay`: a recorded run on the live screen, driven by a playhead."""

from typing import Annotated, Literal

import typer

from grokterm.commands.options import RUNS, Debug, RunReference, RunsFolder
from grokterm.commands.training_options import PanelsOption


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
    parts: PanelsOption = None,
    debug: Debug = False,
) -> None:
    """Replay a recorded run on the live screen.

    space plays and pauses, ← → scrub, < > change the speed, [ ] jump to what happened, g goes to a step, F continues
    live from there as a new run, ? lists every key. A run that is still being trained can be replayed too.
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

    catalog = Catalog(parts)
    fork = watch(
        found,
        catalog=catalog,
        start=start,
        speed=speed,
        by_time=clock == "time",
        playing=not paused,
        pause_on_markers=pause_on_markers,
    )
    if fork is not None:
        from grokterm.commands.show import go_on, held_lock
        from grokterm.commands.training_options import Manner

        raise typer.Exit(go_on(fork, held_lock(fork), catalog, Manner(parts=parts)))
