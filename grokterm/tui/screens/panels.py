"""What every screen with panels has in common: header, panels, log, key hints, and the keys that only look.

What is shown, one run or several, is a subclass's business: it answers the questions under "what is shown".
"""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content

from grokterm.drawing.cells import Markers, Row, one_cell_each
from grokterm.drawing.colours import Palette
from grokterm.tui.layout import LOG_DIGIT, Layout, arrange
from grokterm.tui.looks import Looks
from grokterm.tui.moments import Moment, neighbour
from grokterm.tui.panel import Picture
from grokterm.tui.rows import RowsView
from grokterm.tui.screens.keyed import KeyedScreen
from grokterm.tui.screens.page import PageScreen

TICK_SECONDS = 0.25
"""How often news are looked for: every look wakes a thread that training then waits for."""
GUTTER = 6
"""Cells of a chart's y axis: what is left of a panel's width is plot."""


class PanelView(RowsView):
    """A panel's frame and rows; `digit` is the panel it shows."""

    digit = 0


class PanelsScreen(KeyedScreen[None]):
    """Panels over steps."""

    def __init__(self, palette: Palette, looks: Looks) -> None:
        super().__init__(palette)
        self.looks = looks
        self.zoomed, self.chosen = False, 1
        self._stale: set[int] = set()
        self._turn = 0
        self._layout_now: Layout | None = None

    @property
    def markers(self) -> Markers:
        """As the person looks at everything."""
        return self.looks.markers

    def draw_with(self, markers: Markers) -> None:
        """Look at the run with other markers."""
        self.look(replace(self.looks, markers=markers))

    # -- what is shown

    @property
    @abstractmethod
    def last(self) -> int:
        """The step that the x axis reaches to, and the cursor."""
        ...

    @property
    def position(self) -> int:
        """The step that the cursor is on, or the last."""
        return self.last if self.looks.cursor is None else self.looks.cursor

    @abstractmethod
    def digits(self) -> list[int]:
        """The panels that have something to show."""
        ...

    def why_not(self, digit: int) -> str:
        """Why a panel that is not among `digits` cannot be picked."""
        return f"there is no panel {digit} here"

    @abstractmethod
    def picture(self, digit: int, width: int, height: int) -> Picture | None:
        """A panel in exactly that many cells; None where there is no such panel."""
        ...

    @abstractmethod
    def header_rows(self, width: int, height: int) -> tuple[Row, ...]:
        """The lines above the panels."""
        ...

    @abstractmethod
    def log_rows(self, width: int, height: int) -> tuple[Row, ...]:
        """The lines under the panels."""
        ...

    @abstractmethod
    def moments(self) -> Sequence[Moment]:
        """Where [ and ] lead."""
        ...

    @abstractmethod
    def values_page(self) -> tuple[str, str]:
        """Title and text of the page with every series at the cursor."""
        ...

    @abstractmethod
    def differences_page(self, a: int, b: int) -> tuple[str, str]:
        """Title and text of the page that compares the marks."""
        ...

    def arrangement(self, width: int, height: int) -> Layout:
        """What goes where on a terminal of this size."""
        return arrange(width, height, self.chosen, zoomed=self.zoomed, log_digit=LOG_DIGIT)

    # -- building

    def compose(self) -> ComposeResult:
        """Header, a place for the panels, the log's last lines, hints."""
        yield RowsView(self._palette, id="header")
        yield Vertical(id="grid")
        yield RowsView(self._palette, id="log")
        yield RowsView(self._palette, id="hints")

    async def on_resize(self) -> None:
        """Lay out anew for the new size."""
        await self.lay_out()

    async def lay_out(self) -> None:
        """Put panels where the terminal's size and the person's choice want them."""
        size = self.app.size
        layout = self.arrangement(size.width, size.height)
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
        views = list(self.query(PanelView))
        if len(views) != len(digits):
            return  # another screen has taken its place meanwhile, and its panels go
        for view, digit in zip(views, digits, strict=True):
            view.digit = digit
            view.set_class(layout.framed, "framed")
            view.set_class(self.looks.markers == "ascii", "ascii")
            view.set_class(digit == self.chosen and len(digits) > 1, "chosen")
        self._stale |= set(digits)
        self.call_after_refresh(self.draw_everything)

    # -- drawing

    def draw_everything(self) -> None:
        """Draw all that is visible, now: after a key or a resize."""
        self.draw_status()
        self.draw_hints()
        for view in self.query(PanelView):
            self._draw_panel(view)

    def draw_next(self) -> bool:
        """Draw the next visible panel that is not up to date; False when all are."""
        views = list(self.query(PanelView))
        for offset in range(len(views)):
            view = views[(self._turn + offset) % len(views)]
            if view.digit in self._stale:
                self._turn = (self._turn + offset + 1) % len(views)
                self.draw_status()
                self._draw_panel(view)
                return True
        return False

    def _draw_panel(self, view: PanelView) -> None:
        size = view.content_size
        if size.width < 1 or size.height < 1:
            return
        self._stale.discard(view.digit)
        picture = self.picture(view.digit, size.width, size.height)
        if picture is None:
            return
        title = one_cell_each(f"{view.digit} {picture.title}", ascii_only=self.looks.markers == "ascii")
        if view.has_class("framed") and view.border_title != title:
            view.border_title = Content(title)
        view.show(picture.rows)

    def draw_status(self) -> None:
        """Draw header and log."""
        width = self.app.size.width
        layout = self._layout_now
        if layout is None:
            return
        self.query_one("#header", RowsView).show(self.header_rows(width, max(layout.header, 1)))
        if layout.log:
            self.query_one("#log", RowsView).show(self.log_rows(width, layout.log))

    # -- actions: view

    async def action_pick(self, digit: int) -> None:
        """Pick a panel."""
        if digit not in self.digits():
            self.say(self.why_not(digit))
            return
        self.chosen = digit
        await self.lay_out()

    async def action_turn(self, by: int) -> None:
        """The next panel that has something to show."""
        digits = self.digits()
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
        for view in self.query(PanelView):
            view.set_class(looks.markers == "ascii", "ascii")
        self.draw_everything()

    def change(self, change: Callable[[Looks], Looks]) -> None:
        """Look at the run another way."""
        self.look(change(self.looks))

    def action_log_y(self) -> None:
        """Log or linear y axis of the picked panel."""
        self.change(lambda looks: looks.with_flipped_y(self.chosen))

    def action_log_x(self) -> None:
        """Log or linear x axis."""
        self.change(lambda looks: replace(looks, log_x=not looks.log_x))

    def action_smooth(self) -> None:
        """Smoothing on or off."""
        self.change(lambda looks: replace(looks, smooth=not looks.smooth))

    def action_waterfall(self) -> None:
        """Bars or frequency × step."""
        self.change(lambda looks: replace(looks, waterfall=not looks.waterfall))

    def action_move(self, cells: int) -> None:
        """Move the cursor on all panels."""
        self.change(lambda looks: looks.moved(cells, self.columns, self.last))

    @property
    def columns(self) -> int:
        """Cells of the widest plot."""
        return max((view.content_size.width for view in self.query(PanelView)), default=80) - GUTTER

    def action_jump(self, by: int) -> None:
        """The next or the last intervention, snapshot, note or phase change."""
        moment = neighbour(self.moments(), self.position, by)
        if moment is None:
            self.say("nothing happened after this step" if by > 0 else "nothing happened before this step")
            return
        self.go_to_step(moment.step)
        self.say(f"{self.place_text(moment.step)}: {moment.text}")

    def go_to_step(self, step: int) -> None:
        """Put the cursor on a step."""
        self.change(lambda looks: looks.at(step))

    def place_text(self, step: int) -> str:
        """A step in words."""
        return f"step {step:,}"

    def action_edge(self, newest: bool) -> None:
        """The cursor on the first or the newest step."""
        self.change(lambda looks: looks.at(self.last if newest else 0))

    def action_follow(self) -> None:
        """Follow the newest step."""
        self.change(lambda looks: replace(looks, cursor=None).followed(self.last))

    def action_zoom_x(self, factor: float) -> None:
        """Show a smaller or larger range of steps."""
        self.change(lambda looks: looks.zoomed(factor, self.last))

    def action_all(self) -> None:
        """Show every step."""
        self.change(lambda looks: replace(looks, span=None))

    # -- actions: marks

    def action_set_mark(self, which: str) -> None:
        """Set mark A or B where the cursor is."""
        step = self.position
        self.change(lambda looks: replace(looks, a=step) if which == "a" else replace(looks, b=step))
        both = self.looks.a is not None and self.looks.b is not None
        self.say(f"mark {which.upper()} at step {step:,}{'; D shows the differences' if both else ''}")

    def action_differences(self) -> None:
        """A page with every series in full: at both marks and between them, or here while they are not both set."""
        a, b = self.looks.a, self.looks.b
        page = self.values_page() if a is None or b is None else self.differences_page(a, b)
        self.app.push_screen(PageScreen(*page))

    # -- actions: leaving

    def action_leave(self) -> None:
        """Leave."""
        self.app.exit()
