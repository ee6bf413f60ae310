"""Small questions: a line of text, or one of a few answers."""

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.events import Key
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from grokterm.tui.screens.line import Line


class AskText(ModalScreen[str | None]):
    """One line of text; None when the person thinks better of it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,ctrl+c", "dismiss(None)", "cancel", priority=True)]

    def __init__(self, title: str, hint: str, *, may_be_empty: bool = False, typed: str = "") -> None:
        """`typed` stands in the line already."""
        super().__init__()
        self._typed = typed
        self._title = title
        self._hint = hint
        self._may_be_empty = may_be_empty

    def compose(self) -> ComposeResult:
        """A frame with an input line."""
        with Vertical(classes="box") as box:
            box.border_title = Content(self._title)
            box.border_subtitle = "enter · esc cancels"
            yield Line(self._typed, placeholder=self._hint, max_length=200, select_on_focus=False)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        text = event.value.strip()
        if text or self._may_be_empty:
            self.dismiss(text)


class AskChoice(ModalScreen[str | None]):
    """One of a few answers, each with its key; esc (or any answer named so) cancels with None."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,ctrl+c", "dismiss(None)", "cancel", priority=True)]

    def __init__(self, question: str, answers: Sequence[tuple[str, str]]) -> None:
        """`answers`: key and text of each; the first is also what enter chooses."""
        super().__init__()
        self._question = question
        self._answers = dict(answers)

    def compose(self) -> ComposeResult:
        """The question, and the answers below it."""
        with Vertical(classes="box") as box:
            box.border_title = Content(self._question)
            box.border_subtitle = "esc cancels"
            for key, answer in self._answers.items():
                yield Static(Content.assemble((f" {key} ", "bold reverse"), f"  {answer}"))

    def on_key(self, event: Key) -> None:
        """An answer's key chooses it."""
        key = next(iter(self._answers)) if event.key == "enter" else event.character or ""
        if key in self._answers:
            event.stop()
            self.dismiss(key)
