"""The table of a network's parameters: how large each is, and what share of the weight norm it holds."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from grokterm.circuit.diverged import quiet
from grokterm.circuit.network import Array


@dataclass(frozen=True)
class Parameter:
    """One weight tensor. sumsq: Σ w²; share: of Σ w² of all; rms: √(Σ w² / count); zeros: the share of exact zeros."""

    name: str
    shape: tuple[int, ...]
    count: int
    sumsq: float
    share: float
    rms: float
    largest: float
    zeros: float


@quiet
def parameter_table(parameters: Mapping[str, Array]) -> tuple[Parameter, ...]:
    """One row a tensor in the order given; `Network.parameters`, or a checkpoint's own. Sums are float64."""
    sums = {name: float(np.square(weight, dtype=np.float64).sum()) for name, weight in parameters.items()}
    total = sum(sums.values())
    return tuple(_row(name, weight, sums[name], total) for name, weight in parameters.items())


def _row(name: str, weight: Array, sumsq: float, total: float) -> Parameter:
    return Parameter(
        name=name,
        shape=weight.shape,
        count=weight.size,
        sumsq=sumsq,
        share=sumsq / total if total else 0.0,
        rms=(sumsq / weight.size) ** 0.5 if weight.size else 0.0,
        largest=float(np.abs(weight).max(initial=0)),
        zeros=float(np.mean(weight == 0)) if weight.size else 0.0,
    )
