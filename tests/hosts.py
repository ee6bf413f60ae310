"""What a trainer needs of whoever hosts it, in tests that train in their own thread."""

import threading
from typing import Literal

from grokterm.engine.launch import Host


class NoLock:
    """A lock that nobody contests; `troubles` are what the trainer said that it waits for."""

    def __init__(self) -> None:
        self.troubles: list[str] = []

    def trouble(self, text: str) -> None:
        self.troubles.append(text)

    def check(self) -> None:
        pass


def alone(
    *,
    lock: NoLock | None = None,
    given_up: threading.Event | None = None,
    on_divergence: Literal["pause", "stop"] = "pause",
) -> Host:
    """A host without screen or lock."""
    return Host(lock or NoLock(), given_up or threading.Event(), on_divergence=on_divergence)
