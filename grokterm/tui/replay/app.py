"""Replay as a program: a recorded run on this terminal until the person leaves. Nothing in the run is written.

Who leaves with F has made a fork of it, and wants to see it trained.
"""

import os
import sys

from textual import on

from grokterm.catalog import Catalog
from grokterm.drawing.cells import Markers
from grokterm.history import History
from grokterm.places import step_asked
from grokterm.run.directory import RunDirectory, no_run
from grokterm.tui.alone import show_alone
from grokterm.tui.app import GroktermApp, load_panels
from grokterm.tui.looks import Looks
from grokterm.tui.replay.screen import ReplayScreen
from grokterm.tui.terminal import markers_for


class ReplayApp(GroktermApp):
    """Shows a recorded run until the person leaves. `fork` is what they want to go on with then, if they do."""

    def __init__(
        self,
        history: History,
        catalog: Catalog,
        *,
        markers: Markers,
        start: int = 0,
        speed: float | None = None,
        by_time: bool = True,
        playing: bool = True,
        pause_on_markers: bool = False,
    ) -> None:
        """`history` has been polled."""
        super().__init__()
        self.fork: RunDirectory | None = None
        self.replay = ReplayScreen(
            history,
            load_panels(catalog),
            self.palette,
            Looks(markers=markers),
            str((history.config or {}).get("preset", "")),
            catalog,
            start=start,
            speed=speed,
            by_time=by_time,
            playing=playing,
            pause_on_markers=pause_on_markers,
        )
        self.watch_screen = self.replay

    @on(ReplayScreen.Forked)
    def _forked(self, message: ReplayScreen.Forked) -> None:
        self.fork = message.run
        self.exit()


def watch(
    run: RunDirectory,
    *,
    catalog: Catalog | None = None,
    start: str = "0",
    speed: float | None = None,
    by_time: bool = True,
    playing: bool = True,
    pause_on_markers: bool = False,
) -> RunDirectory | None:
    """Replay a run until the person leaves; return the fork that is to be trained now, if they made one.

    `start` is a step or a percentage. Raises UsageError for another text and RunError for a run that cannot be read.
    """
    history = History(run)
    history.poll()
    if history.config is None:
        raise no_run(run.path)
    step = step_asked(start, history.step, "--from")
    markers = markers_for(sys.stdout.encoding or "", os.environ.get("TERM", ""))
    app = ReplayApp(
        history,
        catalog or Catalog(),
        markers=markers,
        start=step,
        speed=speed,
        by_time=by_time,
        playing=playing,
        pause_on_markers=pause_on_markers,
    )
    show_alone(app)
    return app.fork
