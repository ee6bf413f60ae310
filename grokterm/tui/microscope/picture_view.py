"""The widget that shows one picture of the microscope in its frame."""

from textwrap import wrap

from textual.content import Content

from grokterm.drawing.cells import Row, Span, one_cell_each, row_of
from grokterm.tui.microscope.found import Answer
from grokterm.tui.microscope.lens import Lens, Sight
from grokterm.tui.screens.panels import PanelView

BESIDE_TITLE = 6
"""Cells of a frame's edge that are not its title's."""


class PictureView(PanelView):
    """A picture's frame and rows; `key` is the picture it shows. What stands at its cursor is told below it."""

    key = ""
    _drawn: tuple[object, ...] = ()
    reading = ""
    """What stands at the cursor."""
    tells_reading = True
    """Whether the frame has room for that."""

    def picture(
        self, lens: Lens, answer: Answer | None, late: str, trouble: str, sight: Sight, *, stale: bool = False
    ) -> None:
        """Show what was found out, or the sentence about why there is nothing; nothing is done where that stands.

        stale: what was found out is that of another checkpoint or neuron than the one that is asked for.
        """
        size = self.content_size
        drawn = (lens.key, answer, late, trouble, sight, size, stale)
        if size.width < 1 or size.height < 1 or drawn == self._drawn:
            return
        self._drawn = drawn
        trouble = trouble if answer is None else answer.trouble
        if answer is None or trouble:
            self.reading = ""
            self._label(f"{lens.key} {lens.name}", late, sight, dim=False)
            self.show(told(trouble, size.width, size.height))
            return
        picture = lens.draw(answer.facts, sight, size.width, size.height)
        self.reading = lens.reading(answer.facts, sight)
        self._label(f"{lens.key} {picture.title}", late, sight, dim=stale)
        self.show(picture.rows)

    def _label(self, title: str, late: str, sight: Sight, *, dim: bool) -> None:
        """Title and reading on the frame; of a title that is too long the end gives way, but never `late`."""
        ascii_only = sight.markers == "ascii"
        room = self.outer_size.width - BESIDE_TITLE
        if len(title) + len(late) > room:
            title = title[: max(room - len(late) - 1, 0)] + "…"
        title, reading = (one_cell_each(text, ascii_only=ascii_only) for text in (title + late, self.reading))
        self.tells_reading = self.has_class("framed") and len(reading) <= room
        if self.has_class("framed"):
            self.border_title = Content.styled(title, "dim") if dim else Content(title)
            self.border_subtitle = Content(reading if self.tells_reading else "")


def told(text: str, width: int, height: int) -> tuple[Row, ...]:
    """A sentence in the place of a picture."""
    room = max(width - 2, 1)
    rows = [row_of([Span(f" {line}", "problem")], width) for line in wrap(one_cell_each(text), room)]
    above = [row_of((), width)] * min(1, max(height - len(rows), 0))
    rows = [*above, *rows][:height]
    return (*rows, *(row_of((), width) for _ in range(height - len(rows))))
