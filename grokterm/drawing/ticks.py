"""Where an axis gets its ticks and what they say: round positions, short labels, none twice, none overlapping."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

MINOR_DECADES = 1.5  # a log axis that spans less gets 2 and 5 between the decades
GAP = 3  # cells between two labels of a horizontal axis
ROWS_PER_LABEL = 3  # a vertical axis gets a label every so many rows at most
LARGEST_WHOLE = 1e15
"""Larger floats are no longer read as whole numbers."""
UNITS = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


def format_value(value: float) -> str:
    """A number for a readout: four significant digits, as short as they can be written."""
    return f"{value:.4g}"


def format_setting(value: float) -> str:
    """What somebody has set: a whole number in full, 30,000, any other as a readout."""
    if isinstance(value, float) and not (value.is_integer() and abs(value) < LARGEST_WHOLE):
        return format_value(value)
    return f"{int(value):,}"


def fraction(value: float, low: float, high: float) -> float:
    """Where `value` lies between `low` (0) and `high` (1); halves keep ±1e308 from overflowing."""
    if math.isfinite(high - low):
        return (value - low) / (high - low)
    return (value / 2 - low / 2) / (high / 2 - low / 2)


def linear_ticks(low: float, high: float, most: int, *, whole: bool = False) -> list[float]:
    """At most `most` multiples of 1, 2 or 5 × 10^k from `low` to `high`, as many as that allows."""
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low or most < 1:
        return []
    half = high / 2 - low / 2
    exponent = math.floor(math.log10(half)) - math.ceil(math.log10(most)) - 1 if half else 0
    exponent = max(exponent, 0) if whole else exponent
    for power in range(exponent, exponent + 9):
        for digit in (1, 2, 5):
            step = float(f"{digit}e{power}")
            if not (step and math.isfinite(step)):
                continue
            first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
            if last - first < most:
                ticks = [float(f"{index * digit}e{power}") for index in range(first, last + 1)]
                return [tick for tick in ticks if -1e-9 <= fraction(tick, low, high) <= 1 + 1e-9]
    return []


def log_ticks(low: float, high: float, most: int) -> list[float]:
    """At most `most` ticks of a log axis from 10^low to 10^high, as exponents.

    Decades, every second, third, fifth … one when they are too many; 1, 2, 5 within a decade when the axis is short;
    round numbers when it is shorter still.
    """
    if high <= low or most < 1:
        return []
    if high - low < MINOR_DECADES:
        minor = [k + math.log10(digit) for k in range(math.floor(low), math.ceil(high) + 1) for digit in (1, 2, 5)]
        inside = [tick for tick in minor if low - 1e-9 <= tick <= high + 1e-9]
        if 2 <= len(inside) <= most:
            return inside
        if len(inside) < 2 and -300 < low < high < 300:
            round_values = [value for value in linear_ticks(10.0**low, 10.0**high, most) if value > 0]
            if len(round_values) > len(inside):
                return [math.log10(value) for value in round_values]
    for every in (1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000):
        decades = range(math.ceil(low / every - 1e-9) * every, math.floor(high + 1e-9) + 1, every)
        if len(decades) <= most:
            return [float(k) for k in decades]
    return []


def step_labels(values: Sequence[float]) -> list[str]:
    """Labels of whole steps: 0, 500, 1k, 12.5k, 1.2M; in full where that is no longer."""
    short = [_with_unit(value) for value in values]
    plain = [_decimal(value, _decimals(values)) for value in values]
    return plain if max(map(len, plain), default=0) < max(map(len, short), default=0) else short


def value_labels(values: Sequence[float]) -> list[str]:
    """Labels of a linear axis: 0.0 0.5 1.0, 1.0k 2.4k, 1.5e-5; the same number of decimals on all of them."""
    largest = max((abs(value) for value in values), default=0.0)
    if largest and not 1e-3 <= largest < 1e12:
        return [_scientific(value) for value in values]
    plain = [_decimal(value, _decimals(values)) for value in values]
    for unit, suffix in UNITS:
        if largest >= unit:
            scaled = [value / unit for value in values]
            short = [_decimal(v, _decimals(scaled)) + suffix if v else "0" for v in scaled]
            return short if max(map(len, short)) <= max(map(len, plain)) else plain
    return plain


def log_labels(exponents: Sequence[float]) -> list[str]:
    """Labels of a log axis: 1e-4, 2e-4, 1e+2; as on a linear axis when the ticks are not 1, 2, 5."""
    labels = []
    for exponent in exponents:
        power = math.floor(exponent + 1e-9)
        digit = 10.0 ** (exponent - power)
        if not any(abs(digit - one) < 1e-6 for one in (1, 2, 5)):
            return value_labels([_rounded(10.0**e) for e in exponents])
        labels.append(f"{round(digit)}e{power:+d}")
    return labels if len(set(labels)) == len(labels) else value_labels([_rounded(10.0**e) for e in exponents])


def across(low: float, high: float, columns: int, *, log: bool = False, whole: bool = True) -> list[tuple[int, str]]:
    """Labels of a horizontal axis of steps as (column, label): a label's first character stands at its step.

    `low` and `high` are log10(step) with `log`; without `whole` they are any values. Labels keep their distance and end
    before the axis does.
    """
    tried: list[float] = []
    for most in range(max(columns // 6, 1), 0, -1):
        ticks = log_ticks(low, high, most) if log else linear_ticks(low, high, most, whole=whole)
        if ticks == tried:
            continue
        tried = ticks
        starts = [min(int(fraction(t, low, high) * columns), columns - 1) for t in ticks]
        if any(after - start <= GAP for start, after in pairwise(starts)):
            continue
        texts = _labels(ticks, log=log, whole=whole)
        placed = [(start, text) for start, text in zip(starts, texts, strict=True) if start + len(text) <= columns]
        if all(start + len(text) + GAP <= after for (start, text), (after, _) in pairwise(placed)):
            return placed
    return []


def upward(low: float, high: float, rows: int, *, log: bool = False, dots: int = 1) -> list[tuple[int, str]]:
    """Labels of a vertical axis as (row, label), top row 0, for a plot of `rows` cells of `dots` dots each."""
    most = max(rows // ROWS_PER_LABEL, 1) + (rows >= ROWS_PER_LABEL)
    labels: Callable[[Sequence[float]], list[str]] = log_labels if log else value_labels
    for count in range(most, 0, -1):
        ticks = log_ticks(low, high, count) if log else linear_ticks(low, high, count)
        places = [round((1 - fraction(t, low, high)) * (rows * dots - 1)) // dots for t in ticks]
        if all(lower - upper > 1 for lower, upper in pairwise(places)):
            return [(min(max(row, 0), rows - 1), text) for row, text in zip(places, labels(ticks), strict=True)]
    return []


def _labels(ticks: Sequence[float], *, log: bool, whole: bool) -> list[str]:
    if not whole:
        return log_labels(ticks) if log else value_labels(ticks)
    return step_labels([_rounded(10.0**t) for t in ticks]) if log else step_labels(ticks)


def _rounded(value: float) -> float:
    """`value` without the last bits that 10**log10(value) adds."""
    return float(f"{value:.12g}")


def _decimals(values: Sequence[float]) -> int:
    """The fewest decimals that write all values (to a millionth of their smallest distance)."""
    ordered = sorted(values)
    steps = [b - a for a, b in pairwise(ordered) if b > a]
    slack = min(steps, default=max(map(abs, values), default=1.0)) * 1e-6
    return next((d for d in range(18) if all(abs(round(v, d) - v) <= slack for v in values)), 18)


def _decimal(value: float, decimals: int) -> str:
    return f"{value + 0.0:.{decimals}f}"  # + 0.0: no "-0"


def _with_unit(value: float) -> str:
    """12500 as 12.5k, exactly; below a thousand as it is."""
    for unit, suffix in UNITS:
        if abs(value) >= unit:
            return f"{value / unit:.12g}{suffix}"
    return f"{value:.12g}"


def _scientific(value: float) -> str:
    """1.5e-5: no padding zeros; 0 as 0."""
    if not value:
        return "0"
    digits, _, power = f"{value:.12e}".partition("e")
    return f"{digits.rstrip('0').rstrip('.')}e{int(power):+d}"
