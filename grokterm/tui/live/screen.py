"""The run screen: one run, live; polls its directory, asks through its inbox, draws within its budget."""

import time
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol, cast

from textual.binding import BindingType
from textual.timer import Timer

from grokterm.drawing.cells import Row
from grokterm.drawing.colours import Palette
from grokterm.history import History
from grokterm.run.finding import without_date
from grokterm.run.hindsight import is_being_measured
from grokterm.run.living import went_on_in
from grokterm.tui import status
from grokterm.tui.keys import HINTS, LIVE, STEERING_HINTS, Hints, bindings
from grokterm.tui.live.budget import FrameBudget
from grokterm.tui.live.liveness import LOOK_SECONDS, Divergence, Liveness, divergence_of, look, notice, stands
from grokterm.tui.live.steering import SteeringScreen
from grokterm.tui.looks import Looks
from grokterm.tui.panel import Panel
from grokterm.tui.panels.log import describe, number_text
from grokterm.tui.ready import make_ready
from grokterm.tui.screens.ask import AskChoice
from grokterm.tui.screens.help import READING_ABOUT, STEERING_ABOUT
from grokterm.tui.screens.keyed import NOTICE_SECONDS
from grokterm.tui.screens.panels import TICK_SECONDS

if TYPE_CHECKING:
    from grokterm.tui.live.app import LiveApp

ANSWER_SECONDS = 0.03
"""How often an answer is looked for while a request is pending."""


class Trains(Protocol):
    """What the screen needs to know of the training behind it."""

    here: bool
    """Whether it is a thread of this program, and ends with it."""

    @property
    def is_started(self) -> bool:
        """Whether it was begun with; a thread of this program is once the first frame is out."""
        ...

    def is_alive(self) -> bool:
        """Whether training goes on."""
        ...


class RunScreen(SteeringScreen):
    """One run, live. `training` trains it, here or elsewhere; `read_only`: nothing is asked of it."""

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
        *,
        read_only: bool = False,
    ) -> None:
        super().__init__(history, panels, palette, looks, preset)
        self.read_only = read_only
        self.first_words = ""
        """What to say once the screen is there."""
        self._training = training
        self._budget = budget
        self._answers: Timer | None = None
        self._heard = self._known = history.told  # events before this screen are no news
        self._quiet_until = 0.0
        self._is_left = False  # for the screen of a fork; this one's timers may run once more until it is removed
        self._divergence: Divergence | None = None
        self._liveness = Liveness()
        self._is_measured = False  # in hindsight, now
        self._looked = time.monotonic()
        self._is_ready = False  # for the microscope

    @property
    def state(self) -> str:
        """How the run stands: interrupted when it told no end and nobody trains it.

        Until training here has told something, torch is loading, whatever an earlier trainer told.
        """
        if self._owns and self.history.told == self._known:
            return "loading"
        return stands(self.history, self._found)

    @property
    def standing(self) -> str:
        """As the header says it."""
        return self.state

    @property
    def pace(self) -> tuple[float, float]:
        """As the frame budget has it."""
        return self._budget.share, self._budget.lost

    @property
    def _found(self) -> Liveness:
        """What the last look at the lock found; a thread of this program trains whatever the lock says."""
        return replace(self._liveness, alive=True) if self._owns else self._liveness

    @property
    def _owns(self) -> bool:
        """Whether training ends with this program, and has not ended."""
        return self._training.here and (self._training.is_alive() or not self._training.is_started)

    @property
    def hint_keys(self) -> Hints:
        """Those that have a use now, as they are called now."""
        useless = (STEERING_HINTS if self.why_not_now() else frozenset()) | (frozenset() if self._owns else {"d"})
        names = {"q": "quit" if self._training.here else "leave"}
        if self.history.paused:
            names["space"] = "resume"
        return [(key, names.get(key, does)) for key, does in HINTS if key not in useless]

    def header_rows(self, width: int, height: int) -> tuple[Row, ...]:
        """As every screen of a run, and in red what a person must know now."""
        name, markers = self.history.run.name, self.looks.markers
        state, told, aside = self.state, self._notice(), self._hindsight()
        return status.header(
            self.history, name, self.preset, width, height, markers, state=state, notice=told, aside=aside
        )

    def _hindsight(self) -> tuple[str, str] | None:
        """How far hindsight is while somebody measures the run."""
        about = self.history.hindsight
        if not self._is_measured or about is None or about.complete:
            return None
        return "hindsight", f"{self.history.measured:,}/{about.checkpoints:,}"

    def _notice(self) -> tuple[str, ...]:
        """What must stay in sight, in several lengths."""
        return notice(self.history, self._found, steers=not self.read_only)

    def _warn(self) -> None:
        """Say what must stay in sight, for the moment in the place where news are told."""
        told = self._notice()
        if told:
            self.say(status.longest_that_fits(told, self.app.size.width - 1), problem=True)

    def on_mount(self) -> None:
        """Begin to poll."""
        self._answers = self.set_interval(ANSWER_SECONDS, self.poll, pause=True)
        self.set_interval(TICK_SECONDS, self.tick)
        if self.first_words:
            self.call_after_refresh(self.say, self.first_words)
            self._quiet_until = time.monotonic() + NOTICE_SECONDS

    def tick(self) -> None:
        """Look for news and, as far as the budget goes, draw the next stale panel."""
        now = time.monotonic()
        if now - self._looked >= LOOK_SECONDS:
            self._looked = now
            self._look_at_the_lock()  # before the events: whoever ends tells it first and lets go of the lock then
        self.poll()
        training = self.state == "training"
        if not self._is_ready and self.state != "loading":
            self._is_ready = True
            make_ready()
        self._budget.pay(now, time.thread_time(), training=training)
        self.end_notice(now)
        if not self.is_hidden and self._budget.may_draw(now, training=training) and self.draw_next():
            self._budget.drew(now)

    def on_screen_resume(self) -> None:
        """Draw what was not drawn while the microscope hid it."""
        self.draw_everything()

    # -- news from the run's directory

    def poll(self) -> frozenset[str]:
        """Read what is new, tell it, and follow the newest step."""
        changed = super().poll()
        self.looks = self.looks.followed(self.history.step)
        if "events" in changed:
            self._tell_news()
            self.draw_status()
            self.draw_hints()
        if self._answers is not None and not any("at" not in asked.data for asked in self.history.pending.values()):
            self._answers.pause()  # what is held back until a step is not answered soon
        return changed

    def look_for_answers(self) -> None:
        """Look at once, and often until every request is answered."""
        self.poll()
        if self._answers is not None:
            self._answers.resume()

    def _look_at_the_lock(self) -> None:
        measured = self.state == "finished" and is_being_measured(self.history.run)
        if measured or self._is_measured:
            self._is_measured = measured
            self.draw_status()
        found = look(self.history.run)
        if found == self._liveness:
            return
        self._liveness = found
        self.poll()  # its end may have been told just now
        self._warn()
        self.draw_status()
        self.draw_hints()
        if not found.alive:
            self._go_along()

    def _tell_news(self) -> None:
        """Say what happened since the last look, and go along when training went on in a fork."""
        news, self._heard = self.history.since(self._heard), self.history.told
        is_quiet = time.monotonic() < self._quiet_until
        for event in news:
            kind, text, style = describe(event)
            if style == "problem" or (event.kind in ("edit", "snapshot", "note") and not is_quiet):
                self.say(f"{kind} at step {event.step:,}: {text}", problem=style == "problem")
        divergence, before = divergence_of(self.history), self._divergence
        self._divergence = divergence
        if divergence is not None and divergence != before:
            self._warn()
        if any(event.kind == "fork" for event in news):
            self._go_along()

    def _go_along(self) -> None:
        """Show the fork for which training has left this run, if it has."""
        left = went_on_in(self.history.run, self.history.events)
        if left is None or self._is_left:
            return
        child, fork = left
        if not child.config_path.exists():
            self.say(f"training went on in {child.name}, which is not beside this run", problem=True)
            return
        self._is_left = True
        live_app = cast("LiveApp", self.app)
        live_app.follow(child)
        at = number_text(fork.data.get("from_step", fork.data.get("at")))
        live_app.run_screen.first_words = f"went back to step {at}: this is the fork {without_date(child.name)}"

    # -- actions: leaving

    def action_leave(self) -> None:
        """Leave at once when nothing is training here, or it has told its end; ask otherwise."""
        self.poll()  # it may have ended since the last look
        if not self._owns or self.state in ("finished", "failed"):
            self.app.exit()
            return
        answers = (
            ("k", "keep training without a screen: `grokterm attach` comes back"),
            ("s", "stop training, save a full checkpoint, and quit"),
            ("c", "cancel: go on looking"),
        )
        self.app.push_screen(AskChoice("Quit?", answers), self._left)

    def _left(self, answer: str | None) -> None:
        if answer == "k":
            self.action_detach()
        elif answer == "s":
            self._leave("stop")

    def action_detach(self) -> None:
        """Leave; training goes on without a screen."""
        if self._training.here and not self._training.is_alive():
            self.say(f"training has ended ({self.state}): there is nothing to go on without a screen; q quits")
            return
        self._leave("detach")

    def _leave(self, how: Literal["stop", "detach"]) -> None:
        cast("LiveApp", self.app).leaving = how
        self.app.exit()
