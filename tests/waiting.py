"""Waits for a condition with a deadline: no test sleeps."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_for(condition: Callable[[], T], seconds: float = 30.0, what: str = "") -> T:
    """Return the first truthy result of `condition`; AssertionError when there is none within `seconds`."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, f"waited {seconds:g} s for {what or condition}"
        threading.Event().wait(0.01)
    return result
