"""Every series of every run in full, at a place or at two: the pages of a comparison. Pure."""

from collections.abc import Iterable

from grokterm.drawing.ticks import format_value
from grokterm.tui.compare.comparison import Comparison
from grokterm.tui.differences import table

NONE = "–"


def values_text(comparison: Comparison, x: int) -> str:
    """A line a series and run: the row recorded last at or before x, and its value in full."""
    lines: list[tuple[str, ...]] = [("", "step", "value")]
    for name in _names(comparison):
        lines.append((name,))
        for track in comparison.tracks:
            for index in track.members:
                found = _row(comparison, index, name, x)
                cells = (NONE, NONE) if found is None else (f"{found[0]:,}", repr(found[1]))
                lines.append((f"  {comparison.looks[index].label}", *cells))
    return f"{_who(comparison)}\n\n{table(lines)}"


def differences_text(comparison: Comparison, a: int, b: int) -> str:
    """A line a series and run: its values in full at or before A and B, their difference and ratio."""
    lines: list[tuple[str, ...]] = [("", "A", "B", "B − A", "B / A")]
    for name in _names(comparison):
        lines.append((name,))
        for track in comparison.tracks:
            for index in track.members:
                first, second = (comparison.value(index, name, x) for x in (a, b))
                at_a, at_b = (NONE if value is None else repr(value) for value in (first, second))
                between: tuple[str, ...] = ()
                if first is not None and second is not None:
                    between = (format_value(second - first), format_value(second / first) if first else "")
                lines.append((f"  {comparison.looks[index].label}", at_a, at_b, *between))
    return f"{_who(comparison)}\n\n{table(lines)}"


def _names(comparison: Comparison) -> Iterable[str]:
    """Every series that any run records, in the order of the first that does."""
    return dict.fromkeys(name for run in comparison.runs for name in run.series)


def _row(comparison: Comparison, index: int, name: str, x: int) -> tuple[int, float] | None:
    run = comparison.runs[index]
    step = comparison.step_of(index, x)
    value = run.value(name, step)
    if value is None or step is None:
        return None
    steps = run.series[name].steps
    return int(steps[steps.searchsorted(step, side="right") - 1]), value


def _who(comparison: Comparison) -> str:
    """Which label is which run."""
    return "\n".join(f"{look.label} {name}" for look, name in zip(comparison.looks, comparison.names, strict=True))
