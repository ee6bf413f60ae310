"""What a person asks one checkpoint, read from the command line's texts before anything is loaded.

    --ablate freq=14,23   --ablate freq=key   --ablate head=0   --ablate neurons=3,17   --ablate skip
    --keep-only key       --neurons 3,17      --inputs 5,9      --variants

Whether there is such a frequency, head or neuron is known when the checkpoint is (`edits.py`).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from grokterm.errors import UsageError, nearest

Kind = Literal["freq", "head", "neurons", "skip", "polynomials", "keep-only"]
Key = Literal["key"]

TOP = 5
"""Answers and neurons that are shown unless somebody wants more."""
_KINDS: Mapping[str, Kind] = {
    **dict.fromkeys(("freq", "freqs", "frequency", "frequencies"), "freq"),
    **dict.fromkeys(("head", "heads"), "head"),
    **dict.fromkeys(("neurons", "neuron"), "neurons"),
    "skip": "skip",
    **dict.fromkeys(("polynomials", "polynomial"), "polynomials"),
}
_NAMED = ("freq", "head", "neurons", "skip", "polynomials")
_EXAMPLES: Mapping[Kind, str] = {"freq": "freq=14,23 or freq=key", "head": "head=0", "neurons": "neurons=3,17"}
_REPLACED: tuple[Kind, ...] = ("head", "neurons", "skip")
"""What `--mean` is about: parts in whose place their mean may stand."""
_LONGEST = 9
"""Digits of a number: no network has so many neurons."""


@dataclass(frozen=True)
class Edit:
    """One thing that is done to the network before it is asked again; `said` is the option's words.

    numbers: frequencies, heads or neurons, ascending; "key" for the key frequencies; () for the skip path and for
    polynomials, of which there is one.
    """

    said: str
    kind: Kind
    numbers: tuple[int, ...] | Key = ()


@dataclass(frozen=True)
class Questions:
    """All that is asked at once.

    edits: each is made on its own, and all of them together where there are several; together they are in force for
    `inputs` too. mean: heads, neurons and skip path are replaced by their means instead of zero. inputs: pairs (a, b).
    variants: other people's definitions. top: how many answers and neurons are told of each.
    """

    edits: tuple[Edit, ...] = ()
    mean: bool = False
    neurons: tuple[int, ...] = ()
    heads: bool = False
    inputs: tuple[tuple[int, int], ...] = ()
    top: int = TOP
    variants: bool = False

    @property
    def is_none(self) -> bool:
        """Whether nothing was asked: then a summary is the answer."""
        return not (self.edits or self.neurons or self.heads or self.inputs or self.variants)


def read_questions(
    *,
    ablate: Sequence[str] = (),
    keep_only: str | None = None,
    mean: bool = False,
    neurons: str | None = None,
    heads: bool = False,
    inputs: Sequence[str] = (),
    top: int = TOP,
    variants: bool = False,
) -> Questions:
    """Read the options' texts. Raises UsageError that names the option and an example of what would be right."""
    edits = [_edit(text) for text in ablate]
    if mean and not any(edit.kind in _REPLACED for edit in edits):
        raise UsageError("--mean is about what stands in the place of a head, neurons or skip; --ablate names one")
    if keep_only is not None:
        kept = _frequencies(f"--keep-only {keep_only}", keep_only, "key or 14,23")
        edits.append(Edit(f"keep-only={_words(kept)}", "keep-only", kept))
    return Questions(
        tuple(dict.fromkeys(edits)),
        mean,
        () if neurons is None else _numbers(f"--neurons {neurons}", neurons, "3,17"),
        heads,
        tuple(dict.fromkeys(_pair(text) for text in inputs)),
        top,
        variants,
    )


def _edit(text: str) -> Edit:
    option = f"--ablate {text}"
    name, equals, said = (part.strip() for part in text.partition("="))
    kind = _KINDS.get(name.casefold())
    if kind is None:
        raise UsageError(f"{option}: there is no part {name!r} of the network; {nearest(name, _NAMED)}")
    if kind in ("skip", "polynomials"):
        if equals:
            raise UsageError(f"{option}: {kind} takes no numbers; write --ablate {kind}")
        return Edit(kind, kind)
    example = _EXAMPLES[kind]
    if not said:
        raise UsageError(f"{option} does not say which; write {example}")
    numbers = _frequencies(option, said, example) if kind == "freq" else _numbers(option, said, example)
    return Edit(f"{kind}={_words(numbers)}", kind, numbers)


def _frequencies(option: str, text: str, example: str) -> tuple[int, ...] | Key:
    return "key" if text.strip().casefold() in ("key", "keys") else _numbers(option, text, example)


def _numbers(option: str, text: str, example: str) -> tuple[int, ...]:
    return tuple(sorted({_whole(option, part, example) for part in text.split(",")}))


def _pair(text: str) -> tuple[int, int]:
    option, example = f"--inputs {text}", "the two numbers a,b of one input: 5,9"
    numbers = [_whole(option, part, example) for part in text.split(",")]
    if len(numbers) != 2:
        raise UsageError(f"{option}: write {example}")
    return numbers[0], numbers[1]


def _whole(option: str, text: str, example: str) -> int:
    said = text.strip()
    if not re.fullmatch(rf"[0-9]{{1,{_LONGEST}}}", said):
        raise UsageError(f"{option}: {said!r} is no whole number from 0 on; write {example}")
    return int(said)


def _words(numbers: tuple[int, ...] | Key) -> str:
    return numbers if isinstance(numbers, str) else ",".join(map(str, numbers))
