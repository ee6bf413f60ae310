"""What a person types after g: which neuron, head or frequency, or which step. Pure."""

import re
from dataclasses import dataclass
from typing import Literal

from grokterm.errors import nearest
from grokterm.places import no_step, step_from
from grokterm.tui.microscope.lens import Chooses
from grokterm.tui.microscope.looking import Sizes, least

WORDS: dict[str, Chooses] = {
    **dict.fromkeys(("n", "neuron"), "neuron"),
    **dict.fromkeys(("h", "head"), "head"),
    **dict.fromkeys(("f", "freq", "frequency", "k"), "frequency"),
}
STEP_WORDS = ("s", "step")


@dataclass(frozen=True, slots=True)
class Goal:
    """Where the person wants to go; `problem` says why it cannot be understood."""

    what: Literal["neuron", "head", "frequency", "step", ""] = ""
    number: int = 0
    problem: str = ""


def understand(text: str, shown: Chooses, sizes: Sizes | None, last: int) -> Goal:
    """The goal that a text means: "neuron 17", "k=14", "step 12k", "40%"; a number alone: one of what is `shown`.

    Where a picture shows none of several things, a number alone could be anything, and is asked about.
    sizes: how many there are, None while that is not known. last: the step that percentages are of.
    """
    said = _WORD_AND_NUMBER.fullmatch(text.strip())
    word, rest = said.groups() if said is not None else ("", text)
    if not word and rest.isdigit():
        ways = ", ".join(f"{name} {rest}" for name in ("step", "neuron", "head"))
        return _one(shown, rest, sizes) if shown else Goal(problem=f"{rest} of what? Write {ways} or frequency {rest}")
    if not word:
        return _step(text, last)
    if word.casefold() in STEP_WORDS:
        return _step(rest, last)
    chooses = WORDS.get(word.casefold())
    if chooses is None:
        return Goal(problem=f"there is no {word!r} to go to; {nearest(word, _NAMES)}")
    return _one(chooses, rest, sizes)


_WORD_AND_NUMBER = re.compile(r"([A-Za-z]*)[\s=]*(.*)")
_NAMES = ("neuron", "head", "frequency", "step")


def _one(chooses: Chooses, text: str, sizes: Sizes | None) -> Goal:
    first = least(chooses)
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        return Goal(problem=f"{text!r} is no number of a {chooses}; write {chooses} {first + 2}")
    number = int(text)
    count = sizes.of(chooses) if sizes is not None else number + 1
    if not first <= number < first + count:
        return Goal(problem=f"there is no {chooses} {number}: they go from {first} to {first + count - 1}")
    return Goal(chooses, number)


def _step(text: str, last: int) -> Goal:
    step = step_from(text, last)
    return Goal(problem=no_step(text)) if step is None else Goal("step", step)
