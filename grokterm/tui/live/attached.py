"""The live screen on a run that another process trains: it looks and steers, and nothing depends on it."""

import os
import sys

from grokterm.catalog import Catalog
from grokterm.errors import GroktermError
from grokterm.run.configuration import setting
from grokterm.run.directory import RunDirectory
from grokterm.run.lock import is_alive
from grokterm.tui.alone import show_alone
from grokterm.tui.live.app import LiveApp
from grokterm.tui.terminal import markers_for


class Attached:
    """What the training thread is, for a run that another process trains: nothing in here begins or ends it."""

    here = False

    def __init__(self, run: RunDirectory, catalog: Catalog) -> None:
        """Raises RunError when the run's configuration cannot be read."""
        self.directory = run
        self.error: GroktermError | None = None
        self.preset_name = str(setting(run.read_config() or {}, "preset") or "")
        self.catalog = catalog

    def start(self) -> None:
        """It has begun long ago."""

    is_started = True

    def is_alive(self) -> bool:
        """Whether somebody trains the run. Raises RunError when its lock cannot be read."""
        return is_alive(self.directory)

    def join(self, timeout: float | None = None) -> None:
        """Whoever leaves an attached screen waits for nothing."""


def watch(run: RunDirectory, catalog: Catalog, *, frame_budget: float, read_only: bool) -> RunDirectory:
    """Show a run that another process trains until the person leaves; return the run that was shown last.

    That is a fork of it where training went on in one. Raises RunError for a run that cannot be read.
    """
    markers = markers_for(sys.stdout.encoding or "", os.environ.get("TERM", ""))
    training = Attached(run, catalog)
    app = LiveApp(run, training, frame_budget=frame_budget, markers=markers, read_only=read_only)
    show_alone(app)
    return app.history.run
