"""A widget that shows rows of cells and repaints only those that changed."""

from itertools import zip_longest

from rich.segment import Segment
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from grokterm.drawing.cells import Row
from grokterm.drawing.colours import Palette


class RowsView(Widget):
    """Rows as they were last shown; `show` compares and marks what differs as dirty."""

    def __init__(self, palette: Palette, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._palette = palette
        self._rows: tuple[Row, ...] = ()
        self._strips: list[Strip] = []

    def show(self, rows: tuple[Row, ...]) -> None:
        """Put these rows on the screen."""
        old, self._rows = self._rows, rows
        changed = [y for y, (new, before) in enumerate(zip_longest(rows, old)) if new != before]
        if not changed:
            return
        strips = self._strips[: len(rows)] + [Strip.blank(0)] * (len(rows) - len(self._strips))
        for y in changed:
            if y < len(rows):
                strips[y] = Strip([Segment(span.text, self._palette.style(span.style)) for span in rows[y]])
        self._strips = strips
        width = self.content_size.width
        self.refresh(*(Region(0, y, width, 1) for y in changed))

    def render_line(self, y: int) -> Strip:
        """One line of the widget's content."""
        width = self.content_size.width
        strip = self._strips[y] if y < len(self._strips) else Strip.blank(0)
        return strip.adjust_cell_length(width)

    @property
    def text(self) -> str:
        """What is shown, without styles."""
        return "\n".join("".join(span.text for span in row) for row in self._rows)
