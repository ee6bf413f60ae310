"""Bars: one moment of a spectrum, or of any row of magnitudes."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from grokterm.drawing.axes import Frame, draw_sentence, draw_x_axis, draw_y_axis, make_frame
from grokterm.drawing.cells import Drawing, Markers
from grokterm.drawing.ticks import across, upward

Floats = NDArray[np.float64]


def draw_bars(
    values: Floats,
    *,
    width: int,
    height: int,
    style: str,
    highlighted: Mapping[int, str] | None = None,
    first: int = 1,
    markers: Markers = "braille",
) -> Drawing:
    """One bar a value, from 0 up; bars that do not fit side by side share a column, which shows the highest.

    The bars are numbered from `first`; `highlighted` maps such numbers to labels, written below the axis in style
    "STYLE.key" like their bars. A value that is no height is marked × and counted.
    """
    highlighted = highlighted or {}
    values = np.asarray(values, dtype=np.float64)
    sound = np.isfinite(values) & (values >= 0)
    heights = np.where(sound, values, 0.0)
    largest = float(heights.max(initial=0.0)) or 1.0
    labels, frame = _bar_frame(largest, width, height, markers, keys=bool(highlighted))
    if not len(values):
        draw_sentence(frame, "no data yet")
        draw_y_axis(frame, ())
        draw_x_axis(frame, (), {})
        return Drawing(frame.canvas.rows())
    place, starts, bar = share_cells(len(values), frame.columns)
    parts = np.maximum.reduceat(heights, starts) / largest
    keys = np.zeros(len(starts), dtype=bool)
    keys[[place[number - first] for number in highlighted if 0 <= number - first < len(values)]] = True
    _paint_bars(frame, parts, keys, bar, style)
    broken = np.unique(place[~sound])
    for column in broken:
        row = 0 if (~np.isfinite(values) & (place == column)).any() else frame.rows - 1
        frame.canvas.write(row, frame.left + int(column) * bar, frame.glyphs.cross, "problem")
    draw_y_axis(frame, labels)
    numbers = _number_labels(first, len(values), place * bar, bar * len(starts))
    draw_x_axis(frame, numbers, {})
    shown = [(int(place[n - first]) * bar, highlighted[n]) for n in sorted(highlighted) if 0 <= n - first < len(values)]
    _name_keys(frame, shown, bar, f"{style}.key")
    return Drawing(frame.canvas.rows(), _bar_notes(values))


def _bar_frame(
    largest: float, width: int, height: int, markers: Markers, *, keys: bool
) -> tuple[list[tuple[int, str]], Frame]:
    """The labels of the y axis and the canvas, with a row for the keys' names; the gutter is as narrow as it can be."""
    frame = make_frame(width, height, 0, markers, ribbon=keys)
    labels = upward(0.0, largest, frame.rows, dots=8)
    gutter = max((len(text) for _, text in labels), default=1)
    return labels, make_frame(width, height, gutter, markers, ribbon=keys)


def share_cells(count: int, columns: int) -> tuple[NDArray[np.intp], NDArray[np.intp], int]:
    """For every value its bar, for every bar its first value, and the width of a bar in cells."""
    bars = min(count, columns)
    starts = np.arange(bars, dtype=np.intp) * count // bars
    return np.searchsorted(starts, np.arange(count), side="right") - 1, starts, columns // bars


def _paint_bars(frame: Frame, parts: Floats, keys: NDArray[np.bool_], bar: int, style: str) -> None:
    eighths = np.rint(parts * frame.rows * 8)
    eighths = np.where(parts > 0, np.maximum(eighths, 1), 0)  # what is there shows
    above = 8 * np.arange(frame.rows - 1, -1, -1)[:, np.newaxis]
    levels = np.clip(eighths - above, 0, 8).astype(np.intp)  # (rows, bars)
    glyphs = np.array([ord(char) for char in frame.glyphs.eighths], dtype=np.uint32)
    styles = np.where(keys, frame.canvas.style(f"{style}.key"), frame.canvas.style(style))
    filled = bar - 1 if bar >= 3 else bar
    for offset in range(filled):
        cells = slice(frame.left + offset, frame.left + len(parts) * bar, bar)
        frame.canvas.codes[: frame.rows, cells] = glyphs[levels]
        frame.canvas.styles[: frame.rows, cells] = np.where(levels > 0, styles, 0)


def _number_labels(first: int, count: int, starts: NDArray[np.intp], columns: int) -> list[tuple[int, str]]:
    """Round numbers below their bars, and the first bar's number where there is room."""
    by_number = {first + index: int(column) for index, column in enumerate(starts)}
    labels = [
        (by_number[int(text)], text)
        for _, text in across(first, first + count, columns)
        if text.isdecimal() and int(text) in by_number
    ]
    labels = [(column, text) for column, text in labels if column + len(text) <= columns]
    start = str(first)
    return labels if labels and labels[0][0] < len(start) + 2 else [(0, start), *labels]


def _name_keys(frame: Frame, keys: Sequence[tuple[int, str]], bar: int, style: str) -> None:
    """The keys' labels below the axis, each under its bar; neighbours that would touch are joined: 33,34."""
    if frame.ribbon_row is None:
        return
    groups: list[tuple[float, list[str]]] = []  # centre, labels
    for column, label in keys:
        centre = column + (bar - 1) / 2
        if groups and centre - len(label) / 2 < groups[-1][0] + len(",".join(groups[-1][1])) / 2 + 0.5:
            before, names = groups[-1]
            groups[-1] = ((before * len(names) + centre) / (len(names) + 1), [*names, label])
        else:
            groups.append((centre, [label]))
    end = 0
    for centre, names in groups:
        text = ",".join(names)
        start = max(min(round(centre - (len(text) - 1) / 2), frame.columns - len(text)), end)
        if start + len(text) <= frame.columns:
            frame.canvas.write(frame.ribbon_row, frame.left + start, text, style)
            end = start + len(text) + 1


def _bar_notes(values: Floats) -> tuple[str, ...]:
    counts = {
        "nan": np.isnan(values).sum(),
        "inf": np.isposinf(values).sum(),
        "-inf": np.isneginf(values).sum(),
        "< 0": (np.isfinite(values) & (values < 0)).sum(),
    }
    return tuple(f"{count:,} {what}" for what, count in counts.items() if count)
