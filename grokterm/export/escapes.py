"""Rows of cells as escape codes: what a terminal must be told to show a picture where it shows another one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from rich.color import ColorSystem
from rich.style import Style

from grokterm.drawing.cells import Row, one_cell_each
from grokterm.drawing.colours import Palette
from grokterm.export.whole_screen import CHOSEN_FRAME, FRAME

Colours = Literal["none", "16", "256", "all"]
_DEPTHS: dict[Colours, tuple[int, ColorSystem]] = {
    "none": (0, ColorSystem.STANDARD),
    "16": (16, ColorSystem.STANDARD),
    "256": (256, ColorSystem.EIGHT_BIT),
    "all": (1 << 24, ColorSystem.TRUECOLOR),
}
_FRAMES = {FRAME: "bright_black", CHOSEN_FRAME: "cyan"}
"""As the stylesheet of the screen has them."""
NEAR = 6
"""Unchanged cells between two changed ones that are written again: a jump over them would take more characters."""

BEGIN = "\x1b[0m\x1b[2J\x1b[?25l"
"""Plain, cleared, without a cursor: how a terminal must be before the first picture."""

Cell = tuple[str, str]  # a character, the name of its style


def end(height: int) -> str:
    """Codes that leave a picture standing: plain, the cursor shown, at the beginning of the last line."""
    return f"\x1b[0m\x1b[{height};1H\x1b[?25h"


@dataclass(frozen=True)
class _Look:
    """A style as a terminal is told it: what switches it on, and what of it stays on until it is switched off."""

    code: str
    colour: bool
    attributes: frozenset[str]


class Painter:
    """A terminal of width × height cells as it is told what to show. Pictures come one after the other."""

    def __init__(self, width: int, height: int, colours: Colours = "256") -> None:
        number, self._depth = _DEPTHS[colours]
        self._palette, self._coloured = Palette(colours=number), number > 0
        self._shown: list[list[Cell]] = [[(" ", "")] * width for _ in range(height)]
        self._rows: list[Row | None] = [None] * height
        self._looks: dict[str, _Look] = {}
        self._look = _Look("", False, frozenset())

    def paint(self, rows: Sequence[Row]) -> str:
        """Return what turns the picture before into this one; only cells that change are written.

        Whatever text a row holds, it takes one cell a character and no escape code of its own gets through.
        """
        written: list[str] = []
        for y, row in enumerate(rows[: len(self._shown)]):
            if row == self._rows[y]:
                continue
            self._rows[y] = row
            old = self._shown[y]
            new = _cells(row, len(old))
            at = -1
            for start, stop in _changed(old, new):
                written.append(f"\x1b[{y + 1};{start + 1}H" if at < 0 else f"\x1b[{start - at}C")
                written += self._text(new[start:stop])
                at = stop
            self._shown[y] = new
        return "".join(written)

    def _text(self, cells: Sequence[Cell]) -> Iterator[str]:
        for char, style in cells:
            if style not in self._looks:
                self._looks[style] = self._look_of(style)
            look = self._looks[style]
            if look != self._look:
                yield _switch(self._look, look)
                self._look = look
            yield char

    def _look_of(self, name: str) -> _Look:
        frame = _FRAMES.get(name)
        style = Style(color=frame if self._coloured else None) if frame else self._palette.style(name)
        code = style.render("\0", color_system=self._depth).partition("\0")[0].removeprefix("\x1b[").removesuffix("m")
        return _Look(code, style.color is not None, frozenset("b" * bool(style.bold) + "d" * bool(style.dim)))


def _switch(before: _Look, after: _Look) -> str:
    """The code that goes from one look to another."""
    keeps = before.attributes <= after.attributes and (after.colour or not before.colour)
    return f"\x1b[{after.code}m" if keeps else f"\x1b[0{';' * bool(after.code)}{after.code}m"


def _cells(row: Row, width: int) -> list[Cell]:
    cells = [(char, span.style) for span in row for char in one_cell_each(span.text)]
    return [*cells[:width], *[(" ", "")] * (width - len(cells))]


def _changed(old: Sequence[Cell], new: Sequence[Cell]) -> Iterator[tuple[int, int]]:
    """The stretches to write, those that lie near each other joined."""
    changed = [x for x, (before, after) in enumerate(zip(old, new, strict=True)) if before != after]
    if not changed:
        return
    start = last = changed[0]
    for x in changed[1:]:
        if x - last > NEAR:
            yield start, last + 1
            start = x
        last = x
    yield start, last + 1
