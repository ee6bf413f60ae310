"""The browser as a program: a list of runs, and whatever is opened from it, until the person leaves."""

import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from textual import on
from textual.app import App, SystemCommand
from textual.screen import Screen

from grokterm.drawing.cells import Markers
from grokterm.drawing.colours import Palette
from grokterm.errors import GroktermError
from grokterm.run.directory import RunDirectory
from grokterm.summary import Summaries
from grokterm.tui.alone import show_alone
from grokterm.tui.app import STYLES, colours_of
from grokterm.tui.browser.keys import BROWSER
from grokterm.tui.browser.screen import BrowserScreen
from grokterm.tui.browser.shelf import Browsing, Choice
from grokterm.tui.terminal import heed_no_color, markers_for


class BrowserApp(App[Choice | None]):
    """Shows the runs of a folder until the person chooses some or leaves."""

    CSS_PATH = STYLES
    TITLE = "grokterm"

    def __init__(self, summaries: Summaries, browsing: Browsing, *, markers: Markers) -> None:
        heed_no_color()
        super().__init__(ansi_color=True)
        self.browser = BrowserScreen(summaries, Palette(colours=colours_of(self)), browsing, markers)

    def on_mount(self) -> None:
        """Show the screen."""
        self.push_screen(self.browser)

    @on(BrowserScreen.Chosen)
    def _chosen(self, message: BrowserScreen.Chosen) -> None:
        self.exit(message.choice)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:  # noqa: ARG002 - Textual's
        """What the palette offers: every key's action by name."""
        for group, keys in BROWSER:
            for key in keys:
                if key.action != "app.command_palette":
                    yield SystemCommand(
                        key.does[:1].upper() + key.does[1:],
                        f"{group or 'Program'} · key {key.shown}",
                        lambda action=key.action: self.run_worker(self.browser.run_action(action)),
                    )


def browse(folder: Path, go_on: Callable[[RunDirectory], object]) -> None:
    """Browse the runs of a folder; a run that is opened is left for the browser again, at the place it was opened.

    `go_on` trains a fork that was made in a replay, until the person leaves its screen.
    """
    markers = markers_for(sys.stdout.encoding or "", os.environ.get("TERM", ""))
    summaries, browsing = Summaries(folder), Browsing()
    while True:
        app = BrowserApp(summaries, browsing, markers=markers)
        show_alone(app)
        choice = app.return_value
        if choice is None:
            return
        browsing = choice.browsing
        try:
            fork = _open(choice)
            if fork is not None:
                go_on(fork)
        except GroktermError as error:  # a run that vanished, or is damaged where a summary does not look
            browsing = replace(browsing, notice=str(error))


def _open(choice: Choice) -> RunDirectory | None:
    """Show what was chosen until the person leaves; return a fork of it that is to be trained now."""
    if choice.show == "replay":
        from grokterm.tui.replay import app as replay

        return replay.watch(choice.runs[0])
    from grokterm.tui.compare import app as compare

    compare.watch(list(choice.runs))
    return None
