"""Where a replay stands, and how it moves: by recorded time or by steps, at a speed, up to the newest step. Pure."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from grokterm.history import History

SPEEDS = (0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0)
STEPS_PER_SECOND = 10.0
"""Steps that pass in a second at 1× when steps set the pace."""
COMFORTABLE_SECONDS = 30.0
"""A replay whose speed nobody chose takes about so long, or longer where 1000× is too slow for that."""
LONGEST_WAIT = 2.0
"""Recorded seconds between two steps count as at most so many, or ten times the usual: a pause overnight is skipped."""


@dataclass(frozen=True, eq=False)
class Timeline:
    """When each recorded step came: `steps` (n,) ascending and ending with the newest step of the run, and `seconds`
    (n,) since the first one with long waits cut short; empty where no times were recorded (imported runs).
    """

    steps: NDArray[np.float64]
    seconds: NDArray[np.float64]

    @classmethod
    def of(cls, steps: NDArray[np.int64], times: NDArray[np.float64], last: int) -> Self:
        """Make one from the recorded steps, their unix times (none where unknown), and the newest step."""
        has_end = len(steps) > 0 and int(steps[-1]) >= last
        ends = steps.astype(np.float64) if has_end else np.append(steps.astype(np.float64), float(last))
        if len(times) < 2:
            return cls(ends, np.zeros(0))
        with np.errstate(over="ignore", invalid="ignore"):  # a stranger's clock may say anything
            waits = np.nan_to_num(np.diff(times), nan=0.0, posinf=0.0, neginf=0.0).clip(min=0.0)
        usual = float(np.median(waits))
        seconds = np.concatenate([[0.0], np.cumsum(np.minimum(waits, max(LONGEST_WAIT, 10 * usual)))])
        return cls(ends, seconds if has_end else np.append(seconds, seconds[-1] + usual))

    @property
    def last(self) -> int:
        """The newest step of the run."""
        return int(self.steps[-1])

    @property
    def has_times(self) -> bool:
        """Whether recorded time can set the pace."""
        return len(self.seconds) > 0 and self.seconds[-1] > 0

    def seconds_at(self, position: float) -> float:
        """The recorded second of a step; between two steps in proportion."""
        return float(np.interp(position, self.steps, self.seconds))

    def position_at(self, second: float) -> float:
        """The step of a recorded second, the other way round."""
        return float(np.interp(second, self.seconds, self.steps))


def timeline_of(history: History) -> Timeline:
    """When each step of a run came."""
    times = history.times()
    steps = times.steps if times.steps.size else history.series("train_loss").steps
    return Timeline.of(steps, times.values, history.step)


@dataclass(frozen=True, slots=True)
class Playhead:
    """A place between two steps, whether it moves, how fast, and what sets the pace."""

    position: float = 0.0
    playing: bool = False
    speed: float = 1.0
    by_time: bool = True

    @property
    def step(self) -> int:
        """The step whose weights are shown."""
        return int(self.position)

    def advanced(self, seconds: float, timeline: Timeline) -> Self:
        """The playhead so many seconds of watching later; it stops at the newest step."""
        if not self.playing or seconds <= 0:
            return self
        if self.by_time and timeline.has_times:
            there = timeline.position_at(timeline.seconds_at(self.position) + seconds * self.speed)
        else:
            there = self.position + seconds * self.speed * STEPS_PER_SECOND
        if there >= timeline.last:
            return replace(self, position=float(timeline.last), playing=False)
        return replace(self, position=max(there, self.position))

    def at(self, step: float, timeline: Timeline) -> Self:
        """The playhead on a step of the run, the nearest there is."""
        return replace(self, position=float(min(max(step, 0), timeline.last)))

    def row(self, by: int, timeline: Timeline) -> Self:
        """The playhead one recorded step further (or back), standing still."""
        if by > 0:
            index = min(int(np.searchsorted(timeline.steps, self.step, side="right")), len(timeline.steps) - 1)
        else:
            index = max(int(np.searchsorted(timeline.steps, self.step, side="left")) - 1, 0)
        return replace(self.at(float(timeline.steps[index]), timeline), playing=False)

    def faster(self, by: int) -> Self:
        """The next speed of the ladder, up or down."""
        above = [speed for speed in SPEEDS if speed > self.speed]
        below = [speed for speed in SPEEDS if speed < self.speed]
        if by > 0:
            return replace(self, speed=above[0] if above else self.speed)
        return replace(self, speed=below[-1] if below else self.speed)


def comfortable_speed(timeline: Timeline, *, by_time: bool) -> float:
    """The slowest speed of the ladder at which the whole run passes within COMFORTABLE_SECONDS, if there is one."""
    timed = by_time and timeline.has_times
    length = timeline.seconds_at(timeline.last) if timed else timeline.last / STEPS_PER_SECOND
    fast_enough = [speed for speed in SPEEDS if length / speed <= COMFORTABLE_SECONDS]
    return fast_enough[0] if fast_enough else SPEEDS[-1]
