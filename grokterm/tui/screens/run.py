"""The run screen: header, panels, log, key hints; polls the run's directory and asks through its inbox."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar, Protocol

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.timer import Timer

from grokterm.errors import RunError
from grokterm.history import History
from grokterm.tui import status
from grokterm.tui.budget import FrameBudget
from grokterm.tui.cells import one_cell_each
from grokterm.tui.colours import Palette
from grokterm.tui.keys import GROUPS, HINTS, STEERING_HINTS
from grokterm.tui.layout import Layout, arrange
from grokterm.tui.looks import Looks
from grokterm.tui.panel import Panel
from grokterm.tui.panels.log import describe
from grokterm.tui.rows import RowsView
from grokterm.tui.screens.ask import AskChoice
from grokterm.tui.screens.help import HelpScreen
from grokterm.tui.screens.steering import DONE, SteeringScreen

ANSWER_SECONDS = 0.03
"""How often an answer is looked for while a request is pending."""
TICK_SECONDS = 0.25
"""How often news are looked for: every look wakes a thread that training then waits for."""
NOTICE_SECONDS = 4.0
GUTTER = 6
"""Cells of a chart's y axis: what is left of a panel's width is plot."""
LOG_DIGIT = 7


class Trains(Protocol):
    """What the screen needs to know of the training it started, if it did."""

    def is_alive(self) -> bool:
        """Whether training goes on."""
        ...


class PanelView(RowsView):
    """A panel's frame and rows; `place` is the digit it shows."""

    digit = 0


class RunScreen(SteeringScreen):
    """One run, live. `training` is the training that belongs to this screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(single, f"pick({single})" if key.action == "pick" else key.action, key.does, show=False)
        for _, keys in GROUPS
        for key in keys
        for single in key.keys.split(",")
    ]

    def __init__(
        self,
        history: History,
        panels: dict[int, Panel],
        palette: Palette,
        looks: Looks,
        training: Trains,
        preset: str,
        budget: FrameBudget,
    ) -> None:
        super().__init__()
        self.history, self.looks = history, looks
        self.zoomed, self.chosen = False, 1
        self._panels, self._palette, self._training, self._preset = panels, palette, training, preset
        self._budget = budget
        self._stale: set[int] = set(panels)
        self._turn = 0
        self._layout_now: Layout | None = None
        self._notice_until = 0.0
        self._answers: Timer | None = None
        self._events_seen = 0

    # -- building

    def compose(self) -> ComposeResult:
        """Header, a place for the panels, the log's last lines, hints."""
        yield RowsView(self._palette, id="header")
        yield Vertical(id="grid")
        yield RowsView(self._palette, id="log")
        yield RowsView(self._palette, id="hints")

    def on_mount(self) -> None:
        """Begin to poll."""
        self._answers = self.set_interval(ANSWER_SECONDS, self._poll, pause=True)
        self.set_interval(TICK_SECONDS, self.tick)

    async def on_resize(self) -> None:
        """Lay out anew for the new size."""
        await self.lay_out()

    async def lay_out(self) -> None:
        """Put panels where the terminal's size and the person's choice want them."""
        size = self.app.size
        layout = arrange(size.width, size.height, self.chosen, zoomed=self.zoomed, log_digit=LOG_DIGIT)
        for name, height in (("#header", layout.header), ("#log", layout.log), ("#hints", layout.footer)):
            view = self.query_one(name)
            view.display = height > 0
            view.styles.height = height
        old = self._layout_now
        self._layout_now = layout
        grid = self.query_one("#grid", Vertical)
        if old is None or [len(row) for row in old.grid] != [len(row) for row in layout.grid]:
            await grid.remove_children()
            rows = [Horizontal(*(PanelView(self._palette) for _ in row)) for row in layout.grid]
            await grid.mount(*rows)
        digits = [digit for row in layout.grid for digit in row]
        for view, digit in zip(self.query(PanelView), digits, strict=True):
            view.digit = digit
            view.set_class(layout.framed, "framed")
            view.set_class(self.looks.markers == "ascii", "ascii")
            view.set_class(digit == self.chosen and len(digits) > 1, "chosen")
        self._stale |= set(digits)
        self.call_after_refresh(self.draw_everything)

    # -- drawing

    def tick(self) -> None:
        """Look for news and, as far as the budget goes, draw the next stale panel."""
        self._poll()
        now, training = time.monotonic(), self.history.state == "training"
        self._budget.pay(now, time.thread_time(), training=training)
        if self._notice_until and now > self._notice_until:
            self._notice_until = 0.0
            self._draw_hints()
        if self._budget.may_draw(now, training=training) and self._draw_next():
            self._budget.drew(now)

    def draw_everything(self) -> None:
        """Draw all that is visible, now: after a key or a resize."""
        self._draw_status()
        self._draw_hints()
        for view in self.query(PanelView):
            self._draw_panel(view)

    def _draw_next(self) -> bool:
        views = list(self.query(PanelView))
        for offset in range(len(views)):
            view = views[(self._turn + offset) % len(views)]
            if view.digit in self._stale:
                self._turn = (self._turn + offset + 1) % len(views)
                self._draw_status()
                self._draw_panel(view)
                return True
        return False

    def _draw_panel(self, view: PanelView) -> None:
        panel = self._panels.get(view.digit)
        size = view.content_size
        if panel is None or size.width < 1 or size.height < 1:
            return
        self._stale.discard(view.digit)
        picture = panel.draw(self.history, self.looks, size.width, size.height)
        title = one_cell_each(f"{view.digit} {picture.title}", ascii_only=self.looks.markers == "ascii")
        if view.has_class("framed") and view.border_title != title:
            view.border_title = Content(title)
        view.show(picture.rows)

    def _draw_status(self) -> None:
        width, markers = self.app.size.width, self.looks.markers
        layout = self._layout_now
        if layout is None:
            return
        run = self.history.run.name
        rows = status.header(self.history, run, self._preset, width, max(layout.header, 1), markers)
        self.query_one("#header", RowsView).show(rows)
        if layout.log:
            picture = self._panels[LOG_DIGIT].draw(self.history, Looks(markers=markers), width, layout.log)
            self.query_one("#log", RowsView).show(picture.rows)

    def _draw_hints(self) -> None:
        if not self._notice_until:
            keys = HINTS if self.history.state not in DONE else [hint for hint in HINTS if hint not in STEERING_HINTS]
            row = status.hints(keys, self.app.size.width, self.looks.markers)
            self.query_one("#hints", RowsView).show((row,))

    def say(self, text: str, *, problem: bool = False) -> None:
        """Show a sentence in the place of the key hints for a few seconds."""
        self._notice_until = time.monotonic() + NOTICE_SECONDS
        style = "problem" if problem else "pending"
        row = status.notice(text, style, self.app.size.width, self.looks.markers)
        self.query_one("#hints", RowsView).show((row,))

    # -- news from the run's directory

    def _poll(self) -> None:
        try:
            changed = self.history.poll()
        except RunError as error:
            self.say(str(error), problem=True)
            return
        self._stale |= {digit for digit, panel in self._panels.items() if panel.reads() & changed}
        self.looks = self.looks.followed(self.history.step)
        if "events" in changed:
            self._tell_news()
            self._draw_status()
            self._draw_hints()
        if self._answers is not None and not self.history.pending:
            self._answers.pause()

    def look_for_answers(self) -> None:
        """Look at once, and often until every request is answered."""
        self._poll()
        if self._answers is not None:
            self._answers.resume()

    def _tell_news(self) -> None:
        for event in self.history.events[self._events_seen :]:
            if event.kind in ("refused", "error", "edit", "snapshot", "note"):
                kind, text, style = describe(event)
                self.say(f"{kind} at step {event.step:,}: {text}", problem=style == "problem")
        self._events_seen = len(self.history.events)

    # -- actions: view

    async def action_pick(self, digit: int) -> None:
        """Pick a panel."""
        panel = self._panels.get(digit)
        if panel is None or not panel.has_something(self.history):
            self.say(
                f"there is no panel {digit} in this run" if panel is None else f"{panel.name}: nothing recorded yet"
            )
            return
        self.chosen = digit
        await self.lay_out()

    async def action_turn(self, by: int) -> None:
        """The next panel that has something to show."""
        digits = [digit for digit, panel in sorted(self._panels.items()) if panel.has_something(self.history)]
        if digits:
            at = digits.index(self.chosen) if self.chosen in digits else 0
            await self.action_pick(digits[(at + by) % len(digits)])

    async def action_zoom(self) -> None:
        """Enlarge the picked panel, or put it back."""
        self.zoomed = not self.zoomed
        await self.lay_out()

    async def action_unzoom(self) -> None:
        """Leave the enlarged panel."""
        if self.zoomed:
            await self.action_zoom()

    def look(self, looks: Looks) -> None:
        """Look at the run another way, at once."""
        self.looks = looks
        self._stale |= set(self._panels)
        for view in self.query(PanelView):
            view.set_class(looks.markers == "ascii", "ascii")
        self.draw_everything()

    def _change(self, change: Callable[[Looks], Looks]) -> None:
        self.look(change(self.looks))

    def action_log_y(self) -> None:
        """Log or linear y axis of the picked panel."""
        self._change(lambda looks: looks.with_flipped_y(self.chosen))

    def action_log_x(self) -> None:
        """Log or linear x axis."""
        self._change(lambda looks: replace(looks, log_x=not looks.log_x))

    def action_smooth(self) -> None:
        """Smoothing on or off."""
        self._change(lambda looks: replace(looks, smooth=not looks.smooth))

    def action_waterfall(self) -> None:
        """Bars or frequency × step."""
        self._change(lambda looks: replace(looks, waterfall=not looks.waterfall))

    def action_move(self, cells: int) -> None:
        """Move the cursor on all panels."""
        columns = max((view.content_size.width for view in self.query(PanelView)), default=80) - GUTTER
        self._change(lambda looks: looks.moved(cells, columns, self.history.step))

    def action_edge(self, newest: bool) -> None:
        """The cursor on the first or the newest step."""
        self._change(lambda looks: looks.at(self.history.step if newest else 0))

    def action_follow(self) -> None:
        """Follow the newest step."""
        self._change(lambda looks: replace(looks, cursor=None).followed(self.history.step))

    def action_zoom_x(self, factor: float) -> None:
        """Show a smaller or larger range of steps."""
        self._change(lambda looks: looks.zoomed(factor, self.history.step))

    def action_all(self) -> None:
        """Show every step."""
        self._change(lambda looks: replace(looks, span=None))

    # -- actions: leaving

    def action_help(self) -> None:
        """Every key."""
        self.app.push_screen(HelpScreen())

    def action_leave(self) -> None:
        """Leave at once when nothing is training here; ask otherwise."""
        if not self._training.is_alive():
            self.app.exit()
            return
        answers = (("s", "stop training, save a full checkpoint, and quit"), ("c", "cancel: go on training"))
        self.app.push_screen(AskChoice("Quit?", answers), self._left)

    def _left(self, answer: str | None) -> None:
        if answer == "s":
            self.app.exit()
