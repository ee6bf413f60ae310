"""How often a microscope that follows a living run may look at a new checkpoint by itself; pure.

Its thread computes beside training, on one of the same processors, and a training step waits for the slowest of its own
threads: a processor second costs training up to a second. What the screen's thread draws costs it `lost` times as much
(`live/budget.py`). What a person asks for with a key is computed at once; following then waits as after a page of its
own.
"""

from dataclasses import dataclass


@dataclass
class Pace:
    """`share`: the part of training time that looking on may cost (--frame-budget)."""

    share: float
    lost: float = 1.0
    free: float = float("-inf")
    """When (time.monotonic) the last page is paid for."""

    def took(self, now: float, computing: float, drawing: float) -> None:
        """Account for processor seconds of the thread that computes and of the screen's, which have ended now."""
        cost = computing + drawing * self.lost
        self.free = max(self.free, now + cost / self.share if self.share > 0 else float("inf"))

    def may_go_on(self, now: float, *, training: bool) -> bool:
        """Whether the next checkpoint may be looked at now; always while nothing is trained."""
        return now >= self.free or not training
