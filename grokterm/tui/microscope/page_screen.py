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
from grokterm.tui.microscope.keys import HINTS, groups
from grokterm.tui.microscope.layout import Page, arrange_page
from grokterm.tui.microscope.lens import AlongFrequencies, Lens, Ordered
from grokterm.tui.microscope.looking import Looking
from grokterm.tui.microscope.pace import Pace
from grokterm.tui.microscope.picture_view import PictureView
from grokterm.tui.rows import RowsView
from grokterm.tui.screens.keyed import KeyedScreen

NEWS_SECONDS = 1.0
"""How often new checkpoints are looked for."""
COLLECT_SECONDS = 0.01
"""How often facts are looked for while some are being computed."""
REDRAW_SECONDS = 0.1
"""How often what is drawn is looked over meanwhile: titles tell when a picture takes long."""


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
        self.groups = groups(lenses)
        self._begin_at = step
        self._laying_out = asyncio.Lock()
        self._parts: dict[str, RowsView] = {}
        self._told, self._drawn_at = -1, float("-inf")
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
        shown, without = self.lens.chooses, set[str]()
        if not shown:
            without.add("↑↓")
        if shown not in ("neuron", "frequency") and not isinstance(self.lens, AlongFrequencies):
            without.add("[ ]")
        if not isinstance(self.lens, Ordered):
            without.add("o")
        if self.fills_the_screen:
            without.add("z")
        return [(key, shown if key == "↑↓" else does) for key, does in HINTS if key not in without]

    # -- building

    def compose(self) -> ComposeResult:
        """Header, the names of all pictures, those in sight, hints: all in their place before the first frame."""
        self.page = page = self._arranged()
        self._parts = {name: RowsView(self._palette, id=name) for name in ("header", "strip", "hints")}
        self._give_room(page)
        yield self._parts["header"]
        yield self._parts["strip"]
        yield Vertical(*self._rows_of_views(page), id="grid")
        yield self._parts["hints"]

    def on_mount(self) -> None:
        """Begin to compute before anything is painted."""
        self._collecting = self.set_interval(COLLECT_SECONDS, self._collect, pause=True)
        self.set_interval(NEWS_SECONDS, self.look_for_news)
        said = self.bench.begin(self._begin_at)
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
        return self._arranged_if(zoomed=self.looking.zoomed)

    def _arranged_if(self, *, zoomed: bool) -> Page:
        size = self.app.size
        return arrange_page(size.width, size.height, [*self.lenses], self.looking.chosen, zoomed=zoomed)

    @property
    def fills_the_screen(self) -> bool:
        """Whether there is room for no more than one picture, enlarged or not."""
        return len(self._arranged_if(zoomed=False).keys) == 1

    async def lay_out(self) -> None:
        """Put pictures where the terminal's size and the person's choice want them."""
        async with self._laying_out:  # keys and new sizes come from two tasks
            if not self.is_attached:
                return
            self.page = page = self._arranged()
            self._wish()
            self._give_room(page)
            grid = self.query_one("#grid", Vertical)
            if [len(row.children) for row in grid.children] != [len(row) for row in page.grid]:
                await grid.remove_children()
                await grid.mount(*self._rows_of_views(page))
            else:
                self._assign([*self.query(PictureView)], page)
            self.call_after_refresh(self.draw)

    def _give_room(self, page: Page) -> None:
        for name, height in (("header", page.header), ("strip", page.strip), ("hints", page.footer)):
            self._parts[name].display = height > 0
            self._parts[name].styles.height = height

    def _rows_of_views(self, page: Page) -> list[Horizontal]:
        """New views for a page: they know what they show before they are mounted, so that their size is final."""
        views = [PictureView(self._palette) for _ in page.keys]
        self._assign(views, page)
        left = iter(views)
        return [Horizontal(*islice(left, len(row))) for row in page.grid]

    def _assign(self, views: Sequence[PictureView], page: Page) -> None:
        for view, key in zip(views, page.keys, strict=False):
            view.key = key
            view.set_class(page.framed, "framed")
            view.set_class(self.markers == "ascii", "ascii")
            view.set_class(key == self.looking.chosen and len(page.keys) > 1, "chosen")

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
        workshop, now = self.bench.workshop, time.monotonic()
        was_busy = workshop.is_busy  # before drawing: what comes last is drawn too
        if not was_busy or workshop.told != self._told or now - self._drawn_at > REDRAW_SECONDS:
            self._told = workshop.told
            self.draw()
        if not was_busy and self._collecting is not None:
            self._collecting.pause()
            self.bench.pay(now)

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
        self._drawn_at = now = time.monotonic()
        page, bench, width = self.page, self.bench, self.app.size.width
        self.query_one("#header", RowsView).show(header(bench.stand(), width, max(page.header, 1), self.markers))
        if page.strip:
            names = strip([*self.lenses.values()], self.looking.chosen, page.keys, width, self.markers)
            self.query_one("#strip", RowsView).show((names,))
        for view in self.query(PictureView):
            if view.key in page.keys:
                self._draw_picture(view, now)
        self.draw_hints()

    def _draw_picture(self, view: PictureView, now: float) -> None:
        lens, bench = self.lenses[view.key], self.bench
        answer, late, trouble = bench.answer(lens), "", ""
        stale = answer is None
        if answer is None:
            trouble = bench.trouble() if lens is self.lens else ""
            answer, late = bench.before(lens), bench.late(lens, now)
        view.picture(lens, answer, late, trouble, self.looking.sight(lens.key), stale=stale)

    def draw_hints(self) -> None:
        """The key hints, or what stands at the cursor where no frame has room to tell it."""
        view = next((view for view in self.query(PictureView) if view.key == self.looking.chosen), None)
        if view is not None and view.reading and not view.tells_reading and not self._notice_until:
            row = status.notice(view.reading, "", self.app.size.width, self.markers)
            self.query_one("#hints", RowsView).show((row,))
        else:
            super().draw_hints()
