"""Which events of a run hold: a run that was resumed tells some of its steps a second time.

`resumed` with `keeps` N says: of all events before it in the file, the first N hold, and the later ones will be told
again as they happen again. Events are counted as lines of the file that are events, those that hold no longer too.
"""

from bisect import bisect_left

from grokterm.run.events import Event

RESUMED = "resumed"
"""The state that training declares when it goes on from a checkpoint."""


class Story:
    """The events of one run, told in the order of its file."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        """Those that hold, in the order of the file."""
        self.count = 0
        """How many were told, those that hold no longer too."""
        self._places: list[int] = []  # of `events`: how many lines of the file came before each; ascending

    def add(self, event: Event) -> bool:
        """Take in the next event of the file; say whether it went back, so that earlier ones hold no longer.

        A `keeps` that cannot be meant (none, no integer, negative, more than were told) takes nothing back.
        """
        keeps = self._kept(event) if is_resumption(event) else self.count
        went_back = bool(self._places) and self._places[-1] >= keeps
        while self._places and self._places[-1] >= keeps:
            self._places.pop()
            self.events.pop()
        self._places.append(self.count)
        self.events.append(event)
        self.count += 1
        return went_back

    def since(self, count: int) -> list[Event]:
        """Return those that hold of the events told after the first `count`."""
        return self.events[bisect_left(self._places, count) :]

    def _kept(self, event: Event) -> int:
        match event.data.get("keeps"):
            case bool():
                return self.count
            case int(keeps) if 0 <= keeps <= self.count:
                return keeps
        return self.count


def is_resumption(event: Event) -> bool:
    """Whether training went on from a checkpoint here: every table of the run was cut before this was written."""
    return event.kind == "state" and event.data.get("state") == RESUMED
