"""Histograms: how many values lie in each of equally wide bins, and a line where they are cut."""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from grokterm.drawing.axes import Frame, Limits, draw_sentence, draw_x_axis, draw_y_axis, make_frame
from grokterm.drawing.bars import bar_levels
from grokterm.drawing.cells import Drawing, Markers
from grokterm.drawing.ticks import across, fraction, upward

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
LEAST = 0.5
"""Where a logarithmic axis of counts begins."""


@dataclass(frozen=True, eq=False, slots=True)
class Bins:
    """Counts (bins,) of values in equally wide bins from `low` to `high`; the last bin has its upper edge too.

    lost: how many values were not finite, or outside.
    """

    counts: Counts
    low: float
    high: float
    lost: int = 0

    def edges(self, index: int) -> tuple[float, float]:
        """Where a bin begins and ends."""
        width = (self.high - self.low) / len(self.counts)
        return self.low + index * width, self.low + (index + 1) * width

    def merged(self, most: int) -> Self:
        """At most so many bins, each of a whole number of these; the last may reach past `high`."""
        each = -(-len(self.counts) // max(most, 1))
        if each <= 1:
            return self
        whole = -len(self.counts) % each
        counts = np.concatenate([self.counts, np.zeros(whole, np.int64)]).reshape(-1, each).sum(axis=1)
        return type(self)(counts, self.low, self.edges(len(self.counts) + whole - 1)[1], self.lost)


def count_in_bins(values: NDArray[np.floating], low: float, high: float, bins: int) -> Bins:
    """Count values in so many bins."""
    values = np.asarray(values, dtype=np.float64)
    inside = values[np.isfinite(values) & (values >= low) & (values <= high)]
    place = np.minimum(((inside - low) / ((high - low) or 1.0) * bins + 1e-9).astype(np.int64), bins - 1)
    return Bins(np.bincount(place, minlength=bins), low, high, len(values) - len(inside))


def draw_histogram(
    bins: Bins,
    *,
    width: int,
    height: int,
    style: str = "bar",
    cut: float | None = None,
    log_y: bool = False,
    cursor: int | None = None,
    markers: Markers = "braille",
) -> Drawing:
    """One block of columns a bin, as wide as the room allows; bins that do not fit are joined.

    Bins at or above `cut` are in style "STYLE.key", and a line stands at it. An arrow points at the bin `cursor`.
    `log_y`: heights are logarithms, from below 1, so that a single value shows. Lost values are counted in the notes.
    """
    frame, shown, limits = _arranged(bins, width, height, markers, log_y=log_y)
    columns = np.arange(len(shown.counts) + 1) * frame.columns // len(shown.counts)
    _paint(frame, shown, columns, limits, style, cut)
    if not bins.counts.any():
        draw_sentence(frame, "no data yet")
    over = Limits(shown.low, shown.high)
    at_cut = None if cut is None else over.column(cut, frame.columns)
    if at_cut is not None:
        rows = np.flatnonzero(frame.canvas.codes[: frame.rows, frame.left + at_cut] == ord(" "))
        frame.canvas.codes[rows, frame.left + at_cut] = ord(frame.glyphs.mark)
        frame.canvas.styles[rows, frame.left + at_cut] = frame.canvas.style("mark")
    pointed = None if cursor is None else over.column(sum(bins.edges(cursor)) / 2, frame.columns)
    draw_y_axis(frame, _count_labels(limits, frame.rows))
    numbers = across(shown.low, shown.high, frame.columns, whole=False)
    draw_x_axis(frame, numbers, {} if pointed is None else {pointed: "cursor"})
    return Drawing(frame.canvas.rows(), (f"{bins.lost:,} not finite",) if bins.lost else ())


def _arranged(bins: Bins, width: int, height: int, markers: Markers, *, log_y: bool) -> tuple[Frame, Bins, Limits]:
    """The frame with the narrowest gutter, the bins that it has room for, and the range of their counts."""
    frame, shown, limits = make_frame(width, height, 0, markers), bins, Limits(0.0, 1.0)
    for _ in range(2):  # joined bins are higher, and their labels may be longer
        shown = bins.merged(frame.columns)
        top = max(int(shown.counts.max(initial=0)), 1)
        limits = Limits(math.log10(LEAST), max(math.log10(top), 0.1), log=True) if log_y else Limits(0.0, float(top))
        gutter = max((len(text) for _, text in _count_labels(limits, frame.rows)), default=1)
        frame = make_frame(width, height, gutter, markers)
    return frame, bins.merged(frame.columns), limits


def _count_labels(limits: Limits, rows: int) -> list[tuple[int, str]]:
    if not limits.log:
        return upward(limits.low, limits.high, rows, dots=8)
    labels: list[tuple[int, str]] = []
    for power in range(math.floor(limits.high + 1e-9) + 1):
        row = round((1 - fraction(power, limits.low, limits.high)) * (rows * 8 - 1)) // 8
        if not labels or labels[-1][0] - row > 1:
            labels.append((row, f"{10**power:,}"))
    return labels


def _paint(frame: Frame, bins: Bins, columns: NDArray[np.intp], limits: Limits, style: str, cut: float | None) -> None:
    counts = bins.counts.astype(np.float64)
    parts = np.where(counts > 0, (np.log10(np.maximum(counts, LEAST)) - limits.low) / (limits.high - limits.low), 0.0)
    if not limits.log:
        parts = counts / limits.high
    wide = np.diff(columns)
    bar = np.repeat(np.arange(len(wide)), wide)
    levels = bar_levels(parts, frame.rows)[:, bar]
    if wide.min() >= 3:
        levels[:, columns[1:] - 1] = 0  # a gap between two bars
    middles = bins.low + (np.arange(len(wide)) + 0.5) * (bins.high - bins.low) / len(wide)
    plain, key = frame.canvas.style(style), frame.canvas.style(f"{style}.key")
    styles = np.where((middles >= cut) if cut is not None else np.zeros(len(wide), bool), key, plain)[bar]
    area = np.s_[: frame.rows, frame.left : frame.left + len(bar)]
    frame.canvas.codes[area] = np.array([ord(sign) for sign in frame.glyphs.eighths], dtype=np.uint32)[levels]
    frame.canvas.styles[area] = np.where(levels > 0, styles, 0)
