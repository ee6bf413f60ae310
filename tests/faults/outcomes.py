"""What a kind of fault was found to do: counts, and what was made sure of."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Result:
    """How often what was done, and what held every time. skipped: what could not be done here, and why."""

    counts: Mapping[str, int]
    checked: str
    skipped: str = ""

    def __str__(self) -> str:
        counts = ", ".join(f"{count:,} {what}" for what, count in self.counts.items())
        return f"{counts}; {self.checked}" + (f"; skipped: {self.skipped}" if self.skipped else "")
