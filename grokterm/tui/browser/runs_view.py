"""The browser's list as a widget: rows of cells, one of which the cursor is at."""

from rich.style import Style
from textual.strip import Strip

from grokterm.drawing.cells import Row
from grokterm.tui.rows import RowsView


class RunsView(RowsView):
    """The list; the line of the cursor is shown in reverse."""

    line = -1

    def point(self, rows: tuple[Row, ...], line: int) -> None:
        """Show rows, with the cursor at one of them."""
        if line != self.line:
            self.line = line
            self.refresh()
        self.show(rows)

    def render_line(self, y: int) -> Strip:
        """One line of the list."""
        strip = super().render_line(y)
        return strip.apply_style(Style(reverse=True)) if y == self.line else strip
