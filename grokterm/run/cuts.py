"""Tells when a run's tables were cut: what was read of them before that may be recorded anew, and other.

A table that was cut and has grown again since is no shorter than before, so its size alone does not say it.
"""

from grokterm.run.directory import RunDirectory
from grokterm.run.events import LineTail, event_from
from grokterm.run.story import is_resumption


class Cuts:
    """Follows a run's events for one who reads tables alone: look at it after the tables, and read them anew if so."""

    def __init__(self, run: RunDirectory) -> None:
        self._lines = LineTail(run.events_path)

    def new(self) -> bool:
        """Whether tables were cut since the last call, or ever at the first. Raises RunError when that is not known."""
        lines = self._lines.new()
        return any(is_resumption(event) for line in lines if (event := event_from(line)) is not None)
