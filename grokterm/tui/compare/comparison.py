"""Several runs seen as one picture: what is drawn as one line, where its x axis begins, what it reads at a step. Pure.

A track is what has one line on a panel: a run, or the runs of a seed bundle. x is the step, or the step less the one
at which the run had memorised its training data.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grokterm.drawing.axes import Mark
from grokterm.drawing.cells import Pattern, one_cell_each
from grokterm.drawing.chart import Plot
from grokterm.drawing.ticks import format_value
from grokterm.errors import UsageError
from grokterm.history import Series
from grokterm.run.configuration import Configuration, is_imported
from grokterm.run.directory import RunDirectory
from grokterm.run.lineage import Parent, parent_of
from grokterm.tui.compare.bundles import SEEDS, bundles, spread
from grokterm.tui.compare.compared import Compared
from grokterm.tui.compare.run_names import short_names
from grokterm.tui.moments import Moment
from grokterm.tui.panel import PATTERNS, row_at

MOST_PLOTS = 24
LABELS = "123456789abcdefg"
FEWEST_RUNS, MOST_RUNS = 2, len(LABELS)
COLOURS = ("train", "test", "restricted", "excluded", "fifth", "sixth", "norm")
"""With four patterns 28 looks; neighbours differ in colour and pattern."""


@dataclass(frozen=True, slots=True)
class RunLook:
    """How a run looks on every panel: its label is also its marker where only ASCII is shown."""

    label: str
    style: str
    pattern: Pattern


def look_of(index: int) -> RunLook:
    """The look of the run named first, second, …"""
    return RunLook(LABELS[index], COLOURS[index % len(COLOURS)], PATTERNS[index % len(PATTERNS)])


@dataclass(frozen=True, slots=True)
class Track:
    """What has one line: the indices of its runs, its label ("3", or "1+3+4"), its name, the look of its first run."""

    members: tuple[int, ...]
    label: str
    name: str
    look: RunLook


@dataclass(frozen=True, eq=False, slots=True)
class Trace:
    """A track's line over x, and for a bundle the range around it and how many runs there are at each x."""

    x: NDArray[np.int64]
    values: NDArray[np.float64]
    low: NDArray[np.float64] | None = None
    high: NDArray[np.float64] | None = None
    count: NDArray[np.int64] | None = None

    @property
    def first(self) -> int:
        """The first row that is drawn: what lies before x = 0 is only read."""
        return int(np.searchsorted(self.x, 0))

    def reading(self, cursor: int | None) -> str:
        """What a legend says: the value recorded last at or before `cursor`, or `median [min–max] of n`."""
        row = row_at(self.x, cursor)
        if row is None:
            return ""
        value = format_value(float(self.values[row]))
        if self.low is None or self.high is None or self.count is None:
            return value
        ends = f"{format_value(float(self.low[row]))}–{format_value(float(self.high[row]))}"
        return f"{value} [{ends}] of {self.count[row]}"


def with_parent(runs: Sequence[RunDirectory]) -> list[RunDirectory]:
    """The runs that a person means: a fork that is named alone is compared with its parent, which comes first.

    Raises UsageError when that is gone, RunError when the fork cannot be read.
    """
    config = (runs[0].read_config() if len(runs) == 1 else None) or {}
    said = Parent.of(config)
    if said is None:
        return [*runs]
    parent = parent_of(runs[0], config)
    if parent is None:
        name = one_cell_each(runs[0].name)
        raise UsageError(f"{name} is a fork of {one_cell_each(said.run)}, which is not beside it; name a second run")
    return [parent, runs[0]]


def check(runs: Sequence[RunDirectory]) -> None:
    """Raise UsageError for runs that cannot be compared: too few, too many, one of them twice."""
    if len(runs) < FEWEST_RUNS:
        raise UsageError("compare needs at least two runs, or one fork; `grokterm replay` shows one run")
    if len(runs) > MOST_RUNS:
        raise UsageError(f"compare shows at most {MOST_RUNS} runs, and {len(runs)} were named; name fewer")
    places = [run.path.resolve() for run in runs]
    for run, place in zip(runs, places, strict=True):
        if places.count(place) > 1:
            raise UsageError(f"{one_cell_each(run.name)} was named {places.count(place)} times; name every run once")


class Comparison:
    """Runs as they are now, compared one way. Curves are made when they are asked for, and kept."""

    def __init__(self, runs: Sequence[Compared], *, since_memorised: bool = False, bundled: bool = False) -> None:
        self.runs = tuple(runs)
        self.since_memorised, self.bundled = since_memorised, bundled
        self.names = short_names([run.path for run in runs], [run.config for run in runs])
        self.looks = tuple(look_of(index) for index in range(len(runs)))
        self.left_out = tuple(i for i, run in enumerate(runs) if since_memorised and run.memorised is None)
        """Indices of the runs without a step at which they memorised, where x begins there."""
        self.tracks = self._tracks()
        self.plots: dict[Hashable, Plot] = {}
        """What was drawn of these runs last, by all that it depends on: only cursor and marks are drawn anew."""
        self._made: dict[tuple[tuple[int, ...], str], Trace] = {}

    def _tracks(self) -> tuple[Track, ...]:
        there = [index for index in range(len(self.runs)) if index not in self.left_out]
        if not self.bundled:
            return tuple(Track((i,), self.looks[i].label, self.names[i], self.looks[i]) for i in there)
        found = bundles([(self.runs[i].config, self.runs[i].edits) for i in there])
        groups = [tuple(there[i] for i in group) for group in found]
        firsts = [self.runs[group[0]] for group in groups]
        names = short_names([run.path for run in firsts], [_without_seeds(run.config) for run in firsts])
        return tuple(
            Track(
                group,
                "+".join(self.looks[i].label for i in group),
                self.names[group[0]] if len(group) == 1 else name,
                self.looks[group[0]],
            )
            for group, name in zip(groups, names, strict=True)
        )

    def why_left_out(self) -> dict[str, tuple[int, ...]]:
        """The runs that are left out, by the reason; nobody was there to say when an imported run memorised."""
        known = [index for index in self.left_out if not is_imported(self.runs[index].config)]
        unknown = [index for index in self.left_out if index not in known]
        reasons = {"never memorised": tuple(known), "not known when memorised": tuple(unknown)}
        return {reason: runs for reason, runs in reasons.items() if runs}

    def keep(self, made_of: Hashable, plot: Plot) -> None:
        """Keep a plot, and forget the oldest where there are many."""
        self.plots[made_of] = plot
        if len(self.plots) > MOST_PLOTS:
            del self.plots[next(iter(self.plots))]

    def origin(self, index: int) -> int:
        """The step of a run that stands at x = 0."""
        return (self.runs[index].memorised or 0) if self.since_memorised else 0

    def step_of(self, index: int, x: int | None) -> int | None:
        """The step of a run at x; None stays None: the newest."""
        return None if x is None else x + self.origin(index)

    @property
    def last(self) -> int:
        """The largest x that any run reaches."""
        return max((self.runs[i].step - self.origin(i) for track in self.tracks for i in track.members), default=0)

    def has(self, name: str) -> bool:
        """Whether any run has recorded a series."""
        return any(name in run.series for run in self.runs)

    def trace(self, track: Track, name: str) -> Trace | None:
        """The line of a track; None where none of its runs has recorded the series."""
        key = (track.members, name)
        if key not in self._made:
            found = [(i, self.runs[i].series[name]) for i in track.members if name in self.runs[i].series]
            if not found:
                return None
            moved = [Series(series.steps - self.origin(i), series.values) for i, series in found]
            if len(track.members) == 1:
                self._made[key] = Trace(moved[0].steps, moved[0].values)
            else:
                made = spread(moved)
                self._made[key] = Trace(made.steps, made.median, made.low, made.high, made.count)
        return self._made[key]

    def value(self, index: int, name: str, x: int | None) -> float | None:
        """What a run recorded last at or before x."""
        return self.runs[index].value(name, self.step_of(index, x))

    def marks(self, selected: Track | None) -> list[Mark]:
        """Ticks for what people did in the runs (in the selected ones), in a run's colour where it was done in one.

        What was done at one place in several runs is one tick; what was done in all of them needs no labels.
        """
        shown = [i for track in ([selected] if selected is not None else self.tracks) for i in track.members]
        done: dict[tuple[float, str], list[int]] = {}
        for i in shown:
            for mark in self.runs[i].marks:
                done.setdefault((mark.x - self.origin(i), mark.label), []).append(i)
        return [
            Mark(
                x,
                text if len(runs) == len(shown) else f"{'+'.join(self.looks[i].label for i in runs)} {text}".rstrip(),
                self.looks[runs[0]].style if len(runs) == 1 else "mark",
            )
            for (x, text), runs in sorted(done.items(), key=lambda item: item[0][0])
        ]

    def moments(self, selected: Track | None) -> list[Moment]:
        """What happened in the runs (in the selected ones) from x = 0 on, in order."""
        shown = [selected] if selected is not None else self.tracks
        found = [
            Moment(moment.step - self.origin(i), f"{self.looks[i].label} {self.names[i]}: {moment.text}")
            for track in shown
            for i in track.members
            for moment in self.runs[i].moments
            if moment.step >= self.origin(i)
        ]
        return sorted(found, key=lambda moment: moment.step)


def _without_seeds(config: Configuration) -> Configuration:
    """A configuration by which a bundle can be named."""
    left = {section: config[section] for section in config if section != "seed"}
    for seed in SEEDS:
        section, _, key = seed.partition(".")
        if isinstance(left.get(section), Mapping):
            left[section] = {name: value for name, value in left[section].items() if name != key}
    return left
