"""The widget that shows one picture of the microscope in its frame."""

from textwrap import wrap

from textual.content import Content

from grokterm.drawing.cells import Row, Span, one_cell_each, row_of
from grokterm.tui.microscope.found import Answer
from grokterm.tui.microscope.lens import Lens, Sight
from grokterm.tui.screens.panels import PanelView


class PictureView(PanelView):
    """A picture's frame and rows; `key` is the picture it shows. What stands at its cursor is told below it."""

    key = ""
    _drawn: tuple[object, ...] = ()
    reading = ""
    """What stands at the cursor."""

    def picture(self, lens: Lens, answer: Answer | None, late: str, trouble: str, sight: Sight) -> None:
        """Show what was found out, or the sentence about why there is nothing; nothing is done where that stands."""
        size = self.content_size
        drawn = (lens.key, answer, late, trouble, sight, size)
        if size.width < 1 or size.height < 1 or drawn == self._drawn:
            return
        self._drawn = drawn
        trouble = trouble if answer is None else answer.trouble
        if answer is None or trouble:
            self.reading = ""
            self._label(f"{lens.key} {lens.name}{late}", sight)
            self.show(told(trouble, size.width, size.height))
            return
        picture = lens.draw(answer.facts, sight, size.width, size.height)
        self.reading = lens.reading(answer.facts, sight)
        self._label(f"{lens.key} {picture.title}{late}", sight)
        self.show(picture.rows)

    def _label(self, title: str, sight: Sight) -> None:
        ascii_only = sight.markers == "ascii"
        title, reading = (one_cell_each(text, ascii_only=ascii_only) for text in (title, self.reading))
        if self.has_class("framed"):
            self.border_title, self.border_subtitle = Content(title), Content(reading)


def told(text: str, width: int, height: int) -> tuple[Row, ...]:
    """A sentence in the place of a picture."""
    room = max(width - 2, 1)
    rows = [row_of([Span(f" {line}", "problem")], width) for line in wrap(one_cell_each(text), room)]
    above = [row_of((), width)] * min(1, max(height - len(rows), 0))
    rows = [*above, *rows][:height]
    return (*rows, *(row_of((), width) for _ in range(height - len(rows))))
