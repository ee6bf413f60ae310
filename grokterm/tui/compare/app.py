"""Compare as a program: several runs on this terminal until the person leaves. Nothing in the runs is written."""

import os
import sys
from collections.abc import Sequence

from grokterm.drawing.cells import Markers
from grokterm.run.directory import RunDirectory
from grokterm.tui.alone import show_alone
from grokterm.tui.app import GroktermApp
from grokterm.tui.compare.compared import Followed
from grokterm.tui.compare.comparison import check
from grokterm.tui.compare.overlay import Terms
from grokterm.tui.compare.screen import CompareScreen
from grokterm.tui.looks import Looks
from grokterm.tui.terminal import markers_for


class CompareApp(GroktermApp):
    """Shows runs over one another until the person leaves."""

    def __init__(
        self, runs: Sequence[RunDirectory], *, markers: Markers = "braille", terms: Terms | None = None
    ) -> None:
        """Raises UsageError for runs that cannot be compared, RunError for one that cannot be read."""
        super().__init__()
        check(runs)
        followed = [Followed(run) for run in runs]
        self.compare = CompareScreen(followed, self.palette, Looks(markers=markers), terms or Terms())
        self.watch_screen = self.compare


def watch(runs: list[RunDirectory], *, since_memorised: bool = False, bundled: bool = False) -> int:
    """Compare runs until the person leaves; returns the exit code.

    Raises UsageError for fewer than 2 or more than 16 runs or one of them twice, RunError for one that cannot be read.
    """
    markers = markers_for(sys.stdout.encoding or "", os.environ.get("TERM", ""))
    show_alone(CompareApp(runs, markers=markers, terms=Terms(since_memorised, bundled)))
    return 0
