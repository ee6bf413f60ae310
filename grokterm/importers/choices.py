"""What a person says about a file of somebody else's. Read before torch is imported."""

from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from pydantic import TypeAdapter, ValidationError

from grokterm.errors import UsageError, nearest
from grokterm.values import Fraction, NotNegative, OddPrime, Seed, sentence

Procedure = Literal["python", "torch"]
Operation = Literal["add", "subtract"]


@dataclass(frozen=True)
class Split:
    """How the training pairs were drawn: `tasks/modular.py` knows the procedures."""

    procedure: Procedure
    seed: int

    def __str__(self) -> str:
        return f"{self.procedure}:{self.seed}"


@dataclass(frozen=True)
class Choices:
    """The flags of `grokterm import`; None is to be found out from the file."""

    p: int | None = None
    operation: Operation | None = None
    split: Split | None = None
    fraction: float | None = None
    lr: float | None = None
    weight_decay: float | None = None
    test_every: int | None = None


def parse_split(text: str) -> Split:
    """Read "python:1" or "torch:598". Raises UsageError."""
    procedure, colon, seed = text.partition(":")
    if not colon:
        raise UsageError(f"--split {text}: write it as PROCEDURE:SEED, for instance python:1 or torch:598")
    if procedure not in get_args(Procedure):
        raise UsageError(
            f"--split {text}: there is no procedure {procedure!r}; {nearest(procedure, get_args(Procedure))}"
        )
    return Split(cast("Procedure", procedure), int(_checked("--split", text, Seed, seed)))


def check(choices: Choices) -> Choices:
    """Return the choices when every number is one that a preset may have. Raises UsageError that names the flag."""
    for flag, value, annotation in (
        ("--p", choices.p, OddPrime),
        ("--fraction", choices.fraction, Fraction),
        ("--lr", choices.lr, NotNegative),
        ("--weight-decay", choices.weight_decay, NotNegative),
    ):
        if value is not None:
            _checked(flag, value, annotation, value)
    return choices


def _checked(flag: str, said: object, annotation: Any, value: object) -> float:
    try:
        number: float = TypeAdapter(annotation).validate_python(value)
    except ValidationError as error:
        raise UsageError(f"{flag} {said}: {sentence(error)}") from error
    return number
