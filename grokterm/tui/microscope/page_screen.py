"""A page of pictures of one checkpoint: where they stand, and that they are drawn as soon as their facts are there."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.timer import Timer

from grokterm.drawing.cells import Markers
from grokterm.drawing.colours import Palette
from grokterm.history import History
from grokterm.tui import status
from grokterm.tui.keys import Hints
from grokterm.tui.microscope.bench import Bench
from grokterm.tui.microscope.header import header, strip
from grokterm.tui.microscope.keys import HINTS
from grokterm.tui.microscope.layout import Page, arrange_page
from grokterm.tui.microscope.lens import Lens
from grokterm.tui.microscope.looking import Looking
from grokterm.tui.microscope.pace import Pace
from grokterm.tui.microscope.picture_view import PictureView
from grokterm.tui.rows import RowsView
from grokterm.tui.screens.keyed import KeyedScreen

NEWS_SECONDS = 1.0
"""How often new checkpoints are looked for."""
COLLECT_SECONDS = 0.02
"""How often facts are looked for while some are being computed."""


@dataclass(frozen=True, slots=True)
class Left:
    """What the person takes back to the screen below: a step to go to, if they want that, and how they looked."""

    step: int | None
    looking: Looking


class PicturesScreen(KeyedScreen[Left]):
    """Pictures of what lies on the bench, as `looking` says."""

    AUTO_FOCUS = ""

    def __init__(
        self,
        history: History,
        lenses: Sequence[Lens],
        palette: Palette,
        looking: Looking,
        pace: Pace,
        *,
        step: int | None,
        standing: Callable[[], str],
    ) -> None:
        """`step`: where to begin, None to follow the newest checkpoint. `history` is polled by the screen below,
        and `standing` says how training stands there, "" where nobody trains."""
        super().__init__(palette)
        self.looking = looking
        self.bench = Bench(history, pace, standing)
        self.page = Page((), 0, 0, 0, False)
        self.lenses = {lens.key: lens for lens in lenses}
        self._begin_at = step
        self._laying_out = asyncio.Lock()
        self._collecting: Timer | None = None

    @property
    def markers(self) -> Markers:
        """What pictures are drawn with."""
        return self.looking.markers

    @property
    def lens(self) -> Lens:
        """The picked picture."""
        return self.lenses[self.looking.chosen]

    @property
    def hint_keys(self) -> Hints:
        """Those that have a use for the picked picture, as they are called for it."""
        shown = self.lens.chooses
        return [(key, shown if key == "↑↓" else does) for key, does in HINTS if shown or key not in ("↑↓", "[ ]")]

    # -- building

    def compose(self) -> ComposeResult:
        """Header, the names of all pictures, a place for those in sight, hints."""
        yield RowsView(self._palette, id="header")
        yield RowsView(self._palette, id="strip")
        yield Vertical(id="grid")
        yield RowsView(self._palette, id="hints")

    def on_mount(self) -> None:
        """Begin to compute before anything is painted."""
        self._collecting = self.set_interval(COLLECT_SECONDS, self._collect, pause=True)
        self.set_interval(NEWS_SECONDS, self.look_for_news)
        said = self.bench.begin(self._begin_at)
        self.page = self._arranged()
        self._wish()
        if said:
            self.call_after_refresh(self.say, said)

    def on_unmount(self) -> None:
        """Let go of the network."""
        self.bench.workshop.close()

    async def on_resize(self) -> None:
        """Lay out anew for the new size."""
        await self.lay_out()

    def _arranged(self) -> Page:
        size, looking = self.app.size, self.looking
        return arrange_page(size.width, size.height, [*self.lenses], looking.chosen, zoomed=looking.zoomed)

    async def lay_out(self) -> None:
        """Put pictures where the terminal's size and the person's choice want them."""
        async with self._laying_out:  # keys and new sizes come from two tasks
            if not self.is_attached:
                return
            self.page = page = self._arranged()
            self._wish()
            for name, height in (("#header", page.header), ("#strip", page.strip), ("#hints", page.footer)):
                view = self.query_one(name)
                view.display = height > 0
                view.styles.height = height
            await self._place(page)
            self.call_after_refresh(self.draw)

    async def _place(self, page: Page) -> None:
        """A view for every picture of the page, new ones where there is another number of them."""
        grid = self.query_one("#grid", Vertical)
        views, rows = [*self.query(PictureView)], []
        if [len(row.children) for row in grid.children] != [len(row) for row in page.grid]:
            await grid.remove_children()
            views = [PictureView(self._palette) for _ in page.keys]
            left = iter(views)
            rows = [Horizontal(*islice(left, len(row))) for row in page.grid]
        for view, key in zip(views, page.keys, strict=False):  # before they are mounted, so that their size is final
            view.key = key
            view.set_class(page.framed, "framed")
            view.set_class(self.markers == "ascii", "ascii")
            view.set_class(key == self.looking.chosen and len(page.keys) > 1, "chosen")
        await grid.mount(*rows)

    # -- what is computed

    def look(self, looking: Looking) -> None:
        """Look another way, at once; at the same pictures."""
        self.looking = looking
        self._wish()
        self.draw()

    def _wish(self) -> None:
        """See what is in sight, the picked picture first."""
        others = [self.lenses[key] for key in self.page.keys if key != self.looking.chosen]
        self.bench.wish([self.lens, *others], self.looking.subject)
        self.collect()

    def collect(self) -> None:
        """Look for what is computed until all of it is there."""
        if self._collecting is not None:
            self._collecting.resume()

    def _collect(self) -> None:
        was_busy = self.bench.workshop.is_busy  # before drawing: what comes last is drawn too
        self.draw()
        if not was_busy and self._collecting is not None:
            self._collecting.pause()
            self.bench.pay(time.monotonic())

    def look_for_news(self) -> None:
        """See whether checkpoints have come or gone."""
        now = time.monotonic()
        self.end_notice(now)
        said = self.bench.look_for_news(now)
        if said:
            self.say(said, problem=True)
        if self.bench.workshop.is_busy:
            self.collect()
        self.draw()

    # -- drawing

    def draw(self) -> None:
        """Draw what is visible and differs from what stands there."""
        if not self.is_attached:
            return
        page, bench, width = self.page, self.bench, self.app.size.width
        self.query_one("#header", RowsView).show(header(bench.stand(), width, max(page.header, 1), self.markers))
        if page.strip:
            names = strip([*self.lenses.values()], self.looking.chosen, page.keys, width, self.markers)
            self.query_one("#strip", RowsView).show((names,))
        now = time.monotonic()
        for view in self.query(PictureView):
            if view.key in page.keys:
                self._draw_picture(view, now)
        self.draw_hints()

    def _draw_picture(self, view: PictureView, now: float) -> None:
        lens, bench = self.lenses[view.key], self.bench
        answer, late, trouble = bench.answer(lens), "", ""
        if answer is None:
            trouble = bench.trouble() if lens is self.lens else ""
            answer, late = bench.before(lens), bench.late(lens, now)
        view.picture(lens, answer, late, trouble, self.looking.sight(lens.key))

    def draw_hints(self) -> None:
        """The key hints, or what stands at the cursor where there is no frame to tell it."""
        reading = next((view.reading for view in self.query(PictureView) if view.key == self.looking.chosen), "")
        if reading and not self.page.framed and not self._notice_until:
            row = status.notice(reading, "", self.app.size.width, self.markers)
            self.query_one("#hints", RowsView).show((row,))
        else:
            super().draw_hints()
