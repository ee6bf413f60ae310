"""Waterfalls: the history of a spectrum, frequency upwards, steps across, magnitude as shade."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from grokterm.drawing.axes import (
    Frame,
    Limits,
    Mark,
    draw_cursor,
    draw_marks,
    draw_sentence,
    draw_x_axis,
    draw_y_axis,
    gutter_for,
    make_frame,
    step_limits,
    steps_axis,
)
from grokterm.drawing.bars import share_cells
from grokterm.drawing.cells import Drawing, Markers
from grokterm.drawing.ticks import linear_ticks

Floats = NDArray[np.float64]
SHADES = 5  # heat0 (nothing) … heat4 (the largest)


def draw_waterfall(
    matrix: NDArray[np.floating],
    x: Floats,
    *,
    width: int,
    height: int,
    style: str = "heat",
    highlighted: Mapping[int, str] | None = None,
    first: int = 1,
    x_min: float | None = None,
    x_max: float | None = None,
    log_x: bool = False,
    cursor: float | None = None,
    marks: Sequence[Mark] = (),
    faint_before: float | None = None,
    markers: Markers = "braille",
) -> Drawing:
    """Magnitudes `matrix` (time, frequency) at steps `x` (time,), frequency upwards from number `first`.

    A cell shows the largest value of the times and frequencies that it covers, relative to the largest in view, as
    one of five shades in styles "STYLE0" … "STYLE4"; a time lasts until the next one. `highlighted` maps numbers to
    labels, which stand at the y axis in style "STYLE.key". Values that are not finite are marked × and counted.
    What lies before step `faint_before` is in styles "STYLE0.faint" …
    """
    highlighted = highlighted or {}
    x = np.asarray(x, dtype=np.float64)
    frame = make_frame(width, height, gutter_for(width, highlighted.values()), markers)
    count = matrix.shape[1] if matrix.ndim == 2 else 0
    if not count or not len(x):
        draw_sentence(frame, "no data yet")
        draw_y_axis(frame, ())
        draw_x_axis(frame, (), {})
        return Drawing(frame.canvas.rows())
    over = step_limits(float(x[0]), float(x[-1]), x_min, x_max, log=log_x)
    cuts, held = _times(x, over, frame.columns)
    rows, starts, each = share_cells(count, frame.rows)
    largest, broken = _largest(matrix, cuts, held)
    faint = 0 if faint_before is None else round(min(max(over.part(faint_before), 0.0), 1.0) * frame.columns)
    _paint(frame, np.maximum.reduceat(largest, starts, axis=1).T, each, style, faint)
    for column in np.flatnonzero(broken):
        frame.canvas.write(0, frame.left + int(column), frame.glyphs.cross, "problem")
    _draw_numbers(frame, rows * each, first, highlighted, f"{style}.key")
    draw_cursor(frame, over, cursor)
    draw_marks(frame, over, marks)
    steps_axis(frame, over, marks)
    in_view = slice(int(cuts[0] - held[0]), int(cuts[-1]))
    lost = int(np.count_nonzero(~np.isfinite(matrix[in_view]))) if broken.any() else 0
    return Drawing(frame.canvas.rows(), (f"{lost:,} not finite",) if lost else ())


def _times(x: Floats, over: Limits, columns: int) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Column i shows the times cuts[i] … cuts[i+1]; where it has none, the one before it while that is `held`."""
    edges = np.linspace(over.low, over.high, columns + 1)
    at = np.log10(np.maximum(x, 1.0)) if over.log else x
    cuts = np.searchsorted(at, edges)
    cuts[-1] = np.searchsorted(at, edges[-1], side="right")
    held = (cuts[:-1] == cuts[1:]) & (cuts[:-1] > 0) & (edges[:-1] <= at[-1])
    return cuts, held


def _largest(
    matrix: NDArray[np.floating], cuts: NDArray[np.intp], held: NDArray[np.bool_]
) -> tuple[Floats, NDArray[np.bool_]]:
    """The largest magnitude of every column's times, (columns, frequencies), 0 where it has none; and which columns
    have a number that is not finite. Such numbers count as 0.
    """
    largest = np.zeros((len(held), matrix.shape[1]))
    filled = np.flatnonzero(cuts[:-1] < cuts[1:])
    if len(filled):
        shown = matrix[: cuts[-1]]
        largest[filled] = _extremes(shown, cuts[filled])
    largest[held] = np.abs(matrix[cuts[:-1][held] - 1])
    broken: NDArray[np.bool_] = np.logical_not(np.isfinite(largest).all(axis=1))
    if broken.any():
        clean = np.where(np.isfinite(matrix), matrix, 0.0)
        return _largest(clean, cuts, held)[0], broken
    return largest, broken


def _extremes(matrix: NDArray[np.floating], starts: NDArray[np.intp]) -> NDArray[np.floating]:
    """The largest magnitude of every segment of rows; a segment ends where the next one starts."""
    above = np.maximum.reduceat(matrix, starts, axis=0)
    below = np.minimum.reduceat(matrix, starts, axis=0)
    magnitudes: NDArray[np.floating] = np.maximum(above, -below)
    return magnitudes


def _paint(frame: Frame, magnitudes: Floats, each: int, style: str, faint: int) -> None:
    """Fill the plot's cells; the first `faint` columns are faint."""
    largest = float(magnitudes.max(initial=0.0)) or 1.0
    levels = np.minimum((magnitudes / largest * SHADES).astype(np.intp), SHADES - 1)
    levels = np.repeat(levels, each, axis=0)[::-1]  # low frequencies at the bottom
    shades = np.array([ord(char) for char in frame.glyphs.heat], dtype=np.uint32)
    cells = np.s_[frame.rows - len(levels) : frame.rows, frame.left :]
    frame.canvas.codes[cells] = shades[levels]
    for columns, end in ((slice(faint), ".faint"), (slice(faint, None), "")):
        styles = np.array([frame.canvas.style(f"{style}{level}{end}") for level in range(SHADES)], dtype=np.int16)
        frame.canvas.styles[cells][:, columns] = styles[levels[:, columns]]


def _draw_numbers(frame: Frame, rows: NDArray[np.intp], first: int, highlighted: Mapping[int, str], style: str) -> None:
    """The y axis: the highlighted numbers where they are, round numbers where those leave room."""
    if not frame.left:
        return
    draw_y_axis(frame, ())
    taken: set[int] = set()
    round_numbers = linear_ticks(first, first + len(rows) - 1, max(frame.rows // 3, 1), whole=True)
    wanted = [(number, label, style) for number, label in sorted(highlighted.items())]
    wanted += [(int(number), str(int(number)), "axis") for number in round_numbers]
    for number, label, label_style in wanted:
        if not 0 <= number - first < len(rows):
            continue
        row = frame.rows - 1 - int(rows[number - first])
        if row in taken or (label_style == "axis" and {row - 1, row + 1} & taken):
            continue
        taken.add(row)
        frame.canvas.write(row, frame.left - 1, frame.glyphs.tick, "axis")
        frame.canvas.write(row, frame.left - 1 - len(label), label, label_style)
