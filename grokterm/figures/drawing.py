"""A chart's data as a matplotlib figure: the right drawing for it, and what stands around it."""

import math
from dataclasses import replace
from functools import partial

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from grokterm.charts import BarChart, Chart, HeatChart, LineChart, Moments
from grokterm.drawing.axes import Limits
from grokterm.figures.curves import draw_lines
from grokterm.figures.names import Names, placed
from grokterm.figures.sheet import Around, Size, lay_out, length
from grokterm.figures.spectra import draw_bars, draw_heat
from grokterm.figures.style import INK, colour, in_the_font, step_axis, value_axis

PAPER = Size(width=468.0, plot=200.0)
"""6.5 inches, the width of a page of text."""
MARKS = "#d55e00"
RIGHT_OF_HEAT = 14.0
"""For the numbers of the key frequencies."""


def figure_of(chart: Chart, size: Size, *, title: str = "") -> Figure:
    """Draw a chart in the look of `style.papers_look`, which must be in force."""
    figure = Figure()
    axes = figure.add_subplot(autoscale_on=False)
    moments, over = Moments(), Limits(0.0, 1.0)
    match chart:
        case LineChart():
            over, within = draw_lines(axes, chart, columns=int(size.width * 2.5))
            step_axis(axes, over)
            value_axis(axes, within)
            axes.set_ylabel(in_the_font(chart.y_label))
            moments = _in_the_font(chart.moments)
        case BarChart():
            value_axis(axes, draw_bars(axes, chart))
        case HeatChart():
            over = draw_heat(axes, chart, size.plot)
            step_axis(axes, over)
            moments = _in_the_font(chart.moments)
    _draw_moments(axes, moments, over, on_heat=isinstance(chart, HeatChart))
    names = partial(_names, moments, over)
    right = RIGHT_OF_HEAT if isinstance(chart, HeatChart) and chart.keys else 0.0
    notes = [in_the_font(note) for note in chart.notes()]
    lay_out(figure, axes, size, Around(in_the_font(_title(chart, title)), names, notes, right))
    return figure


def _names(moments: Moments, over: Limits, width: float) -> Names:
    return placed(moments, over, width, length)


def _in_the_font(moments: Moments) -> Moments:
    phases = tuple(replace(phase, label=in_the_font(phase.label)) for phase in moments.phases)
    return Moments(phases, tuple(replace(mark, label=in_the_font(mark.label)) for mark in moments.marks))


def _title(chart: Chart, title: str) -> str:
    return ": ".join(part for part in (title, chart.title) if part) if title else ""


def _draw_moments(axes: Axes, moments: Moments, over: Limits, *, on_heat: bool) -> None:
    """Bands for the phases, dashed lines between them, dotted lines for the marks."""
    line = "#ffffff" if on_heat else INK
    for phase in moments.phases:
        start, end = (_place(step, over) for step in (phase.start, phase.end))
        if not on_heat:
            axes.axvspan(start, end, color=colour(phase.style), alpha=0.13, linewidth=0, zorder=0)
        if over.part(phase.start) > 0:
            axes.axvline(start, color=line, alpha=0.5, linewidth=0.7, dashes=(4, 3), zorder=1)
    places = {round(over.part(mark.x), 3): _place(mark.x, over) for mark in moments.marks}  # of thousands, those seen
    axes.vlines(
        list(places.values()),
        0,
        1,
        transform=axes.get_xaxis_transform(),
        color=MARKS,
        linewidth=0.8,
        linestyle=(0, (1, 1.5)),
        zorder=1,
    )


def _place(step: float, over: Limits) -> float:
    """A step in drawn coordinates."""
    return math.log10(max(step, 1.0)) if over.log else step
