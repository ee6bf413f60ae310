"""The run screen: one run, live; polls its directory, asks through its inbox, draws within its budget."""

import time
from typing import ClassVar, Protocol

from textual.binding import BindingType
from textual.timer import Timer

from grokterm.drawing.colours import Palette
from grokterm.history import History
from grokterm.run.outcome import ENDED
from grokterm.tui.keys import HINTS, LIVE, STEERING_HINTS, Hints, bindings
from grokterm.tui.live.budget import FrameBudget
from grokterm.tui.live.steering import SteeringScreen
from grokterm.tui.looks import Looks
from grokterm.tui.panel import Panel
from grokterm.tui.panels.log import describe
from grokterm.tui.screens.ask import AskChoice
from grokterm.tui.screens.help import READING_ABOUT, STEERING_ABOUT
from grokterm.tui.screens.panels import TICK_SECONDS

ANSWER_SECONDS = 0.03
"""How often an answer is looked for while a request is pending."""


class Trains(Protocol):
    """What the screen needs to know of the training it started, if it did."""

    def is_alive(self) -> bool:
        """Whether training goes on."""
        ...


class RunScreen(SteeringScreen):
    """One run, live. `training` is the training that belongs to this screen."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(LIVE)]
    groups = LIVE
    about = STEERING_ABOUT + READING_ABOUT

    def __init__(
        self,
        history: History,
        panels: dict[int, Panel],
        palette: Palette,
        looks: Looks,
        training: Trains,
        preset: str,
        budget: FrameBudget,
    ) -> None:
        super().__init__(history, panels, palette, looks, preset)
        self._training = training
        self._budget = budget
        self._answers: Timer | None = None
        self._events_seen = 0

    @property
    def hint_keys(self) -> Hints:
        """All of them, or those that only look once training has ended."""
        return HINTS if self.history.state not in ENDED else [hint for hint in HINTS if hint not in STEERING_HINTS]

    def on_mount(self) -> None:
        """Begin to poll."""
        self._answers = self.set_interval(ANSWER_SECONDS, self.poll, pause=True)
        self.set_interval(TICK_SECONDS, self.tick)

    def tick(self) -> None:
        """Look for news and, as far as the budget goes, draw the next stale panel."""
        self.poll()
        now, training = time.monotonic(), self.history.state == "training"
        self._budget.pay(now, time.thread_time(), training=training)
        self.end_notice(now)
        if self._budget.may_draw(now, training=training) and self.draw_next():
            self._budget.drew(now)

    # -- news from the run's directory

    def poll(self) -> frozenset[str]:
        """Read what is new, tell it, and follow the newest step."""
        changed = super().poll()
        self.looks = self.looks.followed(self.history.step)
        if "events" in changed:
            self._tell_news()
            self.draw_status()
            self.draw_hints()
        if self._answers is not None and not self.history.pending:
            self._answers.pause()
        return changed

    def look_for_answers(self) -> None:
        """Look at once, and often until every request is answered."""
        self.poll()
        if self._answers is not None:
            self._answers.resume()

    def _tell_news(self) -> None:
        for event in self.history.events[self._events_seen :]:
            if event.kind in ("refused", "error", "edit", "snapshot", "note"):
                kind, text, style = describe(event)
                self.say(f"{kind} at step {event.step:,}: {text}", problem=style == "problem")
        self._events_seen = len(self.history.events)

    # -- actions: leaving

    def action_leave(self) -> None:
        """Leave at once when nothing is training here; ask otherwise."""
        if not self._training.is_alive():
            self.app.exit()
            return
        answers = (("s", "stop training, save a full checkpoint, and quit"), ("c", "cancel: go on training"))
        self.app.push_screen(AskChoice("Quit?", answers), self._left)

    def _left(self, answer: str | None) -> None:
        if answer == "s":
            self.app.exit()
