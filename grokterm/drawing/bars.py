"""Bars: one moment of a spectrum, or of any row of magnitudes."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from grokterm.drawing.axes import Frame, Limits, draw_sentence, draw_x_axis, draw_y_axis, log_limits, make_frame
from grokterm.drawing.cells import Drawing, Markers
from grokterm.drawing.ticks import across, fraction, upward

Floats = NDArray[np.float64]


def draw_bars(
    values: Floats,
    *,
    width: int,
    height: int,
    style: str,
    highlighted: Mapping[int, str] | None = None,
    first: int = 1,
    log_y: bool = False,
    baseline: float | None = None,
    cursor: int | None = None,
    markers: Markers = "braille",
) -> Drawing:
    """One bar a value, from 0 up; bars that do not fit side by side share a column, which shows the highest.

    The bars are numbered from `first`; `highlighted` maps such numbers to labels, written below the axis in style
    "STYLE.key" like their bars; an arrow points at the number `cursor`. A value that is no height is marked × and
    counted. `log_y`: heights are logarithms, and the axis begins below the lowest. `baseline`: a value that the others
    are to be compared with, a dashed line behind the bars.
    """
    highlighted = highlighted or {}
    values = np.asarray(values, dtype=np.float64)
    sound = np.isfinite(values) & ((values > 0) if log_y else (values >= 0))
    limits = _heights(values[sound], baseline, log_y=log_y)
    labels, frame = _bar_frame(limits, width, height, markers, keys=bool(highlighted))
    if not len(values):
        draw_sentence(frame, "no data yet")
        draw_y_axis(frame, ())
        draw_x_axis(frame, (), {})
        return Drawing(frame.canvas.rows())
    place, starts, bar = share_cells(len(values), frame.columns)
    parts = np.maximum.reduceat(_parts(values, sound, limits), starts)
    keys = np.zeros(len(starts), dtype=bool)
    keys[[place[number - first] for number in highlighted if 0 <= number - first < len(values)]] = True
    _paint_bars(frame, parts, keys, bar, style)
    broken = np.unique(place[~sound])
    for column in broken:
        row = 0 if (~np.isfinite(values) & (place == column)).any() else frame.rows - 1
        frame.canvas.write(row, frame.left + int(column) * bar, frame.glyphs.cross, "problem")
    _draw_baseline(frame, limits, baseline)
    draw_y_axis(frame, labels)
    numbers = _number_labels(first, len(values), place * bar, bar * len(starts))
    arrows = {}
    if cursor is not None and 0 <= cursor - first < len(values):
        arrows = {int(place[cursor - first]) * bar + (bar - 1) // 2: "cursor"}
    draw_x_axis(frame, numbers, arrows)
    shown = [(int(place[n - first]) * bar, highlighted[n]) for n in sorted(highlighted) if 0 <= n - first < len(values)]
    name_keys(frame, shown, bar, f"{style}.key")
    return Drawing(frame.canvas.rows(), _bar_notes(values, frame, log_y=log_y))


def _heights(values: Floats, baseline: float | None, *, log_y: bool) -> Limits:
    """The range of the y axis for sound values and a baseline."""
    known = [*values.tolist(), *([] if baseline is None else [baseline])]
    if not log_y:
        return Limits(0.0, max([height for height in known if math.isfinite(height)], default=0.0) or 1.0)
    logs = [math.log10(height) for height in known if math.isfinite(height) and height > 0]
    return Limits(*log_limits(min(logs, default=0.0), max(logs, default=0.0)), log=True)


def _parts(values: Floats, sound: NDArray[np.bool_], limits: Limits) -> Floats:
    """How much of the axis each bar covers, 0 … 1; 0 for what is no height."""
    if not limits.log:
        return np.where(sound, values, 0.0) / limits.high
    logs = np.log10(np.where(sound, values, 1.0))
    least = 1e-9  # what is there shows
    return np.where(sound, np.clip((logs - limits.low) / (limits.high - limits.low), least, 1.0), 0.0)


def _draw_baseline(frame: Frame, limits: Limits, baseline: float | None) -> None:
    """The dashed line of a baseline, in the cells that no bar has."""
    if baseline is None or not math.isfinite(baseline) or (limits.log and baseline <= 0):
        return
    part = fraction(math.log10(baseline) if limits.log else baseline, limits.low, limits.high)
    row = min(max(round((1 - part) * (frame.rows * 8 - 1)) // 8, 0), frame.rows - 1)
    cells = frame.left + np.flatnonzero(frame.canvas.codes[row, frame.left :] == ord(" "))
    frame.canvas.codes[row, cells] = ord(frame.glyphs.dash)
    frame.canvas.styles[row, cells] = frame.canvas.style("mark")


def _bar_frame(
    limits: Limits, width: int, height: int, markers: Markers, *, keys: bool
) -> tuple[list[tuple[int, str]], Frame]:
    """The labels of the y axis and the canvas, with a row for the keys' names; the gutter is as narrow as it can be."""
    frame = make_frame(width, height, 0, markers, ribbon=keys)
    labels = upward(limits.low, limits.high, frame.rows, log=limits.log, dots=8)
    gutter = max((len(text) for _, text in labels), default=1)
    return labels, make_frame(width, height, gutter, markers, ribbon=keys)


def share_cells(count: int, columns: int) -> tuple[NDArray[np.intp], NDArray[np.intp], int]:
    """For every value its bar, for every bar its first value, and the width of a bar in cells."""
    bars = min(count, columns)
    starts = np.arange(bars, dtype=np.intp) * count // bars
    return np.searchsorted(starts, np.arange(count), side="right") - 1, starts, columns // bars


def bar_levels(parts: Floats, rows: int) -> NDArray[np.intp]:
    """How many eighths of each cell bars of these parts of the height fill, (rows, bars); what is there shows."""
    eighths = np.where(parts > 0, np.maximum(np.rint(parts * rows * 8), 1), 0)
    above = 8 * np.arange(rows - 1, -1, -1)[:, np.newaxis]
    return np.clip(eighths - above, 0, 8).astype(np.intp)


def _paint_bars(frame: Frame, parts: Floats, keys: NDArray[np.bool_], bar: int, style: str) -> None:
    levels = bar_levels(parts, frame.rows)
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


def name_keys(frame: Frame, keys: Sequence[tuple[int, str]], bar: int, style: str) -> None:
    """The keys' labels below the axis, each under its bar; neighbours that would touch share the middle: 33 34."""
    if frame.ribbon_row is None:
        return
    apart = "  " if any(" " in label for _, label in keys) else " "
    groups: list[tuple[float, list[str]]] = []  # centre, labels
    for column, label in keys:
        centre = column + (bar - 1) / 2
        if groups and centre - len(label) / 2 < groups[-1][0] + len(apart.join(groups[-1][1])) / 2 + len(apart):
            before, names = groups[-1]
            groups[-1] = ((before * len(names) + centre) / (len(names) + 1), [*names, label])
        else:
            groups.append((centre, [label]))
    end = 0
    for centre, names in groups:
        text = apart.join(names)
        start = max(min(round(centre - (len(text) - 1) / 2), frame.columns - len(text)), end)
        if start + len(text) <= frame.columns:
            frame.canvas.write(frame.ribbon_row, frame.left + start, text, style)
            end = start + len(text) + len(apart)


def _bar_notes(values: Floats, frame: Frame, *, log_y: bool) -> tuple[str, ...]:
    finite = np.isfinite(values)
    counts = {
        "nan": np.isnan(values).sum(),
        "inf": np.isposinf(values).sum(),
        "-inf": np.isneginf(values).sum(),
        f"{frame.glyphs.at_most} 0" if log_y else "< 0": (finite & ((values <= 0) if log_y else (values < 0))).sum(),
    }
    return tuple(f"{count:,} {what}" for what, count in counts.items() if count)
