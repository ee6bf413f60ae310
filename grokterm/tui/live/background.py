"""The live screen on a trainer that this program has started as a process of its own."""

import os
import sys

from grokterm.catalog import Catalog
from grokterm.detached import Detached
from grokterm.errors import GroktermError
from grokterm.run.directory import RunDirectory
from grokterm.tui.alone import show_alone
from grokterm.tui.live.app import LiveApp
from grokterm.tui.terminal import markers_for


class InBackground:
    """What the training thread is, for a trainer that was started detached: it outlives the screen."""

    here = False

    def __init__(self, run: RunDirectory, trainer: Detached, preset: str, catalog: Catalog) -> None:
        self.directory = run
        self.preset_name = preset
        self.catalog = catalog
        self._trainer = trainer

    @property
    def error(self) -> GroktermError | None:
        """Why it failed."""
        return self._trainer.error

    def start(self) -> None:
        """It was started already."""

    is_started = True

    def is_alive(self) -> bool:
        """Whether it goes on."""
        return self._trainer.is_alive()

    def join(self, timeout: float | None = None) -> None:
        """Wait for its end."""
        self._trainer.wait(timeout)


def watch(run: RunDirectory, training: InBackground, *, frame_budget: float) -> RunDirectory:
    """Show the run until the person leaves or training could not begin; return the run that was shown last."""
    markers = markers_for(sys.stdout.encoding or "", os.environ.get("TERM", ""))
    app = LiveApp(run, training, frame_budget=frame_budget, markers=markers)
    show_alone(app)
    return app.history.run
