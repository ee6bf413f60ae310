"""What a person may choose of an export: how large a film is, how long, from which step to which; whose weights."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields

from grokterm.errors import UsageError
from grokterm.places import step_asked

OPTIONS: Mapping[str, str] = {
    "size": "--size",
    "colours": "--colors",
    "speed": "--speed",
    "seconds": "--seconds",
    "first": "--from",
    "last": "--until",
    "frames": "--frames",
    "frequency": "--frequency",
    "step": "RUN@STEP",
}
"""What the command line calls each."""
SMALLEST, LARGEST = (20, 8), (400, 150)
"""Cells of a recorded screen: width and height."""
STANDS = 2.0
"""Seconds that the last picture stands longer than the others, before a player begins again."""


def standing(seconds: float) -> float:
    """How many of so many seconds in all the last picture stands: of few, half."""
    return min(STANDS, seconds / 2)


@dataclass(frozen=True)
class Choices:
    """The choices of `grokterm export`; None where nobody chose.

    size: cells of the screen, "120x36". speed: recorded seconds that pass in a second, as in a replay. seconds: in
    all, those included in which the last picture stands. first, last: steps or percentages, "12k", "40%". frames: most
    pictures. frequency: whose circle is shown. step: of the checkpoint whose weights are written alone.
    """

    size: str | None = None
    colours: str | None = None
    speed: float | None = None
    seconds: float | None = None
    first: str | None = None
    last: str | None = None
    frames: int | None = None
    frequency: int | None = None
    step: int | None = None

    def made(self) -> frozenset[str]:
        """The names of those that were made."""
        return frozenset(field.name for field in fields(self) if getattr(self, field.name) is not None)

    def cells(self, default: tuple[int, int]) -> tuple[int, int]:
        """Width and height of a screen. Raises UsageError for anything else."""
        if self.size is None:
            return default
        said = re.fullmatch(r"(\d{1,5})[xX×](\d{1,5})", self.size.strip())
        if said is None:
            raise UsageError(f"--size {self.size!r} is no size; write columns and rows: 120x36")
        width, height = int(said[1]), int(said[2])
        if not (SMALLEST[0] <= width <= LARGEST[0] and SMALLEST[1] <= height <= LARGEST[1]):
            allowed = " to ".join(f"{columns}x{rows}" for columns, rows in (SMALLEST, LARGEST))
            raise UsageError(f"--size {self.size} cannot be recorded; {allowed} can")
        return width, height

    def span(self, last: int, begins: int = 0) -> tuple[int, int]:
        """The first and the last step of a run from `begins` to `last`. Raises UsageError where none is between."""
        begin, end = self._step("first", begins, last), self._step("last", last, last)
        if begin > end or (begin == end and last > 0):
            raise UsageError(f"{OPTIONS['first']} {begin:,} is not before {OPTIONS['last']} {end:,}")
        return begin, end

    def _step(self, name: str, default: int, last: int) -> int:
        text = getattr(self, name)
        if text is None:
            return default
        step = step_asked(text, last, OPTIONS[name])
        if step > last:
            raise UsageError(f"{OPTIONS[name]} {text}: the run ends at step {last:,}")
        return step
