"""The Textual application around one screen that shows runs: colours, palette, leaving."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen

from grokterm.catalog import Catalog
from grokterm.drawing.cells import Markers
from grokterm.drawing.colours import Palette
from grokterm.errors import UsageError
from grokterm.tui.panel import Panel
from grokterm.tui.screens.keyed import KeyedScreen
from grokterm.tui.screens.panels import PanelsScreen
from grokterm.tui.terminal import heed_no_color

STYLES = Path(__file__).with_name("grokterm.tcss")


class GroktermApp(App[None]):
    """Shows `watch_screen` until the person leaves. A subclass makes that screen, after `super().__init__()`."""

    CSS_PATH = STYLES
    TITLE = "grokterm"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+q", "leave", "quit", show=False, priority=True)]

    watch_screen: PanelsScreen

    def __init__(self) -> None:
        heed_no_color()
        super().__init__(ansi_color=True)
        self.palette = Palette(colours=colours_of(self))

    def on_mount(self) -> None:
        """Show the screen."""
        self.push_screen(self.watch_screen)

    def action_leave(self) -> None:
        """Textual's own key for quitting asks like ours."""
        if self.screen is self.watch_screen:
            self.watch_screen.action_leave()

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """What the palette offers: every key's action by name, and the markers."""
        shown: KeyedScreen[Any] = screen if isinstance(screen, KeyedScreen) else self.watch_screen
        for group, keys in shown.groups:
            for key in keys:
                if key.action in ("pick", "app.command_palette"):
                    continue
                action = key.action
                yield SystemCommand(
                    key.does[:1].upper() + key.does[1:],
                    f"{group or 'Program'} · key {key.shown}",
                    lambda action=action: self.run_worker(shown.run_action(action)),
                )
        markers: tuple[Markers, ...] = ("braille", "block", "ascii")
        for kind in markers:
            yield SystemCommand(
                f"Draw with {kind} markers",
                "View",
                lambda kind=kind: shown.draw_with(kind),
            )


def load_panels(catalog: Catalog) -> dict[int, Panel]:
    """Every panel by its digit. Raises UsageError when two have the same one."""
    panels: list[Panel] = [catalog.load("panels", name)() for name in catalog.names("panels")]
    digits = Counter(panel.digit for panel in panels)
    for panel in panels:
        if digits[panel.digit] > 1:
            free = next(digit for digit in range(1, 100) if digit not in digits)
            raise UsageError(f"two panels have the digit {panel.digit}, one of them {panel.name!r}; {free} is free")
    return {panel.digit: panel for panel in panels}


def colours_of(app: App[Any]) -> int:
    """How many colours this terminal shows: 0, 16, 256 or all of them."""
    if app.no_color:
        return 0
    return {"standard": 16, "256": 256, "truecolor": 1 << 24, "windows": 16}.get(app.console.color_system or "", 16)
