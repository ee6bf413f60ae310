"""The compare screen: several runs over one another on the same panels, one cursor through all."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from textual.binding import BindingType

from grokterm.drawing.cells import Row
from grokterm.drawing.colours import Palette
from grokterm.tui.compare import readings, results
from grokterm.tui.compare.choices import OVERLAYS, TABLE
from grokterm.tui.compare.compared import GONE, UNREADABLE, Followed
from grokterm.tui.compare.comparison import Comparison
from grokterm.tui.compare.header import header
from grokterm.tui.compare.overlay import Terms, place_text
from grokterm.tui.compare.panels import draw_panel, offered
from grokterm.tui.compare.settings import differences_text
from grokterm.tui.keys import CURSOR, LOOKING, VIEWING, Groups, Hints, Key, bindings
from grokterm.tui.layout import Layout
from grokterm.tui.looks import Looks
from grokterm.tui.moments import Moment
from grokterm.tui.panel import Picture
from grokterm.tui.screens.page import PageScreen
from grokterm.tui.screens.panels import TICK_SECONDS, PanelsScreen, PanelView

FRAME_SECONDS = 0.05
"""20 frames a second, as far as drawing keeps up: a key held down moves the cursor further, not later."""
BREATH = 0.01
"""Seconds after a frame in which keys are taken in before the next one."""
NEWS_SECONDS = 1.0
"""How often the runs are looked at."""
LEAST_PANEL_ROWS = 14
"""Rows that every panel keeps when the table goes under them."""
SHORT_TABLE = 3
"""A table of at most one row in so many is short."""

COMPARING = (
    Key("v", "v", "series(1)", "the next series of the picked panel"),
    Key("V", "V", "series(-1)", "the series before"),
    Key("down", "↓", "point_out(1)", "point out the next run: the others grow faint"),
    Key("up", "↑", "point_out(-1)", "point out the run before"),
    Key("t", "t", "since", "x from where each run had memorised its training data, or from step 0"),
    Key("B", "B", "bundle", "runs that differ in the seed alone as median and min–max band"),
    Key("c", "c", "configurations", "what the runs were told to do differently"),
)
COMPARE: Groups = (
    ("Compare", COMPARING),
    ("Cursor", CURSOR),
    ("View", tuple(key for key in VIEWING if key.action != "waterfall")),
    ("", LOOKING),
)
COMPARE_HINTS: Hints = (
    ("←→", "cursor"),
    ("v", "series"),
    ("↑↓", "point out"),
    ("c", "settings"),
    ("B", "bundle seeds"),
    ("?", "help"),
    ("q", "quit"),
    ("t", "since memorised"),
    ("1–8", "panel"),
    ("z", "zoom"),
    ("a/b", "marks"),
    ("D", "values"),
    ("y/x", "log"),
    ("m", "smooth"),
)
PAGE_WIDTH = 96
ABOUT = (
    "Every run keeps its colour, its dash pattern and its label (1–9, a–g) on all panels; where a curve is by itself "
    "the label is written on it. Legends read what each run recorded last at or before the cursor; panel 7 has a line "
    "for every run, and D every series in full.\n\n"
    "A bundle (B) is runs with the same settings and the same edits. Its line is the median of those that have "
    "recorded anything there, its band goes from the lowest to the highest; settings that only say how long, how often "
    "and on what device are not looked at.\n\n"
    "Runs are read again every second. A run whose directory goes away stays as it was read last.\n\n"
)


class CompareScreen(PanelsScreen):
    """Two to sixteen runs. What is drawn is `comparison`, made anew when a run grows or is compared another way."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(COMPARE)]
    groups = COMPARE
    about = ABOUT

    def __init__(self, runs: Sequence[Followed], palette: Palette, looks: Looks, terms: Terms) -> None:
        super().__init__(palette, looks)
        self.followed = tuple(runs)
        self.terms = terms
        self.comparison = self._compared()
        self._other_place: tuple[int | None, tuple[float, float] | None, int | None, int | None] = (None,) * 4
        self._late = False
        self._free = self._looked = time.monotonic()

    def _compared(self) -> Comparison:
        terms = self.terms
        runs = [followed.now for followed in self.followed]
        return Comparison(runs, since_memorised=terms.since_memorised, bundled=terms.bundled)

    # -- what is seen otherwise than of one run

    @property
    def last(self) -> int:
        """The largest x of any run."""
        return self.comparison.last

    @property
    def hint_keys(self) -> Hints:
        """The same all the time."""
        return COMPARE_HINTS

    def digits(self) -> list[int]:
        """The panels for which any run has something."""
        return [panel.digit for panel in OVERLAYS if offered(self.comparison, panel.digit)]

    def picture(self, digit: int, width: int, height: int) -> Picture | None:
        """A panel in exactly that many cells."""
        return draw_panel(self.comparison, digit, self.terms, self.looks, width, height)

    def header_rows(self, width: int, height: int) -> tuple[Row, ...]:
        """How the runs are compared and how they are; below it, which is which."""
        return header(self.comparison, self.terms, self.looks, width)[:height]

    def arrangement(self, width: int, height: int) -> Layout:
        """As elsewhere, with the whole table under the panels where they stay readable, else without one.

        A short table comes before the second row of panels: their digits bring up the others.
        """
        layout = super().arrangement(width, height)
        needed = len(self.followed) + 1
        left = height - layout.header - layout.footer
        if self.chosen == TABLE:
            return replace(layout, log=0)
        if needed <= left - len(layout.grid) * LEAST_PANEL_ROWS:
            return replace(layout, log=needed)
        if len(layout.grid) == 1 or needed > min(left // SHORT_TABLE, left - LEAST_PANEL_ROWS):
            return replace(layout, log=0)
        first = layout.grid[0]
        first = first if self.chosen in first else (*first[:-1], self.chosen)
        return replace(layout, grid=(first,), log=needed)

    def log_rows(self, width: int, height: int) -> tuple[Row, ...]:
        """The table of results."""
        columns, markers = results.RESULTS, self.looks.markers
        pointed = self.terms.pointed_out(self.comparison)
        return results.table_rows(self.comparison, columns, self.looks.cursor, width, markers, pointed)[:height]

    def moments(self) -> Sequence[Moment]:
        """What happened in the runs, or in the one that is pointed out; together what happened at one x."""
        texts: dict[int, list[str]] = {}
        for moment in self.comparison.moments(self.terms.track(self.comparison)):
            texts.setdefault(moment.step, []).append(moment.text)
        return [Moment(step, "; ".join(said)) for step, said in sorted(texts.items())]

    def place_text(self, step: int) -> str:
        """An x in words."""
        return place_text(step, since=self.terms.since_memorised)

    def values_page(self) -> tuple[str, str]:
        """Every series of every run in full."""
        return self.place_text(self.position), readings.values_text(self.comparison, self.position)

    def differences_page(self, a: int, b: int) -> tuple[str, str]:
        """Every series of every run at both marks."""
        return f"A {self.place_text(a)} · B {self.place_text(b)}", readings.differences_text(self.comparison, a, b)

    # -- drawing and news

    def on_mount(self) -> None:
        """Begin to look for news."""
        self.set_interval(TICK_SECONDS, self.tick)

    def tick(self) -> None:
        """Put the hints back, and look at the runs now and then."""
        now = time.monotonic()
        self.end_notice(now)
        if now - self._looked > NEWS_SECONDS:
            self._looked = now
            self.poll()

    def poll(self) -> frozenset[str]:
        """Read what is new in all runs."""
        states = [followed.now.state for followed in self.followed]
        changed = [followed.poll() for followed in self.followed]
        if not any(changed):
            return frozenset()
        self.comparison = self._compared()
        self.looks = self.looks.followed(self.last)
        self._draw_soon()
        self._tell_of_losses(states)
        return frozenset({"events"})

    def _tell_of_losses(self, states: Sequence[str]) -> None:
        """Say which runs went away or broke since they had these states."""
        lost = [
            f"{look.label} {name} is {run.state}{f' ({run.problem})' if run.problem else ''}"
            for look, name, run, before in zip(
                self.comparison.looks, self.comparison.names, self.comparison.runs, states, strict=True
            )
            if run.state != before and run.state in (GONE, UNREADABLE)
        ]
        if lost:
            self.say(f"{', '.join(lost)}; what was read before stays", problem=True)

    def look(self, looks: Looks) -> None:
        """Look at the runs another way, now or with the next frame."""
        self.looks = looks
        self._draw_soon()

    def _draw_soon(self) -> None:
        """Draw now, or once the frame before has had its time; keys that come until then are drawn with it."""
        if self._late:
            return
        self._late = True
        wait = self._free - time.monotonic()
        if wait > 0:
            self.set_timer(wait, self._draw)
        else:
            self._draw()

    def _draw(self) -> None:
        begun = time.monotonic()
        self._late = False
        for view in self.query(PanelView):
            view.set_class(self.looks.markers == "ascii", "ascii")
        self.draw_everything()
        self._free = max(begun + FRAME_SECONDS, time.monotonic() + BREATH)

    def _compare(self, terms: Terms) -> None:
        """Compare another way, at once."""
        self.terms = terms
        self.comparison = self._compared()
        self._draw()

    # -- actions

    async def action_unzoom(self) -> None:
        """Leave the enlarged panel; with none, nothing is pointed out any more."""
        if self.zoomed:
            await self.action_zoom()
        else:
            self._compare(replace(self.terms, selected=None))

    def action_series(self, by: int) -> None:
        """Another series on the picked panel."""
        possible = offered(self.comparison, self.chosen)
        choice = self.terms.choice(self.chosen, possible)
        if choice is None or len(possible) < 2:
            self.say("this panel has nothing else to show")
            return
        at = (possible.index(choice) + by) % len(possible)
        self._compare(replace(self.terms, chosen={**self.terms.chosen, self.chosen: possible[at].name}))
        self.say(f"panel {self.chosen}: {possible[at].name}, {at + 1} of {len(possible)}")

    def action_point_out(self, by: int) -> None:
        """Another run in full, the others faint; after the last one none."""
        firsts = [track.members[0] for track in self.comparison.tracks]
        track = self.terms.track(self.comparison)
        places: list[int | None] = [None, *firsts]
        at = 0 if track is None else places.index(track.members[0])
        self._compare(replace(self.terms, selected=places[(at + by) % len(places)]))

    def action_since(self) -> None:
        """x from where every run had memorised, or from step 0. Cursor, range and marks are kept for each."""
        looks = self.looks
        here = (looks.cursor, looks.span, looks.a, looks.b)
        (cursor, span, a, b), self._other_place = self._other_place, here
        self.looks = replace(looks, cursor=cursor, span=span, a=a, b=b)
        self._compare(replace(self.terms, since_memorised=not self.terms.since_memorised))
        compared = self.comparison
        left = [
            f"{reason}, left out: {', '.join(f'{compared.looks[i].label} {compared.names[i]}' for i in runs)}"
            for reason, runs in compared.why_left_out().items()
        ]
        if left:
            self.say("; ".join(left))
        else:
            since = self.terms.since_memorised
            self.say("x: steps since each run had memorised its training data" if since else "x: steps")

    def action_bundle(self) -> None:
        """Runs that differ in the seed alone as one line, or every run by itself."""
        before = self.terms
        self._compare(replace(before, bundled=not before.bundled))
        made = [len(track.members) for track in self.comparison.tracks if len(track.members) > 1]
        if before.bundled:
            self.say("every run by itself")
        elif not made:
            self._compare(before)
            self.say("no two of the runs differ in the seed alone")
        else:
            self.say(f"{sum(made)} runs in {len(made)} bundle{'s' if len(made) > 1 else ''}: median and min–max band")

    def action_configurations(self) -> None:
        """A page with what the runs were told to do differently."""
        comparison = self.comparison
        runs = [
            (look.label, name, run.config, run.edits)
            for look, name, run in zip(comparison.looks, comparison.names, comparison.runs, strict=True)
        ]
        self.app.push_screen(PageScreen("Settings", differences_text(runs, min(self.app.size.width, PAGE_WIDTH) - 4)))
