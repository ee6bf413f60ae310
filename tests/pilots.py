"""Waiting, inside a Textual pilot, for what the screen comes to."""

import time
from collections.abc import Callable
from typing import Any

from textual.pilot import Pilot

DEADLINE_SECONDS = 30.0


async def until(pilot: Pilot[Any], condition: Callable[[], object]) -> None:
    """Let the program go on until a condition holds; fail when it does not before the deadline."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "the screen never got there"
        await pilot.pause(0.01)
