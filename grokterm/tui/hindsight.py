"""How panels show what is known in hindsight: beside the live curve of the same measure, and never twice."""

from collections.abc import Collection

from grokterm.run.hindsight import PREFIX
from grokterm.tui.panel import Curve

SIGN = "(h)"
"""Behind what is known in hindsight, where there is no room for the word."""

BY_KEYS = frozenset(
    {
        *("restricted_loss", "restricted_loss_train", "restricted_loss_test"),
        *("excluded_loss", "logit_fve", "logit_cosines_loss"),
    }
)
"""What is recorded live and is another number with other key frequencies."""


def in_hindsight(curve: Curve, ascii_marker: str) -> Curve:
    """The same measure with the key frequencies that the run ended with: in the same colour, a thick line."""
    short = f"{curve.short or curve.label} {SIGN}"
    return Curve(f"{PREFIX}{curve.column}", f"{curve.label} (hindsight)", curve.style, "thick", ascii_marker, short)


def repeats(name: str, recorded: Collection[str]) -> bool:
    """Whether a series or array of hindsight is what was recorded live once more: it needs no key frequencies."""
    live = name.removeprefix(PREFIX)
    return live != name and live in recorded and live not in BY_KEYS
