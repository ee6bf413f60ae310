"""Cells of styled text: the canvas that charts draw on and the rows of spans that a widget shows."""

import copy
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

Markers = Literal["braille", "block", "ascii"]  # 2×4 dots, 2×2 quadrants, 1×1 character a cell
Pattern = Literal["solid", "long", "dash", "dot", "thick"]


@dataclass(frozen=True, slots=True)
class Span:
    """Text in one style. The style is a meaning ("train", "axis", "problem"); the widget gives it a colour."""

    text: str
    style: str


Row = tuple[Span, ...]  # the cells of a row add up to the drawing's width exactly


@dataclass(frozen=True, slots=True)
class Drawing:
    """A finished picture and what it could not show: "3 nan", "2 ≤ 0", "5 off scale"."""

    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()

    def text(self) -> str:
        """The picture without colours, one line a row."""
        return "\n".join("".join(span.text for span in row) for row in self.rows)


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The characters around a picture, once for terminals with Unicode and once for those without."""

    tick: str = "┤"
    wall: str = "│"
    corner: str = "└"
    floor: str = "─"
    cursor: str = "│"
    mark: str = "┊"
    arrow: str = "▲"
    cross: str = "×"
    at_most: str = "≤"
    shades: str = "░▒▓█"
    heat: str = " ░▒▓█"
    around: str = "#=-· ░▒▓█"
    here: str = "╋"
    pointer: str = "▸"
    dash: str = "╌"
    eighths: str = " ▁▂▃▄▅▆▇█"


UNICODE = Glyphs()
ASCII = Glyphs("+", "|", "+", "-", "|", ":", "^", "x", "<=", ".-=#", " .:*#", "@%=- .:*#", "+", ">", "-", " ...#####")


ASCII_SIGNS = str.maketrans("◌●‖■✓✗·→←↑↓▸█░β₁₂²×÷±≥≤−–⟨⟩…", "o*=#+x|><^v>#.b122x/~><--<>~")
"""What stands for our signs where only ASCII is shown."""


def glyphs_for(markers: Markers) -> Glyphs:
    """The characters that go with these markers."""
    return ASCII if markers == "ascii" else UNICODE


def one_cell_each(text: str, *, ascii_only: bool = False) -> str:
    """`text` with "?" for every character that would not take exactly one cell (or is not ASCII)."""
    if text.isascii() and text.isprintable():
        return text
    if ascii_only:
        text = text.translate(ASCII_SIGNS).encode("ascii", "replace").decode("ascii")
    return "".join(char if _takes_one_cell(char) else "?" for char in text)


def _takes_one_cell(char: str) -> bool:
    return unicodedata.east_asian_width(char) not in "WF" and unicodedata.category(char)[0] not in "CM"


class Canvas:
    """A grid of characters, each with a style; whatever is written outside is cut off."""

    def __init__(self, width: int, height: int, *, ascii_only: bool = False) -> None:
        self.width, self.height, self.ascii_only = width, height, ascii_only
        self.codes: NDArray[np.uint32] = np.full((height, width), ord(" "), dtype="<u4")
        self.styles: NDArray[np.int16] = np.zeros((height, width), dtype=np.int16)
        self._names = {"": 0}

    def copy(self) -> Self:
        """Another canvas with the same cells, to draw on."""
        other = copy.copy(self)
        other.codes, other.styles, other._names = self.codes.copy(), self.styles.copy(), dict(self._names)
        return other

    def style(self, name: str) -> int:
        """The number that stands for a style in `styles`."""
        return self._names.setdefault(name, len(self._names))

    def write(self, row: int, column: int, text: str, style: str) -> None:
        """Put text at a cell."""
        if not 0 <= row < self.height:
            return
        text = one_cell_each(text, ascii_only=self.ascii_only)[max(-column, 0) : max(self.width - column, 0)]
        place = slice(max(column, 0), max(column, 0) + len(text))
        self.codes[row, place] = [ord(char) for char in text]
        self.styles[row, place] = self.style(style)

    def rows(self) -> tuple[Row, ...]:
        """The grid as rows, neighbouring cells of one style joined into one span."""
        text = self.codes.tobytes().decode("utf-32-le")
        styles = self.styles.ravel()
        starts = np.empty(styles.size, dtype=bool)
        np.not_equal(styles[1:], styles[:-1], out=starts[1:])
        starts[:: self.width] = True
        begins = np.flatnonzero(starts)
        names = list(self._names)
        rows: list[list[Span]] = [[] for _ in range(self.height)]
        for (begin, end), style in zip(pairwise([*begins.tolist(), styles.size]), styles[begins].tolist(), strict=True):
            rows[begin // self.width].append(Span(text[begin:end], names[style]))
        return tuple(map(tuple, rows))


def row_of(spans: Sequence[Span], width: int, *, ascii_only: bool = False) -> Row:
    """Spans as one row: cut at `width`, filled up with blanks; no escape code or wide character gets through."""
    row: list[Span] = []
    for span in spans:
        text = one_cell_each(span.text[:width], ascii_only=ascii_only)
        width -= len(text)
        if text:
            row.append(Span(text, span.style))
    return (*row, Span(" " * width, "")) if width else tuple(row)
