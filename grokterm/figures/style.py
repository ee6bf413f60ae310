"""How figures look: a paper's, with the screen's colours. Okabe–Ito, one line width, no frame, no grid, no mathtext.

Text is drawn in `INK` alone: in a web page that colour becomes the page's own, dark or light.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import matplotlib
import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.font_manager import FontProperties, findfont, get_font

from grokterm.drawing.axes import Limits
from grokterm.drawing.colours import Palette
from grokterm.drawing.ticks import fraction, linear_ticks, log_ticks, value_labels

INK = "#1a1b1c"
ON_PAPER = {"fifth": "#d55e00", "norm": "#808080", "phase0": "#6c7a89"}
"""Colours of the screen that are too pale on white: yellow becomes vermilion."""
MARKERS = ("", "o", "s", "^", "D", "v", "P", "X", "<", ">")
"""A sign for every curve beside its colour; the first has none."""
BARS, BARS_BEFORE, KEY_BARS = "#56b4e9", "#9aa5ad", "#e69f00"
SMALL, NORMAL = 7.0, 8.0
_LOOK = {
    "axes.edgecolor": INK,
    "axes.formatter.use_mathtext": False,
    "axes.labelcolor": INK,
    "axes.labelsize": NORMAL,
    "axes.linewidth": 0.6,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.facecolor": "white",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": NORMAL,
    "legend.edgecolor": INK,
    "legend.fontsize": NORMAL,
    "legend.frameon": False,
    "legend.handlelength": 1.6,
    "lines.linewidth": 1.1,
    "lines.solid_capstyle": "round",
    "lines.solid_joinstyle": "round",
    "pdf.fonttype": 42,  # text that can be searched and edited
    "savefig.facecolor": "auto",
    "svg.hashsalt": "grokterm",  # or every file has other names inside
    "text.color": INK,
    "text.parse_math": False,  # a run's own text may hold $
    "xtick.color": INK,
    "xtick.labelsize": NORMAL,
    "xtick.major.size": 3.0,
    "xtick.major.width": 0.6,
    "xtick.minor.size": 1.5,
    "xtick.minor.width": 0.4,
    "ytick.color": INK,
    "ytick.labelsize": NORMAL,
    "ytick.major.size": 3.0,
    "ytick.major.width": 0.6,
    "ytick.minor.size": 1.5,
    "ytick.minor.width": 0.4,
}
_PALETTE = Palette(colours=1 << 24)
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@contextmanager
def papers_look(*, text_as_shapes: bool) -> Iterator[None]:
    """Draw in this look inside, whatever a person's matplotlibrc says. Shapes look the same without the font."""
    look = {**_LOOK, "svg.fonttype": "path" if text_as_shapes else "none"}
    with matplotlib.style.context(["default", look]):
        yield


def in_the_font(text: str) -> str:
    """`text` with "?" for every character that the font does not have."""
    if text.isascii():
        return text
    font = get_font(findfont(FontProperties(family="DejaVu Sans")))
    return "".join(char if font.get_char_index(ord(char)) else "?" for char in text)


def colour(style: str) -> str:
    """The colour of a style's name, "#rrggbb"."""
    known = _PALETTE.style(style).color
    return ON_PAPER.get(style) or (known.name if known is not None else INK)


def step_axis(axes: Axes, over: Limits) -> None:
    """The x axis from the first to the last step in view.

    Everything is drawn in drawn coordinates, exponents where the axis is logarithmic: matplotlib's own logarithms
    overflow near the ends of what a float holds.
    """
    axes.set_xlabel("step, log" if over.log else "step")
    axes.set_xlim(over.low, over.high)
    if over.log:
        _exponents(axes.xaxis, over, 6)
    else:
        ticks = linear_ticks(over.low, over.high, 7, whole=True)
        axes.set_xticks(ticks, [f"{tick:,.0f}" for tick in ticks])


def value_axis(axes: Axes, within: Limits) -> None:
    """The y axis."""
    axes.set_ylim(within.low, within.high)
    if within.log:
        _exponents(axes.yaxis, within, 7)
    else:
        ticks = linear_ticks(within.low, within.high, 6)
        axes.set_yticks(ticks, value_labels(ticks))


def power(exponent: float) -> str:
    """10 to a power, or 2 or 5 times that, as people write it: 10⁻³, 5·10⁻³; 1, 10 and 100 in full."""
    whole = math.floor(exponent + 1e-9)
    digit = 10.0 ** (exponent - whole)
    if not any(abs(digit - one) < 1e-6 for one in (1, 2, 5)):
        return f"{10.0**exponent:.4g}"
    if 0 <= whole <= 2:
        return f"{round(digit) * 10**whole}"
    times = f"{round(digit)}·" if round(digit) > 1 else ""
    return f"{times}10{str(whole).translate(_SUPERSCRIPT)}"


def _exponents(axis: Axis, limits: Limits, most: int) -> None:
    ticks = log_ticks(limits.low, limits.high, most)
    axis.set_ticks(ticks, [power(tick) for tick in ticks])
    axis.set_ticks(_between(limits.low, limits.high), minor=True)


def _between(low: float, high: float) -> Sequence[float]:
    """Small ticks at the decades, and inside them where there are few."""
    decades = range(math.floor(low), math.ceil(high) + 1)
    if len(decades) > 30:
        return []
    digits = range(1, 10) if len(decades) <= 10 else (1,)
    exponents = [decade + math.log10(digit) for decade in decades for digit in digits]
    return [exponent for exponent in exponents if 0 <= fraction(exponent, low, high) <= 1]
