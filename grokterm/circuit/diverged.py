"""Weights of a run that diverged: what is computed of them is inf or NaN, and never a warning on somebody's screen."""

from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T")

quiet = np.errstate(over="ignore", invalid="ignore", divide="ignore")
"""Decorates a function of weights: it says nothing where they overflow."""


def fact(compute: Callable[[Any], T]) -> "cached_property[T]":
    """Decorate a method without arguments: computed once, when it is first asked for, and quietly."""
    return cached_property(quiet(compute))
