"""How panels show what is known in hindsight: beside the live curve of the same measure, and never twice."""

from collections.abc import Collection

from grokterm.run.hindsight import PREFIX
from grokterm.tui.panel import Curve

SIGN = "(h)"
"""Behind what is known in hindsight, where there is no room for the word."""


def in_hindsight(curve: Curve, ascii_marker: str) -> Curve:
    """The same measure with the key frequencies that the run ended with: in the same colour, another pattern."""
    column, label, short = f"{PREFIX}{curve.column}", f"{curve.label} (hindsight)", f"{curve.label} {SIGN}"
    return Curve(column, label, curve.style, "long", ascii_marker, short)


def repeats(name: str, recorded: Collection[str]) -> bool:
    """Whether a series or array of hindsight has one of the same name that was recorded live.

    Where it needs no key frequencies it is the same again; the panels of those that do ask for both.
    """
    return name.startswith(PREFIX) and name.removeprefix(PREFIX) in recorded
