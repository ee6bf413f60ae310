"""The min/max envelope of a curve: a million points become one range a column, and no spike is lost.

A terminal column stands for many points. Drawing a sample of them hides spikes, so every column gets the minimum and
the maximum of *all* its points, and the values that the curve has at the column's two edges, so that neighbouring
columns meet and the drawn curve is connected. A point that is not finite (or is ≤ 0 on a log axis) breaks the curve.

Logarithms are taken of the few numbers that are left, not of the million: log10 is monotone, so the minimum of the
logarithms is the logarithm of the minimum (1,000,000 points: 1 ms instead of 8 ms).
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FARTHEST_STEP = 2.0**62


def log10_or_nan(y: Floats) -> Floats:
    """log10, with NaN for what has no logarithm (≤ 0, NaN); infinity stays infinity. Never warns."""
    result = np.full(np.shape(y), np.nan)
    np.log10(y, out=result, where=np.greater(y, 0))
    return result


def undrawable(y: Floats, *, log_y: bool = False) -> NDArray[np.intp]:
    """The indices of the points that break a curve: NaN, ±inf and, on a log axis, values ≤ 0."""
    low, high = (y.min(), y.max()) if len(y) else (1.0, 1.0)
    if np.isfinite(low) and np.isfinite(high) and (not log_y or low > 0):
        return np.zeros(0, np.intp)  # NaN comes through both, so clean data need no pass that writes
    return np.flatnonzero(~_drawable(y, log_y))


def envelope(
    x: Floats | NDArray[np.int64], y: Floats, edges: Floats, *, log_x: bool = False, log_y: bool = False
) -> tuple[Floats, Floats]:
    """The lowest and the highest value of the curve in every column.

    `x` never decreases; equal values are fine. `edges` are the n+1 increasing edges of n columns, a column owns its
    left edge, the last one owns both. With `log_x` the edges are log10(step) and steps below 1 count as 1; with
    `log_y` the result is log10(y). Between neighbouring points the curve is straight in those coordinates.
    Returns two arrays (n,), NaN where the curve is absent.
    """
    low, high = np.full((2, len(edges) - 1), np.nan)
    if not len(x):
        return low, high
    limits = _steps_at(edges) if log_x else edges
    cuts = first_from(x, limits)  # the first point at or right of every edge
    at_edges = _values_at(edges, cuts, x, y, log_x, log_y)
    cuts[-1] = first_after(x, limits[-1:])[0]
    filled = np.flatnonzero(cuts[:-1] < cuts[1:])
    if len(filled):
        low[filled], high[filled] = _extremes(y[: cuts[-1]], cuts[filled], log_y)
    low = np.fmin(low, np.fmin(at_edges[:-1], at_edges[1:]))
    high = np.fmax(high, np.fmax(at_edges[:-1], at_edges[1:]))
    return low, high


def first_from(x: Floats | NDArray[np.int64], limits: Floats) -> NDArray[np.intp]:
    """The index of the first point at or right of every limit.

    Whole-numbered steps are looked up by whole numbers: numpy would else copy all of them to float64 first, and a
    million of them cost more than drawing does.
    """
    return np.searchsorted(x, _whole(np.ceil(limits)) if x.dtype.kind == "i" else limits)


def first_after(x: Floats | NDArray[np.int64], limits: Floats) -> NDArray[np.intp]:
    """The index of the first point right of every limit."""
    if x.dtype.kind == "i":
        return np.searchsorted(x, _whole(np.floor(limits)), side="right")
    return np.searchsorted(x, limits, side="right")


def _whole(limits: Floats) -> NDArray[np.int64]:
    return np.clip(limits, -FARTHEST_STEP, FARTHEST_STEP).astype(np.int64)


def _drawable(y: Floats, log_y: bool) -> NDArray[np.bool_]:
    drawable = np.isfinite(y)
    if log_y:
        drawable &= y > 0
    return drawable


def _steps_at(edges: Floats) -> Floats:
    """The steps at edges given as log10(step); the left edge also takes the steps below 1."""
    steps = np.power(10.0, np.clip(edges, -300, 300))
    return np.where(edges <= 0, -np.inf, steps)


def _extremes(y: Floats, starts: NDArray[np.intp], log_y: bool) -> tuple[Floats, Floats]:
    """Minimum and maximum of the drawable points of every segment; a segment ends where the next one starts."""
    low, high = np.minimum.reduceat(y, starts), np.maximum.reduceat(y, starts)
    # NaN and infinity come through minimum and maximum, so clean data need no pass of their own.
    if not (np.isfinite(low).all() and np.isfinite(high).all()) or (log_y and (low <= 0).any()):
        gaps = ~_drawable(y, log_y)
        points = np.array(y, dtype=np.float64)
        points[gaps] = np.inf
        low = np.minimum.reduceat(points, starts)
        points[gaps] = -np.inf
        high = np.maximum.reduceat(points, starts)
        empty = low > high
        low[empty] = high[empty] = np.nan
    return (log10_or_nan(low), log10_or_nan(high)) if log_y else (low, high)


def _values_at(
    edges: Floats, cuts: NDArray[np.intp], x: Floats | NDArray[np.int64], y: Floats, log_x: bool, log_y: bool
) -> Floats:
    """The curve's value at every edge, from the points on either side; NaN where one is missing or undrawable."""
    values = np.full(len(edges), np.nan)
    inside = (cuts > 0) & (cuts < len(x))
    right = cuts[inside]
    x0, x1 = (np.asarray(x[i], dtype=np.float64) for i in (right - 1, right))
    y0, y1 = y[right - 1], y[right]
    if log_x:
        x0, x1 = (np.log10(np.maximum(part, 1.0)) for part in (x0, x1))
    if log_y:
        y0, y1 = log10_or_nan(y0), log10_or_nan(y1)
    joined = np.isfinite(y0) & np.isfinite(y1)
    y0, y1 = np.where(joined, y0, 0.0), np.where(joined, y1, 0.0)
    width = x1 - x0
    part = np.clip((edges[inside] - x0) / np.where(width > 0, width, 1.0), 0.0, 1.0)
    between = y0 * (1 - part) + y1 * part  # y0 + (y1 - y0) * part would overflow at 1e308
    between = np.clip(between, np.minimum(y0, y1), np.maximum(y0, y1))  # a constant stays one to the last bit
    values[inside] = np.where(joined, between, np.nan)
    return values
