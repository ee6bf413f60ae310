"""A panel of a comparison: the curves of all runs over one another, with what each reads at the cursor. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from grokterm.drawing.bands import Band
from grokterm.drawing.cells import Pattern, Row
from grokterm.drawing.chart import Entry, Line, View, legend, plot_lines
from grokterm.drawing.legend import APART
from grokterm.tui.compare.choices import Choice, Overlay
from grokterm.tui.compare.comparison import Comparison, Trace, Track
from grokterm.tui.looks import Looks
from grokterm.tui.panel import SMOOTHED_SHARE, Picture, legend_rows, moving_average, own_marks

SECOND_MARKER = "."
"""The second series of every run, where only ASCII is shown."""
LONGEST_NAME = 18


@dataclass(frozen=True, slots=True)
class Terms:
    """How runs are compared, as the person chose. selected: index of a run that is pointed out, the others faint.

    chosen: by a panel's digit the name of what it shows, where that is not the first.
    """

    since_memorised: bool = False
    bundled: bool = False
    selected: int | None = None
    chosen: dict[int, str] = field(default_factory=dict)

    def choice(self, digit: int, offered: Sequence[Choice]) -> Choice | None:
        """What a panel shows; None where it has nothing to show."""
        wanted = self.chosen.get(digit)
        return next((choice for choice in offered if choice.name == wanted), offered[0] if offered else None)

    def track(self, comparison: Comparison) -> Track | None:
        """The track that is pointed out."""
        return next((track for track in comparison.tracks if self.selected in track.members), None)

    def pointed_out(self, comparison: Comparison) -> tuple[int, ...]:
        """The indices of its runs."""
        track = self.track(comparison)
        return () if track is None else track.members


def draw_overlay(
    comparison: Comparison, panel: Overlay, choice: Choice, terms: Terms, looks: Looks, width: int, height: int
) -> Picture:
    """Legend and chart in exactly width × height cells; the first series lies above the second, run 1 above run 2."""
    log_y = looks.is_log_y(panel.digit, panel.log_y)
    low, high = looks.shown(comparison.last)
    selected = terms.track(comparison)
    drawn = [
        (track, place, trace)
        for place, name in enumerate(choice.series)
        for track in comparison.tracks
        if (trace := comparison.trace(track, name)) is not None
    ]
    readings = [(track, trace.reading(looks.cursor)) for track, place, trace in drawn if not place]
    drawn.sort(key=lambda each: each[0] is not selected)  # what is pointed out lies on top
    top = readings_legend(readings, width, legend_rows(height), looks) if height >= 5 else ()
    y_min, y_max = (None, None) if log_y else choice.limits
    rows = max(height - len(top), 1)
    view = View(low, high, log_x=looks.log_x, log_y=log_y, y_min=y_min, y_max=y_max)
    made_of = (choice, selected, view, looks.smooth, looks.markers, width, rows)
    plot = comparison.plots.get(made_of)
    if plot is None:
        lines = [line for each in reversed(drawn) for line in _lines(*each, selected, looks, high - low, log_y=log_y)]
        bands = [_band(track, trace) for track, place, trace in reversed(drawn) if not place and trace.low is not None]
        plot = plot_lines(lines, width=width, height=rows, view=view, bands=bands, markers=looks.markers)
        comparison.keep(made_of, plot)
    drawing = plot.drawing(looks.cursor, [*comparison.marks(selected), *own_marks(looks)])
    axes = [text for text, on in (("log y", log_y), ("log x", looks.log_x), ("smooth", looks.smooth)) if on]
    axes += [] if looks.cursor is None else [f"at {looks.cursor:,}"]
    return Picture(" · ".join([panel.name, choice.name, *axes, *drawing.notes]), (*top, *drawing.rows)[:height])


def readings_legend(readings: Sequence[tuple[Track, str]], width: int, rows: int, looks: Looks) -> tuple[Row, ...]:
    """What every line reads: with the runs' names where all fit, else with their labels alone."""
    entries = [_entry(track, reading, looks, named=True) for track, reading in readings]
    if not fit(entries, width, rows):
        entries = [_entry(track, reading, looks, named=False) for track, reading in readings]
    return legend(entries, width, rows, markers=looks.markers)


def fit(entries: Sequence[Entry], width: int, rows: int) -> bool:
    """Whether all entries have a place in a legend of so many rows."""
    used, end = 1, 0
    for entry in entries:
        length = 2 + len(entry.label) + (1 + len(entry.value) if entry.value else 0)
        start = end + len(APART) if end else 0
        if start + length > width:
            used, start = used + (end > 0), 0
        end = start + length
    return used <= rows and all(2 + len(entry.label) + len(entry.value) + 1 <= width for entry in entries)


def _entry(track: Track, reading: str, looks: Looks, *, named: bool) -> Entry:
    label, look = track.label, track.look
    if looks.markers == "ascii" and len(track.members) == 1:
        label = ""  # the marker says it
    if named:
        label = f"{label} {short(track.name)}".lstrip()
    return Entry(f"{label}:" if label else reading, look.style, look.pattern, reading if label else "", look.label)


def short(name: str, most: int = LONGEST_NAME) -> str:
    """A name in so many cells: its beginning and its end, which is where names of runs differ."""
    if len(name) <= most or not most:
        return name if most else ""
    end = most * 3 // 5
    return f"{name[: most - end - 1]}…{name[len(name) - end :]}"


def place_text(x: int, *, since: bool) -> str:
    """A place on the x axis in words."""
    return f"{x:,} since memorised" if since else f"step {x:,}"


def _lines(
    track: Track, place: int, trace: Trace, selected: Track | None, looks: Looks, span: float, *, log_y: bool
) -> list[Line]:
    look = track.look
    faint = place > 0 or selected not in (None, track)
    marker = SECOND_MARKER if place else look.label
    pattern: Pattern = "dot" if place and look.pattern == "solid" else look.pattern
    tag = "" if faint or looks.markers == "ascii" else look.label
    x, values = trace.x[trace.first :], trace.values[trace.first :]
    raw = Line(track.label, x, values, look.style, pattern, marker, faint=faint, tag=tag)
    if not looks.smooth:
        return [raw]
    at = x.astype(np.float64)
    smoothed = moving_average(at, values, span * SMOOTHED_SHARE, log_y=log_y)
    return [replace(raw, faint=True, tag=""), replace(raw, x=at, y=smoothed)]


def _band(track: Track, trace: Trace) -> Band:
    assert trace.low is not None
    assert trace.high is not None
    shown = slice(trace.first, None)
    return Band(trace.x[shown], trace.low[shown], trace.high[shown], track.look.style)
