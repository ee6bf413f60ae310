"""Where the microscope's pictures get their facts: a thread that computes what was wished for last.

A wish is a checkpoint and the pictures to see of it, the most urgent first. A newer wish replaces the one that is being
seen to: what has begun is finished and kept, what has not is left. The thread holds one network with its activations at
a time (some 55 MB at p = 113, d_mlp = 512), and none any more once the workshop is closed.
"""

import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from grokterm.circuit.circuit import Circuit
from grokterm.circuit.one_processor import stay_on_one_processor
from grokterm.circuit.reading import read_circuit
from grokterm.errors import GroktermError, RunError
from grokterm.run.checkpoint import Kind, read_metadata
from grokterm.run.directory import RunDirectory
from grokterm.tui.microscope.checkpoints import Saved
from grokterm.tui.microscope.found import Answer, Answers, Looker, Question
from grokterm.tui.microscope.lens import Subject
from grokterm.tui.microscope.looking import Sizes

HURRY_SECONDS, REST_SECONDS = 0.12, 0.05
"""Wishes that come so soon after one another are those of a key held down: after the first picture of each the thread
rests, so that the other pictures, which may take longer, do not hold up the first one of the next."""
MOST_OPENED = 4096
"""Checkpoints of which it is remembered what they are."""
TROUBLES = (GroktermError, OSError, ValueError, ArithmeticError, MemoryError)
"""What strange weights can lead to: a matrix without singular values, numbers beyond all range, too many of them."""


@dataclass(frozen=True, eq=False, slots=True)
class Wish:
    """A checkpoint, and what is to be seen of it, the most urgent first."""

    saved: Saved
    lookers: Sequence[Looker]
    subject: Subject


@dataclass(frozen=True, slots=True)
class Opened:
    """What a checkpoint is, or the sentence about why it cannot be looked at."""

    kind: Kind | None = None
    sizes: Sizes | None = None
    trouble: str = ""


class Workshop:
    """Answers wishes in a thread of its own; every method is for the screen's thread, and returns at once."""

    def __init__(self, run: RunDirectory) -> None:
        self._run = run
        self._changed = threading.Condition()
        self._answers = Answers()
        self._opened: OrderedDict[Saved, Opened] = OrderedDict()
        self._wish: Wish | None = None
        self._seen_to: Wish | None = None  # the last wish that the thread is done with
        self._asked_at, self._in_a_hurry = float("-inf"), False
        self._closed = False
        self._held: tuple[Saved, Circuit] | None = None  # the thread's alone
        self._seconds = 0.0
        self._fault: BaseException | None = None
        self._works = False  # whether there is a thread
        self.told = 0
        """Counts what was found out: what one has seen all of need not be looked for again."""

    def ask(self, wish: Wish) -> None:
        """Wish for something; what was wished for before is not wanted any more."""
        now = time.monotonic()
        with self._changed:
            self._wish = wish
            self._in_a_hurry, self._asked_at = now - self._asked_at < HURRY_SECONDS, now
            if self._works or self._closed:
                self._changed.notify()
                return
            self._works, self._fault = True, None
        threading.Thread(target=self._work, name="microscope", daemon=True).start()

    def answer(self, question: Question) -> Answer | None:
        """What was found out; None while it was not."""
        with self._changed:
            return self._answers.get(question)

    def newest(self, key: str) -> Answer | None:
        """What was found out last for a picture, whatever the checkpoint."""
        with self._changed:
            return self._answers.newest(key)

    def opened(self, saved: Saved) -> Opened | None:
        """What a checkpoint is; None while it was not opened."""
        with self._changed:
            return self._opened.get(saved)

    @property
    def is_busy(self) -> bool:
        """Whether something that is wished for may still come."""
        return self._works and self._wish is not self._seen_to

    @property
    def fault(self) -> str:
        """What ended the thread before its time, "" for nothing: a fault of the program, not of the files."""
        return "" if self._fault is None else f"{type(self._fault).__name__}: {self._fault}"

    def spent(self) -> float:
        """Processor seconds that were spent computing since this was asked last; at most, where they are not known."""
        with self._changed:
            seconds, self._seconds = self._seconds, 0.0
        return seconds

    def close(self) -> None:
        """Let go of everything; the thread ends when it has finished what it has begun."""
        with self._changed:
            self._closed = True
            self._answers.clear()
            self._opened.clear()
            self._changed.notify()

    # -- in the thread

    def _work(self) -> None:
        clock = time.thread_time if stay_on_one_processor() else time.monotonic
        try:
            with np.errstate(all="ignore"):  # weights that are no numbers are data
                while (wish := self._next()) is not None:
                    begun = clock()
                    self._see_to(wish)
                    with self._changed:
                        self._seen_to = wish
                        self._seconds += clock() - begun
        finally:
            self._held = None
            with self._changed:
                self._works, self._fault = False, sys.exception()

    def _next(self) -> Wish | None:
        """The newest wish, as soon as there is one that is not seen to; None when the workshop is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._wish is not self._seen_to)
            return None if self._closed else self._wish

    def _is_wanted(self, wish: Wish) -> bool:
        return self._wish is wish and not self._closed

    def _see_to(self, wish: Wish) -> None:
        """Answer what is not answered yet, as long as it is wanted."""
        if self.opened(wish.saved) is None:
            self._open(wish.saved)
        for looker in wish.lookers:
            question = Question.of(wish.saved, looker, wish.subject)
            if not self._is_wanted(wish):
                return
            if self.answer(question) is not None:
                continue
            circuit = self._open(wish.saved)
            if circuit is None:
                return
            if not self._is_wanted(wish):
                return
            self._look(looker, circuit, wish)
            if self._in_a_hurry and looker is wish.lookers[0]:
                with self._changed:
                    self._changed.wait_for(lambda: not self._is_wanted(wish), REST_SECONDS)

    def _look(self, looker: Looker, circuit: Circuit, wish: Wish) -> None:
        question, facts, trouble = Question.of(wish.saved, looker, wish.subject), None, ""
        try:
            facts = looker.look(circuit, wish.subject)
        except TROUBLES as error:
            trouble = str(error) or type(error).__name__
        with self._changed:
            if not self._closed:
                self._answers.keep(question, facts, trouble)
                self.told += 1

    def _open(self, saved: Saved) -> Circuit | None:
        """The checkpoint's circuit; None, and the reason told, when there is none."""
        if self._held is not None and self._held[0] == saved:
            return self._held[1]
        self._held = None  # before the next one is loaded
        try:
            kind = read_metadata(saved.path).kind
            circuit = read_circuit(self._run, saved.info)
            if Saved.seen(saved.info) != saved:
                raise RunError(f"{saved.path} was replaced while it was read")
        except TROUBLES as error:
            self._tell(saved, Opened(trouble=str(error) or type(error).__name__))
            return None
        network = circuit.network
        self._tell(saved, Opened(kind, Sizes(network.d_mlp, network.n_heads, (network.p - 1) // 2)))
        self._held = (saved, circuit)
        return circuit

    def _tell(self, saved: Saved, opened: Opened) -> None:
        with self._changed:
            self.told += 1
            self._opened[saved] = opened
            self._opened.move_to_end(saved)
            while len(self._opened) > MOST_OPENED:
                self._opened.popitem(last=False)
