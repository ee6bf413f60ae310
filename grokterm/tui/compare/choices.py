"""What a panel of a comparison can show: one or two series at a time, so that sixteen runs stay readable. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from grokterm.run.hindsight import PREFIX as HINDSIGHT
from grokterm.tui.compare.compared import Compared
from grokterm.tui.hindsight import repeats
from grokterm.tui.panels.excluded import Excluded
from grokterm.tui.panels.others import label_of, left_over
from grokterm.tui.panels.sparsity import Sparsity
from grokterm.tui.panels.vectors import LABELS
from grokterm.tui.panels.weight_norm import PREFIX

SPECTRA, TABLE = 4, 7
FEW = 4
"""Up to so many lines both losses are shown at once, unless somebody chooses otherwise."""
NO_CURVES = frozenset({"seconds"})
FIRST_SPECTRUM = "fourier_embedding"
RESULTS, READINGS = "results", "readings"
LIVE = " (live)"

Limits = tuple[float | None, float | None]
ANY: Limits = (None, None)
SHARE: Limits = (0.0, 1.0)
MARGINS = {"logit_margin_mean": "mean margin", "logit_margin_min": "least margin"}
SPECTRA_NAMES = {**LABELS, FIRST_SPECTRUM: "Fourier norms of W_E"}


@dataclass(frozen=True, slots=True)
class Choice:
    """What a panel shows: a name for its title, and series; the first is drawn in full, the second faint."""

    name: str
    series: tuple[str, ...]
    limits: Limits = ANY


@dataclass(frozen=True, slots=True)
class Overlay:
    """A panel: its digit, its name, whether its y axis is logarithmic unless somebody flips it."""

    digit: int
    name: str
    log_y: bool = False


OVERLAYS = (
    Overlay(1, "Loss", log_y=True),
    Overlay(2, "Accuracy"),
    Overlay(3, "Weight norm²"),
    Overlay(SPECTRA, "Spectra"),
    Overlay(5, "Progress", log_y=True),
    Overlay(6, "Sparsity"),
    Overlay(TABLE, "Table"),
    Overlay(8, "Others", log_y=True),
)


def choices(digit: int, runs: Sequence[Compared], lines: int) -> tuple[Choice, ...]:
    """What a panel can show of these runs, the first unless somebody chooses; `lines` is how many are drawn."""
    if digit == TABLE:
        return (Choice(RESULTS, ()), Choice(READINGS, ()))
    if digit == SPECTRA:
        found = {name for run in runs for name, array in run.arrays.items() if array.values.ndim > 1}
        there = [name for name in found if not repeats(name, found)]
        names = sorted(
            there,
            key=lambda name: (name != FIRST_SPECTRUM, name != "fourier_unembedding", name.startswith(HINDSIGHT), name),
        )
        return tuple(Choice(_spectrum_name(name), (name,)) for name in names)
    recorded = {name: None for run in runs for name in run.series}
    possible = _curves(digit, recorded, lines)
    return tuple(choice for choice in possible if all(name in recorded for name in choice.series))


def _spectrum_name(name: str) -> str:
    live = name.removeprefix(HINDSIGHT)
    return SPECTRA_NAMES.get(live, live) + (" (hindsight)" if live != name else "")


def _curves(digit: int, recorded: Collection[str], lines: int) -> Sequence[Choice]:
    match digit:
        case 1 | 2:
            what, limits = ("loss", ANY) if digit == 1 else ("accuracy", SHARE)
            return _pair(Choice("test", (f"test_{what}",), limits), Choice("train", (f"train_{what}",), limits), lines)
        case 3:
            parameters = [name for name in recorded if name.startswith(PREFIX)]
            total = Choice("total", ("weight_norm_sq",))
            return [total, *(Choice(name.removeprefix(PREFIX), (name,)) for name in parameters)]
        case 5:
            excluded, largest, restricted = (
                Choice(f"{curve.label}{LIVE}", (curve.column,)) for curve in Excluded.curves
            )
            later = [Choice(curve.label, (curve.column,)) for curve in Excluded.beside]
            largest = replace(largest, name=largest.name.removesuffix(LIVE))  # it needs no key frequencies
            return [*_pair(restricted, excluded, lines), *later, largest]
        case 6:
            shares = [Choice(curve.label, (curve.column,), SHARE) for curve in (*Sparsity.curves, *Sparsity.beside)]
            return [
                *shares,
                *(Choice(MARGINS.get(curve.column, curve.label), (curve.column,)) for curve in Sparsity.margins),
            ]
        case _:
            return [Choice(label_of(name), (name,)) for name in left_over([*recorded], NO_CURVES)]


def _pair(first: Choice, second: Choice, lines: int) -> list[Choice]:
    """Both, the second faint, and each alone; first what can be read with so many lines."""
    both = Choice(f"{first.name}, faint {second.name}", (*first.series, *second.series), first.limits)
    return [both, first, second] if lines <= FEW else [first, second, both]
