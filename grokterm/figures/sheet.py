"""A figure as a sheet: one plot, what stands around it, and a size that gives every part its room. Lengths are points.

The plot keeps its height whatever is written around it: more rows of names or legend make the sheet higher.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.legend import Legend
from matplotlib.textpath import text_to_path

from grokterm.figures.names import GAP, MOST_BEYOND, ROW, Names
from grokterm.figures.style import INK, NORMAL, SMALL

MARGIN = 4.0
ENTRY = 12.0
"""Height of a row of the legend."""
HANDLE = 32.0
"""Width of a legend's entry without its text."""
RIGHT = 4.0
"""Right of the plot, where nothing reaches beyond it."""
NOTES = "#b04000"
AXIS = 27.0
"""Below the plot: ticks, their labels, the axis' own label."""


@dataclass(frozen=True)
class Size:
    """Of a sheet: its width, and its plot's height."""

    width: float
    plot: float


@dataclass(frozen=True)
class Around:
    """What stands around a plot: the title, the names above it (from the plot's width), the notes at the foot."""

    title: str = ""
    names: Callable[[float], Names] = lambda _: Names()
    notes: Sequence[str] = ()
    right: float = 0.0
    """Room right of the plot for what the caller has written there."""


def length(text: str, size: float = SMALL) -> float:
    """How wide a text is."""
    font = FontProperties(size=size)
    return float(text_to_path.get_text_width_height_descent(text, font, ismath=False)[0]) if text else 0.0


def lay_out(figure: Figure, axes: Axes, size: Size, around: Around) -> Names:
    """Give the sheet its size and every part its place, and write title, names, legend and notes.

    Returns the names that were written.
    """
    labels = [label.get_text() for label in axes.get_yticklabels()]
    left = MARGIN + max((length(label, NORMAL) for label in labels), default=0.0) + 8 + (12 if axes.get_ylabel() else 0)
    width = size.width - left - MARGIN
    names = around.names(width)
    width -= max(around.right, min(names.beyond(width, length), MOST_BEYOND), _beyond(axes, width), RIGHT)
    names = around.names(width)
    told = [
        *around.notes,
        *([f"{names.nameless:,} interventions or notes are marked without a name"] if names.nameless else []),
    ]
    notes = [line for note in told for line in wrap(note, max(int(width / SMALL * 1.8), 10))]
    legend, rows = _legend(axes, width)
    foot = MARGIN + ROW * len(notes)
    bottom = foot + ENTRY * rows + AXIS
    above = names.rows * ROW + GAP + (ENTRY if around.title else 0) + MARGIN
    height = bottom + size.plot + above
    figure.set_size_inches(size.width / 72, height / 72)
    axes.set_position((left / size.width, bottom / height, width / size.width, size.plot / height))
    if legend is not None:
        legend.set_bbox_to_anchor((left / size.width, foot / height), transform=figure.transFigure)
    for row, note in enumerate(reversed(notes)):
        figure.text(left / size.width, (MARGIN + row * ROW) / height, note, fontsize=SMALL, color=NOTES)
    if around.title:
        figure.text(left / size.width, 1 - (MARGIN + NORMAL) / height, around.title, fontsize=NORMAL)
    _write(axes, names, width, size.plot)
    return names


def _beyond(axes: Axes, width: float) -> float:
    """How far the labels of the x axis reach beyond the plot's right edge."""
    low, high = axes.get_xlim()
    ends = (
        (place - low) / (high - low) * width + length(label.get_text(), NORMAL) / 2
        for place, label in zip(axes.get_xticks(), axes.get_xticklabels(), strict=True)
    )
    return max(ends, default=0.0) - width


def _write(axes: Axes, names: Names, width: float, height: float) -> None:
    """Write the names above the plot; a line leads up to those that begin at one."""
    for name in (*names.phases, *names.marks):
        bottom = GAP + name.row * ROW
        place = (name.left / width, 1 + bottom / height)
        axes.text(*place, name.text, fontsize=SMALL, transform=axes.transAxes, clip_on=False)
        if name.line is not None:
            ends = [1.0, 1 + (bottom + SMALL) / height]
            look: dict[str, Any] = {"color": INK, "alpha": 0.5, "linewidth": 0.6}
            axes.plot([name.line / width] * 2, ends, transform=axes.transAxes, clip_on=False, **look)


def _legend(axes: Axes, width: float) -> tuple[Legend | None, int]:
    """The legend of whatever has a label, in as many columns as fit, and how many rows that makes."""
    handles, labels = axes.get_legend_handles_labels()
    if not labels:
        return None, 0
    columns = max(min(int(width / (HANDLE + max(length(label, NORMAL) for label in labels))), len(labels)), 1)
    look: dict[str, Any] = {"borderaxespad": 0.0, "borderpad": 0.0, "labelspacing": (ENTRY - NORMAL) / NORMAL - 0.17}
    legend = axes.legend(handles, labels, ncols=columns, loc="lower left", **look)
    return legend, -(-len(labels) // columns)
