"""What was found out about checkpoints, kept until it takes too much room: the least recently wanted goes first."""

import copy
from collections import OrderedDict
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Protocol, Self

import numpy as np

from grokterm.circuit.circuit import Circuit
from grokterm.tui.microscope.checkpoints import Saved
from grokterm.tui.microscope.lens import Chooses, Subject

MOST_BYTES = 1 << 26
"""Of facts that are kept: at p = 113 those of all pictures of some hundred checkpoints."""
LEAST_BYTES = 1 << 10
"""What the smallest facts are counted as."""


class Looker(Protocol):
    """What can be asked of a checkpoint: a picture's half that computes."""

    key: str
    chooses: Chooses

    def look(self, circuit: Circuit, subject: Subject) -> Any:
        """Compute the facts."""
        ...


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a checkpoint: by the looker with this key, of this neuron, head or frequency if it shows one."""

    saved: Saved
    key: str
    one: int | None

    @classmethod
    def of(cls, saved: Saved, looker: Looker, subject: Subject) -> Self:
        """What a looker is to find out."""
        return cls(saved, looker.key, subject.of(looker.chooses))


@dataclass(frozen=True, eq=False, slots=True)
class Answer:
    """The facts that a picture draws, or the sentence about why there are none."""

    question: Question
    facts: Any = None
    trouble: str = ""


class Answers:
    """Answers by their questions. One thread at a time."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._kept: OrderedDict[Question, tuple[Answer, int]] = OrderedDict()
        self._bytes = 0
        self._newest: dict[str, Answer] = {}

    def keep(self, question: Question, facts: Any, trouble: str = "") -> None:
        """Keep an answer; of the facts a copy, as a view of a large array would keep all of it."""
        answer = Answer(question, copy.deepcopy(facts), trouble)
        size = LEAST_BYTES + bytes_of(answer.facts)
        self._forget(question)
        self._kept[question] = (answer, size)
        self._newest[question.key] = answer
        self._bytes += size
        while self._bytes > self._most and len(self._kept) > 1:
            self._forget(next(iter(self._kept)))

    def get(self, question: Question) -> Answer | None:
        """The answer, if it is kept; it is then the last to go."""
        found = self._kept.get(question)
        if found is None:
            return None
        self._kept.move_to_end(question)
        return found[0]

    def newest(self, key: str) -> Answer | None:
        """The answer for a picture that was found last, whatever the checkpoint."""
        return self._newest.get(key)

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()
        self._newest.clear()
        self._bytes = 0

    def _forget(self, question: Question) -> None:
        _, size = self._kept.pop(question, (None, 0))
        self._bytes -= size


def bytes_of(facts: Any) -> int:
    """How much room the arrays take in facts made of dataclasses, tuples and arrays."""
    if isinstance(facts, np.ndarray):
        return facts.nbytes
    if isinstance(facts, tuple):
        return sum(map(bytes_of, facts))
    if is_dataclass(facts):
        return sum(bytes_of(getattr(facts, field.name)) for field in fields(facts))
    return 0
