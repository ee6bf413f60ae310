"""What the names of styles look like: Okabe–Ito colours, which colour-blind people tell apart, on any terminal.

On 16 colours the nearest of the terminal's own are named one by one: rounding would make two of them the same.
Without colour (NO_COLOR) patterns, markers and shades carry the difference; bold and dim remain.
"""

import re

from rich.style import Style

from grokterm.drawing.colour_map import Kind, colours, colours_of_256, is_light

_DEEP = {
    "train": "#56b4e9",
    "test": "#e69f00",
    "restricted": "#009e73",
    "excluded": "#cc79a7",
    "norm": "#a0a0a0",
    "fifth": "#f0e442",
    "sixth": "#0072b2",
    "bar": "#5f7f95",
    "bar.key": "#e69f00",
    "axis": "#808080",
    "quiet": "#808080",
    "cursor": "#d0d0d0",
    "mark": "#f0e442",
    "here": "#f0e442",
    "edit": "#f0e442",
    "pending": "#f0e442",
    "problem": "#d55e00",
    "good": "#009e73",
    "phase": "#56b4e9",
    "phase0": "#6c7a89",
    "phase1": "#56b4e9",
    "phase2": "#cc79a7",
    "phase3": "#009e73",
    "heat0": "#303030",
    "heat1": "#35556b",
    "heat2": "#3f86b0",
    "heat3": "#8fc7e8",
    "heat4": "#f0f6fa",
    "heat.key": "#e69f00",
    "below": "#56b4e9",
    "above": "#e69f00",
}
_SIXTEEN = {
    "train": "bright_cyan",
    "test": "yellow",
    "restricted": "green",
    "excluded": "bright_magenta",
    "norm": "white",
    "fifth": "bright_yellow",
    "sixth": "bright_blue",
    "bar": "cyan",
    "bar.key": "yellow",
    "axis": "bright_black",
    "quiet": "bright_black",
    "cursor": "bright_white",
    "mark": "bright_yellow",
    "here": "bright_yellow",
    "edit": "bright_yellow",
    "pending": "bright_yellow",
    "problem": "bright_red",
    "good": "green",
    "phase": "bright_cyan",
    "phase0": "bright_black",
    "phase1": "bright_cyan",
    "phase2": "bright_magenta",
    "phase3": "green",
    "heat0": "bright_black",
    "heat1": "blue",
    "heat2": "cyan",
    "heat3": "bright_cyan",
    "heat4": "bright_white",
    "heat.key": "yellow",
    "below": "bright_cyan",
    "above": "yellow",
}
_BOLD = {"problem", "pending", "here", "strong", "bar.key", "key"}
_DIM = {"axis", "quiet"}
_LEVELS = re.compile(r"(map|around)(\d+)(?:\.(\d+|here))?")
"""A level of a colour map; two, of foreground and background; or one under a sign that must be read."""


class Palette:
    """Names of styles → rich styles, for one kind of terminal."""

    def __init__(self, *, colours: int) -> None:
        """`colours`: 0 without any, 16, 256, or more for true colour."""
        self.colours = colours
        self._table = _DEEP if colours > 16 else _SIXTEEN
        self._coloured = colours > 0
        self._deep = colours > 256
        self._made: dict[str, Style] = {}

    def style(self, name: str) -> Style:
        """The style of a name; unknown names are plain text. "NAME.faint" is the same, dimmed.

        "map12.45": foreground and background of levels 12 and 45 of a colour map; "map12": foreground alone;
        "map12.here": background, with a foreground that is read on it.
        """
        if name not in self._made:
            levels = _LEVELS.fullmatch(name)
            self._made[name] = self._named(name) if levels is None else self._mapped(levels)
        return self._made[name]

    def _named(self, name: str) -> Style:
        plain = name.removesuffix(".faint")
        colour = self._table.get(plain) if self._coloured else None
        faint = plain != name or (plain in _DIM and not self._coloured)
        return Style(color=colour, bold=plain in _BOLD or None, dim=faint or None)

    def _mapped(self, levels: re.Match[str]) -> Style:
        if not self._coloured:
            return Style()
        kind: Kind = "map" if levels[1] == "map" else "around"
        table = colours(kind) if self._deep else colours_of_256(kind)
        first, second = int(levels[2]), levels[3]
        if second == "here":
            return Style(color="black" if is_light(kind, first) else "bright_white", bgcolor=table[first], bold=True)
        return Style(color=table[first], bgcolor=None if second is None else table[int(second)])
