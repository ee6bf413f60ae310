"""Spaces frames so that watching costs training no more than its share; pure.

What the screen's thread computes, the training thread waits for: both need Python's lock. So the cost of watching is
counted in processor seconds of the screen's thread, times what each of them costs training; less where another process
trains. They are paid from a purse that fills with `share` of the time that passes; a frame may be drawn when the purse
is not in debt.
"""

from dataclasses import dataclass

USUAL_SHARE = 0.03
"""The part of training time that watching may cost where nobody says otherwise."""

FASTEST = 0.1
"""Seconds between two frames at least: 10 frames/s."""

PURSE = 0.1
"""Seconds of drawing that can be saved up, for the moment after a quiet time."""

LOST_HERE = 3.0
"""Seconds of training that a processor second of the screen's thread costs: besides its own time, the two hand Python's
lock to and fro, and every thread of a matrix product waits for the one that was put off. An estimate: charged once, a
share of 3 % was seen to cost 12 % on 2 cores; charged three times, and looking for news less often, 4 % or less."""

LOST_ELSEWHERE = 1.0
"""The same when another process trains. The two share no lock of Python; at worst the screen takes a processor that
training wants, for as long as it computes."""

MOST_DEBT = 0.06
"""Seconds of drawing owed at most: somebody who holds a key down must not look at a frozen screen afterwards."""


@dataclass
class FrameBudget:
    """The purse. `share` is the part of training time that watching may cost (--frame-budget).

    lost: seconds of training that a processor second of the screen's thread costs.
    """

    share: float
    lost: float = LOST_HERE
    purse: float = PURSE
    _seen: float | None = None
    _spent: float = 0.0
    _drawn: float = float("-inf")

    def pay(self, now: float, spent: float, *, training: bool) -> None:
        """Account for the time up to `now` (s) in which the thread has used `spent` processor seconds in all.

        While nothing trains there is nobody to disturb, and nothing is charged.
        """
        if self._seen is not None and training:
            earned = (now - self._seen) * self.share
            cost = (spent - self._spent) * self.lost
            self.purse = min(max(self.purse + earned - cost, -MOST_DEBT), PURSE)
        self._seen, self._spent = now, spent

    def may_draw(self, now: float, *, training: bool) -> bool:
        """Whether a frame may be drawn now."""
        return now - self._drawn >= FASTEST and (self.purse > 0 or not training)

    def drew(self, now: float) -> None:
        """Remember that a frame was drawn."""
        self._drawn = now
