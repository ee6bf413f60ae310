"""What lies under the microscope: one checkpoint of a run, what is wished to be seen of it, what is known so far.

The screen's half without the screen: no Textual in here. Everything returns at once; `workshop.py` has the thread.
"""

import time
from collections.abc import Callable, Sequence

from grokterm.errors import RunError
from grokterm.history import History
from grokterm.run.checkpoint import CheckpointInfo
from grokterm.tui.microscope.about import About, AboutLens
from grokterm.tui.microscope.checkpoints import Checkpoints, Saved
from grokterm.tui.microscope.found import Answer, Question
from grokterm.tui.microscope.header import Stand
from grokterm.tui.microscope.lens import Lens, Subject
from grokterm.tui.microscope.looking import Sizes
from grokterm.tui.microscope.pace import Pace
from grokterm.tui.microscope.workshop import Opened, Wish, Workshop

SLOW_SECONDS = 0.3
"""How long a picture may take before it is said that it is computed: a word that flickers tells nothing."""
STILL_TRAINED = frozenset({"loading", "training", "paused"})
"""How training stands while a first checkpoint may still come."""
ABOUT_LENS = AboutLens()


class Bench:
    """`saved` is the checkpoint that is looked at; while `follows`, the newest takes its place as often as allowed."""

    def __init__(self, history: History, pace: Pace, standing: Callable[[], str]) -> None:
        """`history` is polled by somebody else; `standing` says how training stands now, "" where nobody trains."""
        self.checkpoints = Checkpoints(history.run.checkpoints)
        self.workshop = Workshop(history.run)
        self.saved: Saved | None = None
        self.follows = False
        self.sizes: Sizes | None = None
        """How many neurons, heads and frequencies there are, as soon as a checkpoint was opened."""
        self._history, self._pace, self._standing = history, pace, standing
        self._wished: tuple[tuple[Lens, ...], Subject] = ((), Subject())
        self._asked_at, self._screen_then = float("-inf"), 0.0

    # -- which checkpoint

    def begin(self, step: int | None) -> str:
        """Look at the checkpoint nearest to a step, or follow the newest; a sentence where that needs one."""
        said = self._poll()
        self.follows = step is None
        info = self.checkpoints.newest if step is None else self.checkpoints.nearest(step)
        if info is None:
            return said
        self.put(info)
        if said or step is None:
            return said
        here = f"step {info.step:,} is the checkpoint nearest to step {step:,}" if step != info.step else ""
        if self._standing() not in STILL_TRAINED:
            return here
        return f"{here or f'step {info.step:,}, at the cursor'}; end follows the newest"

    def put(self, info: CheckpointInfo, *, again: bool = False) -> bool:
        """Look at this checkpoint, as its file is now; False when it is not there any more.

        again: also where it is looked at already, if it could not be read then.
        """
        saved = Saved.seen(info)
        if saved is not None and (saved != self.saved or (again and self.trouble())):
            self.saved = saved
            self._ask()
        return saved is not None

    def look_for_news(self, now: float) -> str:
        """Checkpoints come while a run is trained, and go when it is resumed; a sentence where that needs one."""
        self.pay(now)
        said, before, newest = self._poll(), self.saved, self.checkpoints.newest
        if newest is None:
            self.saved = None
            return said
        if before is None or self.follows:
            is_free = not self.workshop.is_busy and self._pace.may_go_on(now, training=self._standing() == "training")
            if before is None or is_free:
                self.put(newest)
            return said
        nearest = self.checkpoints.nearest(before.step) or newest
        self.put(nearest)
        return said if nearest.step == before.step else f"the checkpoint of step {before.step:,} is gone"

    def _poll(self) -> str:
        try:
            self.checkpoints.poll()
        except RunError as error:
            return str(error)
        return ""

    # -- what is seen of it

    def wish(self, lenses: Sequence[Lens], subject: Subject) -> None:
        """See these pictures, the most urgent first, from now on."""
        wished = (tuple(lenses), subject)
        if wished != self._wished:
            self._wished = wished
            self._ask()

    def _ask(self) -> None:
        (lenses, subject), saved = self._wished, self.saved
        if saved is not None and lenses:
            self._asked_at, self._screen_then = time.monotonic(), time.thread_time()
            self.workshop.ask(Wish(saved, (*lenses, ABOUT_LENS), subject))

    def pay(self, now: float) -> None:
        """Account for what was computed, and for what the calling thread has done since it was wished for."""
        seconds = self.workshop.spent()
        if seconds:
            self._pace.took(now, seconds, time.thread_time() - self._screen_then)

    def answer(self, lens: Lens) -> Answer | None:
        """What was found out for a picture of what is looked at; None while it was not."""
        return None if self.saved is None else self.workshop.answer(Question.of(self.saved, lens, self._wished[1]))

    def before(self, lens: Lens) -> Answer | None:
        """What was found out for a picture last: it stays in sight until there is an answer."""
        return None if self.trouble() else self.workshop.newest(lens.key)

    def late(self, lens: Lens, now: float) -> str:
        """What is to be said of a picture without an answer, "" for nothing (yet)."""
        if not self.workshop.is_busy or now - self._asked_at < SLOW_SECONDS:
            return ""
        before = self.before(lens)
        other = before is not None and self.saved is not None and before.question.saved.step != self.saved.step
        return f" · of step {before.question.saved.step:,}, computing …" if before and other else " · computing …"

    def trouble(self) -> str:
        """Why nothing is to be seen, in a sentence; "" where nothing is amiss."""
        opened, run = self.opened, self._history.run
        if self.saved is None:
            return self._none_yet()
        if opened is not None and opened.trouble:
            return opened.trouble.replace(f"{run.path}/", "")
        fault = self.workshop.fault
        return f"computing broke off; this is a fault of grokterm: {fault}" if fault else ""

    def _none_yet(self) -> str:
        every = self._history.knobs.get("checkpoint_every", 0)
        if self._standing() not in STILL_TRAINED:
            return "this run has no checkpoints, so there is nothing to look at more closely"
        cadence = f", and writes one every {every:,.0f} steps" if every else ""
        return f"no checkpoint yet: the trainer has written none{cadence}; the pictures come with the first"

    @property
    def opened(self) -> Opened | None:
        """What the checkpoint is; None while it was not opened."""
        opened = None if self.saved is None else self.workshop.opened(self.saved)
        if opened is not None and opened.sizes is not None:
            self.sizes = opened.sizes
        return opened

    @property
    def about(self) -> About | None:
        """What was found out of the checkpoint; None while it was not."""
        answer = None if self.saved is None else self.workshop.answer(Question.of(self.saved, ABOUT_LENS, Subject()))
        found: About | None = None if answer is None else answer.facts
        return found

    def stand(self) -> Stand:
        """What the header tells."""
        history, saved, about = self._history, self.saved, self.about
        standing = self._standing()
        at = history.step
        if saved is None:
            return Stand(history.run.name, None, 0, 0, self.follows, None, None, False, standing, at)
        before = self.workshop.newest(ABOUT_LENS.key)
        shown = about if about is not None or before is None else before.facts
        place, count = self.checkpoints.place(saved.step), len(self.checkpoints)
        return Stand(
            run=history.run.name,
            step=saved.step,
            number=place,
            count=count,
            follows=self.follows,
            opened=self.opened,
            about=shown,
            is_late=about is None,
            standing=standing,
            at=at,
            about_step=None if before is None else before.question.saved.step,
        )
