"""The line of the browser that a filter is typed into; it is there only meanwhile."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Input

from grokterm.drawing.cells import Span, row_of
from grokterm.drawing.colours import Palette
from grokterm.tui.rows import RowsView

PROMPT = " filter: "


class FilterLine(Horizontal):
    """A prompt and an input. What is typed comes as the input's own messages."""

    DEFAULT_CSS: ClassVar[str] = """
    FilterLine { width: 100%; height: 1; display: none; }
    FilterLine RowsView { width: 9; height: 1; }
    FilterLine Input { height: 1; padding: 0; background: ansi_default; width: 1fr; }
    FilterLine Input, FilterLine Input:focus { border: none; }
    """

    def __init__(self, palette: Palette) -> None:
        super().__init__()
        self._prompt = RowsView(palette)
        self._input = Input(placeholder="state:done lr>=1e-3 p:113 tag:good -mod97", select_on_focus=False)

    def compose(self) -> ComposeResult:
        """The prompt, and the place to type."""
        yield self._prompt
        yield self._input

    def on_mount(self) -> None:
        """Say what is typed here."""
        self._prompt.show((row_of([Span(PROMPT, "key")], len(PROMPT)),))

    @property
    def is_open(self) -> bool:
        """Whether a person types. (The input itself hears of it later.)"""
        return self.screen.focused is self._input

    def open(self, text: str) -> None:
        """Go there, to go on from this text."""
        self.display = True
        self._input.value = text
        self.screen.set_focus(self._input)
        self._input.action_end()

    def close(self) -> None:
        """Leave."""
        self.display = False
        if self.is_open:
            self.screen.set_focus(None)

    def insert(self, text: str) -> None:
        """Type this."""
        self._input.insert_text_at_cursor(text)
