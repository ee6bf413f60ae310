"""Places in a run as a person writes them: a step, or a percentage of the run."""

import re

from grokterm.errors import UsageError

_WORD = re.compile(r"^step[\s=]+", re.IGNORECASE)
"""What may stand before a number, and says only that it is one of a step."""


def step_from(text: str, last: int) -> int | None:
    """The step that a person means: `1200`, `1,200`, `step 12k`, `1.5M` or `40%` of the run; None for anything else."""
    said = _WORD.sub("", text.strip()).replace(",", "").replace("_", "")
    scale, is_share = 1.0, said.endswith("%")
    if is_share:
        if _is_beyond(said):
            return None
        said, scale = said[:-1], last / 100
    elif said[-1:] in "kKmM" and said[-1:]:
        said, scale = said[:-1], {"k": 1e3, "m": 1e6}[said[-1].lower()]
    try:
        step = float(said) * scale
    except ValueError:
        return None
    if not 0 <= step < 1e18 or (not is_share and abs(step - round(step)) > 1e-6):
        return None
    return round(step)


def no_step(text: str) -> str:
    """The sentence about a text for which `step_from` is None."""
    if _is_beyond(text.strip()):
        return f"{text!r} is beyond the end: percentages are of the run and go up to 100%"
    return f"{text!r} is no step and no percentage; write 1200, 12k or 40%"


def _is_beyond(text: str) -> bool:
    """Whether it is a percentage of more than there is."""
    if not text.endswith("%"):
        return False
    try:
        return 100 < float(_WORD.sub("", text[:-1]).replace(",", "").replace("_", "")) < 1e18
    except ValueError:
        return False


def step_asked(text: str, last: int, option: str) -> int:
    """The step that a command line's option means in a run that ends at `last`. Raises UsageError otherwise."""
    step = step_from(text, last)
    if step is None:
        raise UsageError(f"{option} {no_step(text)}")
    return step
