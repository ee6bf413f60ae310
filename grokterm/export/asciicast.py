"""An asciicast, version 2: the replay of a run for `asciinema play` and the players of web pages.

The format is asciinema's: a line of JSON that describes the terminal, then one line a picture, [seconds, "o", text],
where the text turns the picture before into this one.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TextIO, cast, get_args

import numpy as np

from grokterm.ancestry import find_parents, first_step
from grokterm.catalog import Catalog
from grokterm.errors import RunError, UsageError
from grokterm.export.choices import STANDS, Choices, standing
from grokterm.export.escapes import BEGIN, Colours, Painter, end
from grokterm.export.whole_screen import whole_screen
from grokterm.history import History
from grokterm.progress import Progress
from grokterm.run.directory import RunDirectory
from grokterm.text import plain
from grokterm.tui.looks import Looks
from grokterm.tui.replay.playhead import STEPS_PER_SECOND, timeline_of

SIZE = (120, 36)
"""Cells of the screen: wide enough for two columns of panels, high enough for the log."""
SECONDS = 30.0
"""In all, where nobody says how long; shorter for a run of few steps."""
RATE = 10
"""Pictures a second."""
LONGEST = 3600.0
"""Seconds that a recording may take: 36,000 pictures."""
ROUNDING = 1e-3
"""Of a step: unix times are a quarter of a microsecond apart, so what is meant to be a step may lie just before it."""


@dataclass(frozen=True)
class Pace:
    """How a recording moves: the step of every picture, the speed as a replay counts it, and what sets the pace.

    seconds: in all, those included in which the last picture stands.
    """

    steps: tuple[int, ...]
    speed: float
    clock: Literal["time", "steps"]
    seconds: float

    def transport(self, picture: int) -> str:
        """What the header says of it: the last picture stands."""
        sign = "‖" if picture == len(self.steps) - 1 else "▶"
        return f"{sign} {float(f'{self.speed:.3g}'):,g}× {self.clock}"


def write(run: RunDirectory, path: Path, progress: Progress, choices: Choices) -> str:
    """Write the file `path`. Takes size, colours, speed, seconds, first and last of `choices`."""
    width, height = choices.cells(SIZE)
    colours = _colours(choices)
    history = History(run)
    history.poll()
    find_parents(history)
    if history.config is None or not (history.names() or history.array_names()):
        raise RunError(f"{run.path} has recorded nothing yet, so there is nothing to export")
    pace = pace_of(history, choices)
    progress.begin(len(pace.steps))
    with path.open("w", encoding="utf-8", newline="\n") as file:
        _line(file, _header(history, width, height))
        for number, text in enumerate(_pictures(history, pace, width, height, colours)):
            if text:
                _line(file, [number / RATE, "o", text])
            progress.advance(1)
        _line(file, [pace.seconds, "o", end(height)])
    return f"{pace.seconds:g} s of {width}×{height} cells; `asciinema play` shows it"


def pace_of(history: History, choices: Choices) -> Pace:
    """Which step each picture shows. Raises UsageError for a length or a range of steps that cannot be.

    Recorded time sets the pace, long pauses cut short, as in a replay; steps do where no times were recorded.
    """
    timeline = timeline_of(history)
    first, last = choices.span(timeline.last, first_step(history))
    length = timeline.seconds_at(last) - timeline.seconds_at(first) if timeline.has_times else 0.0
    timed = length > 0
    length = length if timed else (last - first) / STEPS_PER_SECOND
    moving = _seconds(choices, length, int(np.count_nonzero((timeline.steps >= first) & (timeline.steps <= last))))
    parts = np.linspace(0.0, 1.0, max(round(moving * RATE), 1) + 1) if last > first else np.zeros(1)
    if timed:
        begun, ended = timeline.seconds_at(first), timeline.seconds_at(last)
        places = np.interp(begun + parts * (ended - begun), timeline.seconds, timeline.steps)
    else:
        places = first + parts * (last - first)
    steps = np.clip(places + ROUNDING, first, last).astype(int)
    steps[0], steps[-1] = first, last
    speed = length / ((len(parts) - 1) / RATE) if len(parts) > 1 else 1.0
    moving = (len(parts) - 1) / RATE
    whole = moving + STANDS if choices.seconds is None else max(choices.seconds, moving)
    return Pace(tuple(steps.tolist()), speed, "time" if timed else "steps", whole)


def _seconds(choices: Choices, length: float, rows: int) -> float:
    """How long the recording moves: as somebody chose, or as SECONDS allow; with a picture a row where they are few."""
    if choices.speed is not None and choices.seconds is not None:
        raise UsageError("--speed and --seconds both say how long it takes; give one of them")
    if choices.speed is not None:
        seconds = length / choices.speed
    elif choices.seconds is not None:
        seconds = choices.seconds - standing(choices.seconds)
    else:
        seconds = min(SECONDS - STANDS, max(rows - 1, 1) / RATE)
    if seconds > LONGEST:
        raise UsageError(
            f"that would take {seconds:,.0f} s, and a recording takes at most {LONGEST:,.0f} s; --seconds, a greater "
            "--speed, or --from and --until make it shorter"
        )
    return seconds


def _pictures(history: History, pace: Pace, width: int, height: int, colours: Colours) -> Iterator[str]:
    """What is written for each picture; nothing for one that is like the one before."""
    from grokterm.tui.app import load_panels

    panels = load_panels(Catalog())
    painter = Painter(width, height, colours)
    for number, step in enumerate(pace.steps):
        begin = "" if number else BEGIN
        transport = pace.transport(number)
        rows = whole_screen(history.at(step), panels, Looks(), width, height, transport=transport)
        yield begin + painter.paint(rows)


def _header(history: History, width: int, height: int) -> dict[str, object]:
    config = history.config or {}
    times = history.times().values
    started = config.get("started")
    known = isinstance(started, int | float) and 0 <= started < 1e11
    began = cast("float", started) if known else float(times[0]) if times.size and np.isfinite(times[0]) else 0.0
    return {
        "version": 2,
        "width": width,
        "height": height,
        "timestamp": int(began),
        "title": plain(history.run.name),
        "env": {"TERM": "xterm-256color"},
    }


def _colours(choices: Choices) -> Colours:
    chosen = choices.colours or "256"
    if chosen not in get_args(Colours):
        raise UsageError(f"--colors {chosen!r} is none of {', '.join(get_args(Colours))}")
    return cast("Colours", chosen)


def _line(file: TextIO, content: object) -> None:
    file.write(json.dumps(content, ensure_ascii=False, allow_nan=False) + "\n")
