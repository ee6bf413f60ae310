"""`grokterm attach`: the live screen on a run that is being trained, from any terminal."""

from typing import Annotated

import typer

from grokterm.commands.options import RUNS, Debug, MaybeLivingRun, RunsFolder
from grokterm.commands.training_options import FRAME_BUDGET, FrameBudgetOption, PanelsOption


def attach(
    run: MaybeLivingRun = "-",
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Only look: the keys that steer training do nothing.")
    ] = False,
    runs: RunsFolder = RUNS,
    parts: PanelsOption = None,
    frame_budget: FrameBudgetOption = FRAME_BUDGET,
    debug: Debug = False,
) -> None:
    """Show a run that is being trained, and steer it; as many terminals as you like can do so at once.

    q, d and Ctrl+C leave at once, and training goes on. Where training goes back to before an intervention, or is
    forked, the screen follows into the fork.
    """
    _ = debug
    import sys

    from grokterm.catalog import Catalog
    from grokterm.detached import goes_on
    from grokterm.errors import UsageError
    from grokterm.run.living import find_living, not_trained
    from grokterm.run.lock import is_alive

    found = find_living(runs, run)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "attach needs a terminal; without one, `grokterm ctl` steers and `grokterm runs` tells how far it is"
        )
    from grokterm.tui.live.attached import watch

    last = watch(found, Catalog(parts), frame_budget=frame_budget, read_only=read_only)
    typer.echo(goes_on(last) if is_alive(last) else str(not_trained(last)))
