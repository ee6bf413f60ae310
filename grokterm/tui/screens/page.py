"""A page of text over the screen, which scrolls."""

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static


class PageScreen(ModalScreen[None]):
    """Title and text, shown literally. Any of ?, esc, q, enter leaves."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape,q,question_mark,f1,enter,ctrl+c", "dismiss", "back")]

    def __init__(self, title: str, text: Text | str) -> None:
        super().__init__()
        self._title, self._text = title, Text(text) if isinstance(text, str) else text

    def compose(self) -> ComposeResult:
        """One scrolling page."""
        with VerticalScroll(classes="page") as page:
            page.border_title = Content(self._title)
            page.border_subtitle = "↑ ↓ scroll · esc back"
            yield Static(self._text)
