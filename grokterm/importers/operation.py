"""Which operation a model computes: asked of the model itself, on all p² pairs."""

import math

from torch import Tensor

from grokterm.errors import UsageError
from grokterm.importers.choices import Operation
from grokterm.tasks.modular import OPERATIONS

SURE = 8.0
"""Standard deviations above guessing from which on an operation is learned: untrained weights reach 3."""
_SIGNS = {"add": "a + b", "subtract": "a − b"}


def find_operation(guesses: Tensor, p: int, said: Operation | None, hinted: str | None) -> tuple[Operation, str]:
    """Return the operation and why we say so; guesses (p²,) are the answers to the pairs in lexicographic order.

    A flag that the model contradicts is refused; so is a model that answers something else, or nothing yet, where
    neither flag nor config says what it is to learn. Raises UsageError.
    """
    shares = _shares(guesses, p)
    chance = 1 / p
    noise = math.sqrt(chance * (1 - chance) / len(guesses))
    learned = [name for name, share in shares.items() if share > chance + SURE * noise]
    told = " and ".join(f"{_SIGNS[name]} on {share:.1%}" for name, share in shares.items())
    best = max(shares, key=lambda name: shares[name])
    if learned:
        found: Operation = "add" if best == "add" else "subtract"
        if said is not None and said != found:
            raise UsageError(f"--operation {said}: the weights are right about {told} of all pairs, so they {found}")
        return found, f"the weights are right about {told} of all pairs"
    if said is not None:
        return said, f"from --operation; the weights do not show it: they are right about {told} of all pairs"
    if hinted in shares:
        return ("add" if hinted == "add" else "subtract"), f"from the file's config; the weights are right about {told}"
    config = f", and its config names {hinted!r}" if hinted else ""
    if _learned_product(guesses, p, chance + SURE * noise):
        raise UsageError(
            f"the weights answer a · b mod {p}, and grokterm's modular task knows {' and '.join(shares)} only"
        )
    raise UsageError(
        f"the weights are right about {told} of all pairs, so what they are to learn cannot be told{config}; "
        "say it, for instance --operation add"
    )


def _shares(guesses: Tensor, p: int) -> dict[str, float]:
    a, b = _pairs(guesses, p)
    return {name: float((guesses == operate(a, b) % p).double().mean()) for name, operate in OPERATIONS.items()}


def _learned_product(guesses: Tensor, p: int, least: float) -> bool:
    """Whether the model multiplies; right answers where a or b is 0 would show any model that says 0 as one."""
    a, b = _pairs(guesses, p)
    counted = (a > 0) & (b > 0)
    return float((guesses == a * b % p)[counted].double().mean()) > least


def _pairs(guesses: Tensor, p: int) -> tuple[Tensor, Tensor]:
    rows = guesses.new_tensor(range(p * p))
    return rows // p, rows % p
