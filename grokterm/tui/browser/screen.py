"""The browser: a list of runs, the curves of the one at the cursor, and what can be done with them."""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Literal

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.events import Key
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input
from textual.worker import get_current_worker

from grokterm.drawing.cells import Markers
from grokterm.drawing.colours import Palette
from grokterm.errors import RunError
from grokterm.summary import DAMAGED, Summaries, Summary
from grokterm.tui import status
from grokterm.tui.browser.chunks import read_in_chunks
from grokterm.tui.browser.curating import CuratingScreen
from grokterm.tui.browser.filter_line import FilterLine
from grokterm.tui.browser.keys import ABOUT, BROWSER, HINTS
from grokterm.tui.browser.preview_pane import PreviewPane
from grokterm.tui.browser.runs_view import RunsView
from grokterm.tui.browser.shelf import Browsing, Choice
from grokterm.tui.browser.shelf_rows import arrange_browser, header_row, list_rows, runs_shown, scrolled
from grokterm.tui.compare.comparison import FEWEST_RUNS, MOST_RUNS
from grokterm.tui.keys import bindings
from grokterm.tui.rows import RowsView
from grokterm.tui.screens.help import HelpScreen

REFRESH_SECONDS = 2.0
REFRESH_SHARE = 0.1
"""Looking for news takes at most this share of the time: thousands of runs on a slow disk would burden it."""
NOTICE_SECONDS = 6.0


class BrowserScreen(CuratingScreen):
    """The runs of a folder. `Chosen` says what the person wants to see next, or that they leave."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(BROWSER),
        Binding("ctrl+c", "give_up", "quit", show=False, priority=True),
    ]
    AUTO_FOCUS = ""
    CSS = """
    #header, #hints { width: 100%; height: 1; }
    #body { width: 100%; height: 1fr; }
    """

    class Chosen(Message):
        """A run to replay, runs to compare, or None to leave."""

        def __init__(self, choice: Choice | None) -> None:
            super().__init__()
            self.choice = choice

    class Found(Message):
        """Some of the runs, found in a turn; with the last ones, where all of them lie and how long finding took."""

        def __init__(
            self, turn: int, summaries: Sequence[Summary], everywhere: Collection[Path] | None, seconds: float
        ) -> None:
            super().__init__()
            self.turn, self.summaries, self.everywhere, self.seconds = turn, summaries, everywhere, seconds

    class Unreadable(Message):
        """Why the folder cannot be read."""

        def __init__(self, why: str) -> None:
            super().__init__()
            self.why = why

    def __init__(self, summaries: Summaries, palette: Palette, browsing: Browsing, markers: Markers) -> None:
        super().__init__(summaries.folder, browsing)
        self._summaries, self._palette, self._markers = summaries, palette, markers
        self.told = browsing.notice
        self._layout = arrange_browser(80, 24)
        self.complete = False  # whether the folder has been read to its end once
        self._turn = 0  # counts what was done to runs: what was found before that is out of date
        self._top = 0
        self._filter_before = ""
        self._notice, self._notice_until, self._notice_style = "", 0.0, ""
        self._next_look: Timer | None = None

    # -- building

    def compose(self) -> ComposeResult:
        """Header, list and preview, the line to type in, hints."""
        yield RowsView(self._palette, id="header")
        with Container(id="body"):
            yield RunsView(self._palette, id="list")
            yield PreviewPane(self._palette, self._markers)
        yield FilterLine(self._palette)
        yield RowsView(self._palette, id="hints")

    def on_mount(self) -> None:
        """Begin to read the folder."""
        self.set_interval(0.5, self._forget_notice)
        self._look()
        if self.told:
            self.say(self.told, problem=True)

    def on_resize(self) -> None:
        """Lay out anew for the new size."""
        size = self.app.size
        self._layout = arrange_browser(size.width, size.height)
        self.query_one("#header").display = size.height >= 3
        self.query_one("#body").styles.layout = "horizontal" if self._layout.beside else "vertical"
        view = self.query_one("#list")
        view.styles.width, view.styles.height = self._layout.list_width, self._layout.list_height
        self.query_one(PreviewPane).place(self._layout)
        self.call_after_refresh(self.draw)

    # -- drawing

    def draw(self) -> None:
        """Draw everything as it is now; only what differs is painted."""
        layout, shelf, width = self._layout, self.shelf, self.app.size.width
        self._top = scrolled(self._top, shelf.index, runs_shown(layout.list_height), len(shelf.shown))
        rows, line = list_rows(
            shelf, self._top, layout.list_width, layout.list_height, self._markers, complete=self.complete
        )
        self.query_one("#list", RunsView).point(rows, line)
        header = header_row(
            shelf, str(self.folder), width, self._markers, complete=self.complete, typing=self._typing.is_open
        )
        self.query_one("#header", RowsView).show((header,))
        self.query_one(PreviewPane).look_at(shelf.current)
        self._draw_hints()

    def _draw_hints(self) -> None:
        width = self.app.size.width
        row = status.hints(HINTS, width, self._markers)
        if self._notice:
            row = status.notice(self._notice, self._notice_style, width, self._markers)
        self.query_one("#hints", RowsView).show((row,))

    def say(self, text: str, *, problem: bool = False) -> None:
        """Show a sentence in the place of the key hints for a few seconds."""
        self._notice = text.replace(f"{self.folder}/", "")  # the header names the folder
        self._notice_until = time.monotonic() + NOTICE_SECONDS
        self._notice_style = "problem" if problem else "pending"
        self._draw_hints()

    def _forget_notice(self) -> None:
        if self._notice and time.monotonic() > self._notice_until:
            self._notice = ""
            self._draw_hints()

    # -- news from the folder

    def _look(self) -> None:
        if self._next_look is not None:
            self._next_look.stop()
            self._next_look = None
        self._read_folder(self._turn)

    @work(thread=True, exclusive=True, group="folder")
    def _read_folder(self, turn: int) -> None:
        """Read the summaries of all runs, and hand them over in chunks."""
        worker, begun = get_current_worker(), time.monotonic()

        def hand_over(summaries: Sequence[Summary], everywhere: Collection[Path] | None) -> None:
            self.post_message(self.Found(turn, summaries, everywhere, time.monotonic() - begun))

        try:
            read_in_chunks(self._summaries, hand_over, lambda: not worker.is_cancelled)
        except RunError as error:
            self.post_message(self.Unreadable(str(error)))

    @on(Found)
    def _found(self, message: Found) -> None:
        if message.turn != self._turn:
            return
        line = self.shelf.index - self._top
        self.shelf.take(message.summaries)
        if message.everywhere is not None:
            self.shelf.keep(message.everywhere)
            self.complete = True
            self._next_look = self.set_timer(max(REFRESH_SECONDS, message.seconds / REFRESH_SHARE), self._look)
        self._top = self.shelf.index - line  # the cursor's line stays where it is
        self.draw()

    @on(Unreadable)
    def _unreadable(self, message: Unreadable) -> None:
        self.complete = True
        self.say(message.why, problem=True)
        self._next_look = self.set_timer(REFRESH_SECONDS, self._look)

    def changed(self) -> None:
        """Something was done to a run: what a thread is finding just now is out of date."""
        self._turn += 1
        self._look()
        self.draw()

    # -- actions: moving and finding

    def _change(self, change: Callable[[], None]) -> None:
        change()
        self.draw()

    def action_move(self, by: int) -> None:
        """So many lines down."""
        self._change(lambda: self.shelf.move(by))

    def action_page(self, by: int) -> None:
        """A page down or up."""
        self._change(lambda: self.shelf.move(by * max(runs_shown(self._layout.list_height) - 1, 1)))

    def action_edge(self, last: bool) -> None:
        """The first or the last run."""
        self._change(lambda: self.shelf.move(len(self.shelf.shown) * (1 if last else -1)))

    def action_sort(self, by: int) -> None:
        """Another order."""
        self._change(lambda: self.shelf.sort(by))

    def action_refresh(self) -> None:
        """Look for news now."""
        self._look()

    def on_key(self, event: Key) -> None:
        """Begin to type at once: what arrives together with / belongs to the filter, as it does on a slow line."""
        if self._typing.is_open and event.is_printable and event.character is not None:
            self._typing.insert(event.character)
            event.stop()
        elif event.key == "slash" and not self._typing.is_open:
            self.action_filter()
            event.stop()

    def action_filter(self) -> None:
        """Type a filter; the list follows."""
        self._filter_before = self.shelf.filter
        self.query_one("#hints").display = False
        self._typing.open(self.shelf.filter)

    def action_clear(self) -> None:
        """While typing, give the typing up; else clear the filter, or the marks where there is none."""
        if self._typing.is_open:
            self._stop_typing()
            self._change(lambda: self.shelf.narrow(self._filter_before))
        elif self.shelf.filter:
            self._change(lambda: self.shelf.narrow(""))
        else:
            self._change(self.shelf.marked.clear)

    @property
    def _typing(self) -> FilterLine:
        return self.query_one(FilterLine)

    def _stop_typing(self) -> None:
        self._typing.close()
        self.query_one("#hints").display = True

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        if self._typing.is_open:
            self._change(lambda: self.shelf.narrow(event.value, typing=True))

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self._stop_typing()
        self._change(self.shelf.arrange)
        if self.shelf.understood.problems:
            self.say(self.shelf.understood.problems[0], problem=True)

    # -- actions: opening and leaving

    def action_mark(self) -> None:
        """Mark the run and go on to the next."""
        self._change(self.shelf.mark)
        self.action_move(1)

    def action_open(self) -> None:
        """Replay the run."""
        summary = self.shelf.current
        if summary is not None and not self._is_broken(summary):
            self._choose("replay", [summary])

    def action_compare(self) -> None:
        """Compare the marked runs."""
        marked = self.shelf.marked_runs
        if not FEWEST_RUNS <= len(marked) <= MOST_RUNS:
            self.say(f"mark {FEWEST_RUNS} to {MOST_RUNS} runs with space to compare them; {len(marked)} are marked")
        elif not any(self._is_broken(summary) for summary in marked):
            self._choose("compare", marked)

    def _is_broken(self, summary: Summary) -> bool:
        if summary.state == DAMAGED:
            self.say(f"{summary.name} is damaged: {summary.problem}", problem=True)
        return summary.state == DAMAGED

    def _choose(self, show: Literal["replay", "compare"], summaries: Sequence[Summary]) -> None:
        browsing = self.shelf.browsing()
        if self.shelf.current is not None:
            browsing = replace(browsing, cursor=self.shelf.current.path)
        self.post_message(self.Chosen(Choice(show, tuple(summary.run for summary in summaries), browsing)))

    def action_help(self) -> None:
        """Every key."""
        self.app.push_screen(HelpScreen(BROWSER, ABOUT))

    def action_give_up(self) -> None:
        """Give up typing, or leave."""
        if self._typing.is_open:
            self.action_clear()
        else:
            self.action_leave()

    def action_leave(self) -> None:
        """Leave the browser."""
        self.post_message(self.Chosen(None))
