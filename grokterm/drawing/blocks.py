"""Brings a matrix to the size of a grid: equal blocks become one value each, or each value a block of several cells."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Pooling = Literal["mean", "largest"]
"""What stands for a block of values: their mean, or the one that is farthest from zero."""


@dataclass(frozen=True, slots=True)
class Side:
    """How `count` values lie along a side of `room` cells: enlarged by a whole factor, or several values a cell."""

    count: int
    room: int

    @property
    def cells(self) -> int:
        """How many cells are used."""
        return self.count * (self.room // self.count) if self.room >= self.count else self.room

    @property
    def each(self) -> float:
        """Values per cell, at most 1 where none is lost."""
        return self.count / max(self.cells, 1)

    def cell(self, index: int) -> int:
        """The cell of a value's middle."""
        return int((index + 0.5) * self.cells / self.count)

    def first(self, index: int) -> int:
        """The first cell of a value."""
        return index * self.cells // self.count


@dataclass(frozen=True, eq=False, slots=True)
class Blocks:
    """A matrix as cells (rows, columns), and which of the cells have a value that is not finite."""

    values: Floats
    broken: NDArray[np.bool_]


def blocks(matrix: NDArray[np.floating], down: Side, across: Side, pooling: Pooling) -> Blocks:
    """Bring a matrix (rows, columns) to down.cells × across.cells; a value that is not finite counts in no block."""
    clean = matrix.astype(np.float64)
    finite = np.isfinite(clean)
    clean[~finite] = 0.0
    if pooling == "largest":
        values = _largest(_largest(clean, down).T, across).T
    else:
        values = _mean(clean, down, across)
        if not finite.all():
            weight = _mean(finite.astype(np.float64), down, across)
            values = np.divide(values, weight, out=np.zeros_like(values), where=weight > 0)
    return Blocks(values, _broken(finite, down, across))


def _broken(finite: NDArray[np.bool_], down: Side, across: Side) -> NDArray[np.bool_]:
    marked = np.zeros((down.cells, across.cells), dtype=bool)
    for row, column in np.argwhere(~finite).tolist():
        marked[_span(down, row), _span(across, column)] = True
    return marked


def _span(side: Side, index: int) -> slice:
    """The cells of an enlarged value, or the one that shows it with others."""
    if side.each <= 1:
        return slice(side.first(index), side.first(index + 1))
    return slice(side.cell(index), side.cell(index) + 1)


def _mean(matrix: Floats, down: Side, across: Side) -> Floats:
    return _along(_along(matrix, down).T, across).T


def _along(matrix: Floats, side: Side) -> Floats:
    if side.each <= 1:
        return np.repeat(matrix, side.cells // side.count, axis=0)
    means: Floats = _weights(side.count, side.cells) @ matrix
    return means


@lru_cache(maxsize=32)
def _weights(count: int, cells: int) -> Floats:
    """What part of each cell each value has, (cells, count): equal blocks, values on an edge belong to both."""
    edges = np.arange(cells + 1)[:, None] * (count / cells)
    index = np.arange(count)
    overlap = np.minimum(edges[1:], index + 1) - np.maximum(edges[:-1], index)
    weights: Floats = np.clip(overlap, 0, None) * (cells / count)
    weights.flags.writeable = False
    return weights


def _largest(matrix: Floats, side: Side) -> Floats:
    if side.each <= 1:
        return np.repeat(matrix, side.cells // side.count, axis=0)
    starts = np.searchsorted([side.cell(index) for index in range(side.count)], np.arange(side.cells))
    above, below = np.maximum.reduceat(matrix, starts), np.minimum.reduceat(matrix, starts)
    return np.where(above >= -below, above, below)
