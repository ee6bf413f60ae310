"""Types that a part's keyword arguments may have: what a preset may say, checked before torch is imported.

A part (task, model, optimizer) annotates its keyword arguments with these names; `catalog.py` reads the annotations
from the source text, and `preset.py` checks a preset's values against them.
"""

from typing import Annotated

from pydantic import AfterValidator, Field, ValidationError

LARGEST_P = 257
LARGEST_COUNT = 10**12
LARGEST_WINDOW = 1000


def is_prime(n: int) -> bool:
    """Whether n is a prime number, by trial division (p is small)."""
    return n > 1 and all(n % divisor for divisor in range(2, int(n**0.5) + 1))


def _odd_prime(n: int) -> int:
    if n > LARGEST_P:
        raise ValueError(f"must be an odd prime of at most {LARGEST_P}, for the measures' tables hold p³/2 numbers")
    if n > 2 and is_prime(n):
        return n
    below = next((m for m in range(n - 1, 2, -1) if is_prime(m)), None)
    above = next(m for m in range(max(n + 1, 3), 2 * max(n, 3) + 2) if is_prime(m))
    nearest = f"{below} or {above}" if below else f"{above}"
    raise ValueError(f"must be an odd prime; the nearest is {nearest}")


OddPrime = Annotated[int, AfterValidator(_odd_prime)]
"""p of a modular task: every frequency 1 … (p − 1)/2 runs through all residues, one cosine and one sine each.

At most LARGEST_P, because the measures hold tables of p³/2 float64 numbers: 68 MB there, 4 GB at p = 1009.
"""

Fraction = Annotated[float, Field(gt=0, lt=1)]
"""A share strictly between none and all."""

Count = Annotated[int, Field(ge=1, le=LARGEST_COUNT)]
"""How many of something, at least one; a table's <i8 and a float hold it exactly."""

CountOrZero = Annotated[int, Field(ge=0, le=LARGEST_COUNT)]
"""How many of something, none included."""

Seed = Annotated[int, Field(ge=0, lt=2**63)]
"""A seed of a random generator."""

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
"""A finite number above zero."""

NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
"""A finite number, zero included."""

Beta = Annotated[float, Field(ge=0, lt=1)]
"""The decay of a running average: 0 forgets at once, 1 would never forget."""

OnOff = Annotated[int, Field(ge=0, le=1)]
"""A switch that can be a knob: 0 is off, 1 is on."""

Window = Annotated[int, Field(ge=0, le=LARGEST_WINDOW)]
"""How many of the last gradients are kept, each a copy of the weights; 0 for none."""


def sentence(error: ValidationError) -> str:
    """What pydantic found wrong, as the end of a sentence."""
    first = error.errors()[0]
    if first["type"] == "missing":
        return "must have more values"
    message = first["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
    message = message.partition(", unable to parse")[0]
    return message[0].lower() + message[1:]
