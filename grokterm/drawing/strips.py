"""Spectra below one another, one strip each: shades in a single line, bars where there is more room. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grokterm.drawing.bars import share_cells
from grokterm.drawing.cells import Canvas, Drawing, Markers, glyphs_for
from grokterm.drawing.ticks import across

BARS_FROM = 2
"""Rows of a strip from which heights are drawn instead of shades."""
MOST_ROWS = 6
SHADES = 5


@dataclass(frozen=True, eq=False, slots=True)
class Strip:
    """One spectrum: its label, the style of that, one magnitude a frequency from 1 on, the frequencies to point out."""

    label: str
    style: str
    values: NDArray[np.float64]
    keys: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False, slots=True)
class _Place:
    """Where frequencies stand: cells left of them, the bar of each, the first frequency of each bar, cells a bar."""

    left: int
    bars: NDArray[np.intp]
    starts: NDArray[np.intp]
    bar: int


def draw_strips(strips: Sequence[Strip], width: int, height: int, markers: Markers = "braille") -> Drawing:
    """Draw strips in exactly `height` rows of `width` cells, all over the same axis of frequencies.

    A strip is drawn relative to its own largest value. Key frequencies stand out, and are named below their strip where
    there is a line for that. Strips that do not fit are counted in the notes, like values that are not finite.
    """
    canvas = Canvas(width, height, ascii_only=markers == "ascii")
    count = max((len(strip.values) for strip in strips), default=0)
    if not count or height < 2:
        canvas.write((height - 1) // 2, max((width - 11) // 2, 0), "no data yet", "quiet")
        return Drawing(canvas.rows())
    left = max(len(strip.label) for strip in strips) + 1
    place = _Place(left, *share_cells(count, max(width - left, 1)))
    shown = strips[: height - 1]
    each = min((height - 1) // len(shown), MOST_ROWS)
    rows = each - (each > 1)
    for index, strip in enumerate(shown):
        canvas.write(index * each, 0, strip.label, strip.style)
        _paint(canvas, strip, place, index * each, rows, markers)
        if each > rows:
            _name_keys(canvas, strip, place, index * each + rows)
    _axis(canvas, place, each * len(shown), markers)
    broken = sum(int(np.count_nonzero(~np.isfinite(strip.values))) for strip in shown)
    hidden = len(strips) - len(shown)
    notes = [f"{broken:,} not finite"] if broken else []
    notes += [f"{hidden} more in a taller panel"] if hidden else []
    return Drawing(canvas.rows(), tuple(notes))


def _paint(canvas: Canvas, strip: Strip, place: _Place, row: int, rows: int, markers: Markers) -> None:
    """Fill a strip's cells; bars that share a cell show the highest."""
    values = np.zeros(len(place.bars))
    values[: len(strip.values)] = np.where(np.isfinite(strip.values), np.abs(strip.values), 0.0)
    starts, bar, left = place.starts, place.bar, place.left
    parts = np.maximum.reduceat(values, starts)
    parts = parts / (float(parts.max(initial=0.0)) or 1.0)
    keys = np.zeros(len(starts), dtype=bool)
    keys[[place.bars[k - 1] for k in strip.keys if 1 <= k <= len(values)]] = True
    glyphs = glyphs_for(markers)
    if rows >= BARS_FROM:
        eighths = np.where(parts > 0, np.maximum(np.rint(parts * rows * 8), 1), 0)
        levels = np.clip(eighths - 8 * np.arange(rows - 1, -1, -1)[:, np.newaxis], 0, 8).astype(np.intp)
        signs, names = glyphs.eighths, ["bar"] * len(glyphs.eighths)
    else:
        levels = np.minimum((parts * SHADES).astype(np.intp), SHADES - 1)[np.newaxis]
        signs, names = glyphs.heat, [f"heat{level}" for level in range(SHADES)]
    codes = np.array([ord(sign) for sign in signs], dtype=np.uint32)
    styles = np.array([canvas.style(name) for name in names], dtype=np.int16)
    drawn = np.where(keys, np.int16(canvas.style("bar.key")), styles[levels])
    for offset in range(bar - 1 if bar >= 3 else bar):
        cells = np.s_[row : row + rows, left + offset : left + len(starts) * bar : bar]
        canvas.codes[cells] = codes[levels]
        canvas.styles[cells] = drawn


def _name_keys(canvas: Canvas, strip: Strip, place: _Place, row: int) -> None:
    """The key frequencies below their bars, as many as fit without touching."""
    end = 0
    for k in strip.keys:
        if not 1 <= k <= len(place.bars):
            continue
        text = str(k)
        start = max(int(place.bars[k - 1]) * place.bar + (place.bar - len(text)) // 2, end)
        if place.left + start + len(text) <= canvas.width:
            canvas.write(row, place.left + start, text, "bar.key")
            end = start + len(text) + 1


def _axis(canvas: Canvas, place: _Place, row: int, markers: Markers) -> None:
    """The frequencies below all strips."""
    glyphs, count = glyphs_for(markers), len(place.bars)
    columns = canvas.width - place.left
    canvas.write(row, place.left - 1, glyphs.corner + glyphs.floor * columns, "axis")
    end = 0
    for _, text in [(0, "1"), *across(1, 1 + count, columns)]:
        number = int(text) if text.isdecimal() else 0
        start = int(place.bars[number - 1]) * place.bar if 1 <= number <= count else -1
        if start >= end and start + len(text) <= columns:
            canvas.write(row, place.left + start, text, "axis")
            end = start + len(text) + 2
