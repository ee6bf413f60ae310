"""Places in a run as a person writes them: a step, or a percentage of the run."""

from grokterm.errors import UsageError


def step_from(text: str, last: int) -> int | None:
    """The step that a person means: `1200`, `1,200`, `12k`, `1.5M` or `40%` of the run; None for anything else."""
    said = text.strip().replace(",", "").replace("_", "")
    scale, is_share = 1.0, said.endswith("%")
    if is_share:
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
    return f"{text!r} is no step and no percentage; write 1200, 12k or 40%"


def step_asked(text: str, last: int, option: str) -> int:
    """The step that a command line's option means in a run that ends at `last`. Raises UsageError otherwise."""
    step = step_from(text, last)
    if step is None:
        raise UsageError(f"{option} {no_step(text)}")
    return step
