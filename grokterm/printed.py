"""Charts as plain text: what `grokterm plot` prints and what a Markdown page holds in fenced blocks."""

from textwrap import wrap

import numpy as np

from grokterm.charts import BarChart, Chart, HeatChart, LineChart, Spectrum
from grokterm.drawing.bars import draw_bars
from grokterm.drawing.cells import Markers, one_cell_each
from grokterm.drawing.waterfall import draw_waterfall
from grokterm.plot import Boundary, Curve, chart


def printed(
    drawn: Chart, *, title: str, width: int, height: int, colour: bool = False, markers: Markers = "braille"
) -> str:
    """A chart as text, no line longer than `width`: a line of title and labels, the picture, what cannot be drawn.

    The picture with its title takes at most `height` lines, for two spectra each; bars and shades have no colour.
    """
    match drawn:
        case LineChart():
            text = _curves(drawn, title, width, height, colour, markers)
        case BarChart():
            text = "\n".join(_bars(drawn, spectrum, title, width, height, markers) for spectrum in drawn.spectra)
        case HeatChart():
            text = _heat(drawn, title, width, height, markers)
    notes = (one_cell_each(note, ascii_only=markers == "ascii") for note in drawn.notes())
    return "\n".join([text, *(line for note in notes for line in wrap(note, max(width, 1)))])


def _curves(drawn: LineChart, title: str, width: int, height: int, colour: bool, markers: Markers) -> str:
    axes = [name for name, on in (("log y", drawn.log_y), ("log x", drawn.log_x)) if on]
    return chart(
        [Curve(line.label, line.steps, line.values, line.inherited) for line in drawn.lines],
        [Boundary(phase.label, phase.start) for phase in drawn.moments.phases],
        title=_cut(", ".join(filter(None, [title, *axes])), width, markers),
        width=width,
        height=height,
        colour=colour,
        markers=markers,
        log_x=drawn.log_x,
        log_y=drawn.log_y,
        span=drawn.span,
        marks=[Boundary(mark.label, mark.x) for mark in drawn.moments.marks],
    )


def _bars(drawn: BarChart, spectrum: Spectrum, title: str, width: int, height: int, markers: Markers) -> str:
    head = [", ".join(filter(None, [title, f"step {spectrum.step:,}"]))]
    keys = f"key frequencies {' '.join(map(str, drawn.keys))}"
    if drawn.keys and len(head[0]) + 3 + len(keys) <= width:
        head = [f"{head[0]}   {keys}"]
    elif drawn.keys:
        head.append(keys)
    picture = draw_bars(
        spectrum.values,
        width=width,
        height=max(height - len(head), 1),
        style="bar",
        highlighted={k: str(k) for k in drawn.keys},
        markers=markers,
    )
    return "\n".join([*(_cut(line, width, markers) for line in head), _bare(picture.text())])


def _heat(drawn: HeatChart, title: str, width: int, height: int, markers: Markers) -> str:
    picture = draw_waterfall(
        drawn.series.values.astype(np.float64),
        drawn.series.steps.astype(np.float64),
        width=width,
        height=height - 1,
        highlighted={k: str(k) for k in drawn.keys},
        x_min=drawn.span[0],
        x_max=drawn.span[1],
        marks=drawn.moments.marks,
        markers=markers,
    )
    return "\n".join([_cut(title, width, markers), _bare(picture.text())])


def _bare(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.split("\n"))


def _cut(text: str, width: int, markers: Markers) -> str:
    text = one_cell_each(text, ascii_only=markers == "ascii")
    return text if len(text) <= width else f"{text[: max(width - 1, 0)]}{'.' if markers == 'ascii' else '…'}"
