"""Spectra as figures: bars of one moment, with an earlier one behind them, and their history as a heat map."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from numpy.typing import NDArray

from grokterm.charts import BarChart, HeatChart
from grokterm.drawing.axes import Limits, linear_limits, step_limits
from grokterm.drawing.ticks import format_value, linear_ticks
from grokterm.figures.style import BARS, BARS_BEFORE, KEY_BARS, SMALL

Floats = NDArray[np.float64]
COLUMNS = 400
"""Of a heat map; each shows the largest value of its steps."""
HEAT = "viridis"
LARGEST = 1e300
HEADROOM = 1.09
"""For the numbers above the highest bars."""


def draw_bars(axes: Axes, chart: BarChart) -> Limits:
    """One bar a number; of two moments the first is a grey outline. Returns the limits of the heights."""
    heights = [_heights(spectrum.values) for spectrum in chart.spectra]
    largest = max(float(each.max(initial=0.0)) for each in heights)
    limits = Limits(0.0, max(linear_limits(0.0, largest)[1], largest * HEADROOM))
    newest, numbers = heights[-1], np.arange(1, len(heights[-1]) + 1)
    is_key = np.isin(numbers, chart.keys)
    label = f"step {chart.spectra[-1].step:,}"
    axes.bar(numbers[~is_key], newest[~is_key], width=0.8, color=BARS, linewidth=0, label=label, zorder=2)
    if is_key.any():
        label = f"key frequencies {' '.join(map(str, chart.keys))}"
        axes.bar(numbers[is_key], newest[is_key], width=0.8, color=KEY_BARS, linewidth=0, label=label, zorder=2)
    for spectrum, before in zip(chart.spectra[:-1], heights, strict=False):
        edges = np.arange(len(before) + 1) + 0.5
        axes.stairs(before, edges, color=BARS_BEFORE, linewidth=0.9, label=f"step {spectrum.step:,}", zorder=3)
    _name_keys(axes, chart, newest, limits.high)
    axes.set_xlim(0.25, len(newest) + 0.75)
    ticks = [tick for tick in linear_ticks(1, len(newest), 8, whole=True) if tick >= 1]
    axes.set_xticks(sorted({1.0, *ticks}), [f"{tick:.0f}" for tick in sorted({1.0, *ticks})])
    axes.set_xlabel(chart.x_label)
    return limits


def draw_heat(axes: Axes, chart: HeatChart, plot: float) -> Limits:
    """Frequency upwards, step across, the magnitude as shade. Returns the limits of the steps."""
    over = step_limits(*chart.span, None, None, log=False)
    values = np.clip(np.nan_to_num(np.abs(chart.series.values.astype(np.float64))), 0.0, LARGEST)
    picture = columns_of(values, chart.series.steps, over, COLUMNS)
    largest = float(np.nanmax(picture, initial=0.0)) or 1.0
    count = values.shape[1]
    axes.imshow(
        np.ma.masked_invalid(picture),
        aspect="auto",
        cmap=HEAT,
        extent=(over.low, over.high, 0.5, count + 0.5),
        interpolation="none",
        norm=Normalize(0.0, largest),
        origin="lower",
        zorder=0,
    )
    axes.set_ylabel(chart.y_label)
    axes.set_ylim(0.5, count + 0.5)
    ticks = sorted({1.0, *(tick for tick in linear_ticks(1, count, 7, whole=True) if tick >= 1)})
    axes.set_yticks(ticks, [f"{tick:.0f}" for tick in ticks])
    for key, place in apart([key for key in chart.keys if key <= count], SMALL * count / plot):
        axes.annotate(
            str(key),
            (over.high, key),
            (1.02, (place - 0.5) / count),
            textcoords="axes fraction",
            color=KEY_BARS,
            fontsize=SMALL,
            va="center",
            arrowprops={"arrowstyle": "-", "color": KEY_BARS, "linewidth": 0.6, "shrinkA": 0, "shrinkB": 0},
        )
    axes.plot([], [], linestyle="", marker="s", color="#440154", label="0")
    axes.plot([], [], linestyle="", marker="s", color="#fde725", label=f"{format_value(largest)}, the largest")
    return over


def columns_of(values: Floats, steps: NDArray[np.int64], over: Limits, columns: int) -> Floats:
    """The largest value of every column's rows, (numbers, columns); a row lasts until the next one, NaN before any."""
    edges = np.linspace(over.low, over.high, columns + 1)
    cuts = np.searchsorted(steps, edges)
    cuts[-1] = np.searchsorted(steps, edges[-1], side="right")
    picture = np.full((values.shape[1], columns), np.nan)
    for column, (begin, end) in enumerate(zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True)):
        if begin < end:
            picture[:, column] = values[begin:end].max(axis=0)
        elif begin > 0:
            picture[:, column] = values[begin - 1]
    return picture


def apart(places: list[int], least: float) -> list[tuple[int, float]]:
    """Every number with a place for its label: as near to it as a distance of `least` between labels allows."""
    groups: list[list[int]] = [[place] for place in sorted(places)]
    merged = True
    while merged:
        merged = False
        for index in range(len(groups) - 1):
            low, high = groups[index], groups[index + 1]
            if _middle(high) - _middle(low) < least * (len(low) + len(high)) / 2:
                groups[index : index + 2] = [low + high]
                merged = True
                break
    return [
        (number, _middle(group) + (index - (len(group) - 1) / 2) * least)
        for group in groups
        for index, number in enumerate(group)
    ]


def _middle(group: list[int]) -> float:
    return sum(group) / len(group)


def _heights(values: Floats) -> Floats:
    return np.where(np.isfinite(values) & (values > 0), np.clip(values, 0.0, LARGEST), 0.0)


def _name_keys(axes: Axes, chart: BarChart, heights: Floats, top: float) -> None:
    """The number of every key bar above it."""
    for key in chart.keys:
        if 1 <= key <= len(heights):
            axes.text(
                key, heights[key - 1] + top * 0.01, str(key), ha="center", va="bottom", fontsize=SMALL, color=KEY_BARS
            )
