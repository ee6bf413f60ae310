"""What the events of a run come to: its state, step, phase and marks, without keeping the events."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from grokterm.errors import RunError
from grokterm.run.events import objects_in

_TOLD = re.compile(rb'"(?:state|phase|steps)"')  # what a line must hold to change more than the step


@dataclass
class Outcome:
    """Where a run stands. `state`, `phase` and the plan in `steps` are the last that were told, "" or None for none."""

    state: str = ""
    step: int = 0
    steps: int | None = None
    phase: str = ""
    marks: dict[str, int] = field(default_factory=dict)

    def take_in(self, data: Mapping[str, object]) -> None:
        """Take in one event as its line holds it; a line that is no event changes nothing."""
        kind, step = data.get("event"), data.get("step")
        if not isinstance(step, int) or not isinstance(data.get("time"), int | float):
            return
        self.step = step
        if kind == "state" and isinstance(state := data.get("state"), str):
            self.state = state
            knobs = data.get("knobs")
            self._plan(knobs.get("steps") if isinstance(knobs, dict) else None)
        elif kind == "edit" and data.get("knob") == "steps":
            self._plan(data.get("new"))
        elif kind == "phase" and isinstance(at := data.get("at"), int):
            phase, mark = data.get("phase"), data.get("mark")
            if isinstance(phase, str):
                self.phase = phase
            elif isinstance(mark, str):
                self.marks[mark] = at

    def _plan(self, steps: object) -> None:
        if isinstance(steps, int | float) and math.isfinite(steps):
            self.steps = int(steps)


def read_outcome(path: Path) -> Outcome:
    """Read events.jsonl; of a hundred thousand edits only the last line is parsed.

    Raises RunError when the file exists and cannot be read.
    """
    told = Outcome()
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - Path.open costs as much as the rest
            content = file.readall()
    except FileNotFoundError:
        return told
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}") from error
    *lines, last = [b"", *content[: content.rfind(b"\n") + 1].splitlines()]
    for item in objects_in([*filter(_TOLD.search, lines), last]):
        told.take_in(item or {})
    return told
