"""What is drawn of a run, as data: curves over steps, a spectrum, the history of a spectrum.

`printed.py` makes text of these, `figures/` figures; both say the same, because what they show is decided here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grokterm.drawing.axes import Mark, Stretch
from grokterm.history import ArraySeries, History
from grokterm.text import plain
from grokterm.tui.panel import marks_of, ribbon_of

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Line:
    """One curve: its label, the name of its colour (`tui/colours.py`), steps and values of equal length.

    inherited: how many of the first points are those of runs that this one was forked from; they are faint. dashed: in
    figures, for there another curve may have its colour.
    """

    label: str
    style: str
    steps: NDArray[np.int64]
    values: Floats
    inherited: int = 0
    dashed: bool = False


@dataclass(frozen=True)
class Moments:
    """What happened in the steps in view: the phases, and the interventions, snapshots and notes."""

    phases: tuple[Stretch, ...] = ()
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, eq=False)
class LineChart:
    """Curves over steps. `limits` are those of the y axis where it has natural ones; they give way to the data."""

    title: str
    y_label: str
    lines: tuple[Line, ...]
    span: tuple[float, float]
    moments: Moments
    log_x: bool = False
    log_y: bool = False
    limits: tuple[float, float] | None = None

    def notes(self) -> tuple[str, ...]:
        """A sentence for every curve with points in view that cannot be drawn: how many, why, where the first is."""
        told = (lost(line, self.span, log_y=self.log_y) for line in self.lines)
        return tuple(note for note in told if note)


@dataclass(frozen=True, eq=False)
class Spectrum:
    """One number a frequency (or any index, from 1) at one step."""

    step: int
    values: Floats


@dataclass(frozen=True, eq=False)
class BarChart:
    """The bars of one spectrum, or of two moments of it; `keys` are the numbers to point out."""

    title: str
    x_label: str
    spectra: tuple[Spectrum, ...]
    keys: tuple[int, ...] = ()

    def notes(self) -> tuple[str, ...]:
        """A sentence for every spectrum with values that are no height of a bar."""
        notes = []
        for spectrum in self.spectra:
            below = spectrum.values < 0
            bad = np.flatnonzero(~np.isfinite(spectrum.values) | below)
            if bad.size:
                kinds = _kinds(spectrum.values, below, "below 0")
                notes.append(
                    f"step {spectrum.step:,}: {bad.size:,} of {len(spectrum.values):,} bars cannot be drawn: {kinds}; "
                    f"the first is number {bad[0] + 1}"
                )
        return tuple(notes)


@dataclass(frozen=True, eq=False)
class HeatChart:
    """A spectrum's history: frequency upwards, step across, magnitude as shade. `series` has one number a frequency."""

    title: str
    y_label: str
    series: ArraySeries
    span: tuple[float, float]
    moments: Moments
    keys: tuple[int, ...] = ()

    def notes(self) -> tuple[str, ...]:
        """A sentence where values are not finite."""
        count = int(np.count_nonzero(~np.isfinite(self.series.values)))
        return (f"{count:,} value{'s are' if count > 1 else ' is'} not finite, and not drawn",) if count else ()


Chart = LineChart | BarChart | HeatChart


def moments_in(history: History, span: tuple[float, float]) -> Moments:
    """The phases and marks between two steps; a phase that began before is named from the first step on.

    Their names are a run's own text, so they are made plain.
    """
    first, last = span
    phases = [
        Stretch(max(phase.start, first), min(phase.end, last), plain(phase.label), phase.style)
        for phase in ribbon_of(history)
        if phase.start <= last and (phase.end > first or phase.start >= first)
    ]
    marks = [Mark(mark.x, plain(mark.label), mark.style) for mark in marks_of(history) if first <= mark.x <= last]
    return Moments(tuple(phases), tuple(marks))


def whole(history: History) -> tuple[float, float]:
    """All steps of a run."""
    return 0.0, float(max(history.step, 1))


def lost(line: Line, span: tuple[float, float], *, log_y: bool) -> str:
    """What of a curve cannot be drawn, in words; "" when nothing is missing."""
    begin = int(np.searchsorted(line.steps, span[0]))
    end = int(np.searchsorted(line.steps, span[1], side="right"))
    values = line.values[begin:end]
    below = (values <= 0) & log_y
    bad = ~np.isfinite(values) | below
    count = int(np.count_nonzero(bad))
    if not count:
        return ""
    first = int(line.steps[begin + int(np.argmax(bad))])
    kinds = _kinds(values, below, "not above 0")
    return f"{line.label}: {count:,} of {len(values):,} points cannot be drawn: {kinds}; the first is at step {first:,}"


def joined(texts: Sequence[str]) -> str:
    """a, b and c."""
    return " and ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)


def _kinds(values: Floats, below: NDArray[np.bool_], what_below: str) -> str:
    counts = {
        "nan": np.isnan(values).sum(),
        "inf": np.isposinf(values).sum(),
        "-inf": np.isneginf(values).sum(),
        what_below: (np.isfinite(values) & below).sum(),
    }
    return joined([f"{count:,} {what}" for what, count in counts.items() if count])
