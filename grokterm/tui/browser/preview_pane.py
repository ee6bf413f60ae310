"""The pane beside the browser's list: curves and facts of one run, read in a thread while the cursor moves on."""

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.timer import Timer
from textual.worker import get_current_worker

from grokterm.drawing.cells import Markers, Row, Span, row_of
from grokterm.drawing.colours import Palette
from grokterm.summary import Summary
from grokterm.tui.browser.preview import Losses, LossReader, chart_rows, fact_rows
from grokterm.tui.browser.shelf_rows import BrowserLayout
from grokterm.tui.rows import RowsView

REST_SECONDS = 0.04
"""How long the cursor rests at a run before its curves are read."""
SLOW_SECONDS = 0.3
"""How long the curves of another run may stay on the screen while those of this one are read."""


class PreviewPane(Vertical):
    """Shows the run that `look_at` names. Facts are there at once, curves as soon as they are read."""

    DEFAULT_CSS: ClassVar[str] = "PreviewPane RowsView { width: 100%; }"

    class CurvesRead(Message):
        """The curves of a run, and who can read on in it."""

        def __init__(self, reader: LossReader, losses: Losses) -> None:
            super().__init__()
            self.reader, self.losses = reader, losses

    def __init__(self, palette: Palette, markers: Markers) -> None:
        super().__init__()
        self._markers = markers
        self._chart, self._facts = RowsView(palette, id="chart"), RowsView(palette, id="facts")
        self._layout = BrowserLayout(False, 0, 0, 0, 0, 0)
        self._summary: Summary | None = None
        self._losses = Losses()
        self._reader: LossReader | None = None  # of the curves that are shown
        self._reading: Summary | None = None  # whose curves a thread reads
        self._rest: Timer | None = None
        self._slow: Timer | None = None

    def compose(self) -> ComposeResult:
        """The chart, and the facts below it."""
        yield self._chart
        yield self._facts

    def place(self, layout: BrowserLayout) -> None:
        """Take the room that the layout leaves."""
        self._layout = layout
        self.display = layout.facts_height > 0
        self.styles.width, self.styles.height = layout.preview_width, layout.chart_height + layout.facts_height
        self.styles.margin = (0, 0, 0, layout.gap)
        for view, height in ((self._chart, layout.chart_height), (self._facts, layout.facts_height)):
            view.display = height > 0
            view.styles.height = height
        self.draw()

    def look_at(self, summary: Summary | None) -> None:
        """Show this run, or what is new of it."""
        if summary is self._summary:
            return
        other = summary is None or self._summary is None or summary.path != self._summary.path
        self._summary = summary
        self._draw_facts()
        if other and self._rest is not None:
            self._rest.stop()
        if summary is None:
            self._reader, self._losses = None, Losses()
            self._draw_chart()
        elif other:
            self._rest = self.set_timer(REST_SECONDS, self._begin)
        else:
            self._begin()

    def draw(self) -> None:
        """Draw all of it for the room there is now."""
        self._draw_facts()
        self._draw_chart()
        if self._summary is not None and self._reader is None:
            self._begin()

    def _draw_facts(self) -> None:
        width, height = self._layout.preview_width, self._layout.facts_height
        if height:
            rows = () if self._summary is None else fact_rows(self._summary, width, height, self._markers)
            self._facts.show(rows)

    def _draw_chart(self, said: str = "") -> None:
        width, height = self._layout.preview_width, self._layout.chart_height
        rows: tuple[Row, ...] = (row_of([Span(said, "quiet")], width),)
        if self._summary is not None and self._reader is not None and not said:
            rows = chart_rows(self._losses, self._summary, width, height, self._markers)
        if height:
            self._chart.show(rows)

    def _begin(self) -> None:
        """Read the curves, unless that is being done or nobody would see them."""
        summary, reading = self._summary, self._reading
        if summary is None or not self._layout.chart_height or (reading is not None and reading.path == summary.path):
            return
        reader = self._reader
        if reader is None or reader.path != summary.path:
            reader = LossReader(summary.path)
            self._slow = self.set_timer(SLOW_SECONDS, self._tell_slow)
        self._reading = summary
        self._read(reader)

    def _tell_slow(self) -> None:
        if self._reading is not None:
            self._draw_chart("reading …")

    @work(thread=True, exclusive=True, group="preview")
    def _read(self, reader: LossReader) -> None:
        worker = get_current_worker()
        losses = reader.read(lambda: not worker.is_cancelled)
        if losses is not None:
            self.post_message(self.CurvesRead(reader, losses))

    @on(CurvesRead)
    def _curves_read(self, message: CurvesRead) -> None:
        message.stop()
        if self._summary is None or message.reader.path != self._summary.path:
            return
        grown = self._reading is not self._summary
        self._reading = None
        self._reader, self._losses = message.reader, message.losses
        self._draw_chart()
        if grown:
            self._begin()
