"""What every screen around a run has in common: keys in groups, their help and hints, and notices in the last line."""

import time
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, TypeVar

from textual.screen import Screen

from grokterm.drawing.cells import Markers
from grokterm.drawing.colours import Palette
from grokterm.tui import status
from grokterm.tui.keys import Groups, Hints
from grokterm.tui.rows import RowsView
from grokterm.tui.screens.help import HelpScreen

NOTICE_SECONDS = 4.0

Result = TypeVar("Result")
"""What the screen hands back to whoever opened it."""


class KeyedScreen(Screen[Result]):
    """`groups` are the keys that help and palette list; a subclass binds them, and has a RowsView `#hints`."""

    groups: Groups = ()
    about: ClassVar[str] = ""

    def __init__(self, palette: Palette) -> None:
        super().__init__()
        self._palette = palette
        self._notice_until = 0.0

    @property
    @abstractmethod
    def markers(self) -> Markers:
        """What is drawn with."""
        ...

    @abstractmethod
    def draw_with(self, markers: Markers) -> None:
        """Draw with other markers from now on."""
        ...

    @property
    def is_hidden(self) -> bool:
        """Whether another screen covers this one: a dialog lets it be seen."""
        return not all(above.is_modal for above in self._above())

    def _above(self) -> Sequence[Screen[Any]]:
        """The screens that lie on this one."""
        stack = self.app.screen_stack
        return stack[stack.index(self) + 1 :] if self in stack else ()

    @property
    def hint_keys(self) -> Hints:
        """Keys for the last line, the most useful first."""
        return ()

    def draw_hints(self) -> None:
        """Draw the key hints, unless a notice stands in their place."""
        if not self._notice_until:
            row = status.hints(self.hint_keys, self.app.size.width, self.markers)
            self.query_one("#hints", RowsView).show((row,))

    def say(self, text: str, *, problem: bool = False) -> None:
        """Show a sentence in the place of the key hints for a few seconds; on the screen that covers this one."""
        covers = [screen for screen in self._above() if isinstance(screen, KeyedScreen)]
        if covers:
            covers[-1].say(text, problem=problem)
            return
        self._notice_until = time.monotonic() + NOTICE_SECONDS
        style = "problem" if problem else "pending"
        row = status.notice(text, style, self.app.size.width, self.markers)
        self.query_one("#hints", RowsView).show((row,))

    def say_nothing(self) -> None:
        """Put the key hints back: what was said is over."""
        self._notice_until = 0.0
        self.draw_hints()

    def end_notice(self, now: float) -> None:
        """Put the key hints back when a notice has stood long enough; `now` is time.monotonic."""
        if self._notice_until and now > self._notice_until:
            self.say_nothing()

    def action_help(self) -> None:
        """Every key."""
        self.app.push_screen(HelpScreen(self.groups, self.about))
