"""What the events of a run come to: its state, step, phase and marks, without keeping the events.

Also what a state means: which ones end a run, and when a run was interrupted.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from grokterm.errors import RunError
from grokterm.run.events import Event, events_in, lines_in
from grokterm.run.story import RESUMED, Story

ENDED = frozenset({"finished", "stopped", "failed"})
"""The states after which there is no more of a run."""
INTERRUPTED = "interrupted"
"""What a run is called that told no end and that nobody trains."""
MOST_STEPS = 2**63
_TOLD = re.compile(rb'"(?:state|phase|steps)"')  # what a line must hold to change more than the step
_RESUMED = f'"{RESUMED}"'.encode()  # what a line must hold to take back what others told


def standing(state: str, *, alive: bool) -> str:
    """How a run stands whose trainer last told `state`: as told, "loading" before it told any, or interrupted."""
    return (state or "loading") if alive or state in ENDED else INTERRUPTED


def step_count(steps: object) -> int | None:
    """A number of steps as a run's files say it; None where what they say is no number of steps."""
    return int(steps) if isinstance(steps, int | float) and 1 <= steps < MOST_STEPS else None


@dataclass
class Outcome:
    """Where a run stands. `state`, `phase` and the plan in `steps` are the last that were told, "" or None for none."""

    state: str = ""
    step: int = 0
    steps: int | None = None
    phase: str = ""
    marks: dict[str, int] = field(default_factory=dict)

    def take_in(self, event: Event) -> None:
        """Take in the next event."""
        self.step = event.step
        match event.kind, event.data:
            case "state", {"state": str(state), **data}:
                self.state = "training" if state == RESUMED else state
                knobs = data.get("knobs") if self.state == "training" else None
                self._plan(knobs.get("steps") if isinstance(knobs, Mapping) else None)
            case "edit", {"knob": "steps", "new": new}:
                self._plan(new)
            case "phase", {"phase": str(phase), "at": int()}:
                self.phase = phase
            case "phase", {"mark": str(mark), "at": int(at)}:
                self.marks[mark] = at

    def _plan(self, steps: object) -> None:
        self.steps = told if (told := step_count(steps)) is not None else self.steps


def read_outcome(path: Path) -> Outcome:
    """Read events.jsonl; of a hundred thousand edits only the last line is parsed, unless the run was resumed.

    Raises RunError when the file exists and cannot be read.
    """
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - Path.open costs as much as the rest
            content = file.readall()
    except FileNotFoundError:
        return Outcome()
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}") from error
    lines = lines_in(content[: content.rfind(b"\n") + 1])
    told = Outcome()
    for event in _that_hold(lines) if _RESUMED in content else _that_matter(lines):
        told.take_in(event)
    return told


def _that_hold(lines: Sequence[bytes]) -> Sequence[Event]:
    story = Story()
    for event in events_in(lines):
        story.add(event)
    return story.events


def _that_matter(lines: Sequence[bytes]) -> Sequence[Event]:
    """The events that tell more than the step, and the last one: all that counts where all of them hold."""
    end, last = len(lines), list[Event]()
    while end and not last:
        end -= 1
        last = events_in(lines[end : end + 1])
    return events_in([*filter(_TOLD.search, lines[:end])]) + last
