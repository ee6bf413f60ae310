"""The replay screen: the run screen driven by a playhead through what was recorded."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message

from grokterm.catalog import Catalog
from grokterm.drawing.cells import Row
from grokterm.drawing.colours import Palette
from grokterm.errors import GroktermError
from grokterm.history import History
from grokterm.places import no_step, step_from
from grokterm.run.directory import RunDirectory
from grokterm.run.fork import fork
from grokterm.run.lock import is_alive
from grokterm.run.outcome import standing
from grokterm.tui import status
from grokterm.tui.differences import values
from grokterm.tui.keys import REPLAY, REPLAY_HINTS, Hints, bindings
from grokterm.tui.live.budget import LOST_ELSEWHERE, USUAL_SHARE
from grokterm.tui.looks import Looks
from grokterm.tui.moments import Moment, moments
from grokterm.tui.panel import Panel, Picture
from grokterm.tui.ready import make_ready
from grokterm.tui.replay.playhead import Playhead, comfortable_speed, timeline_of
from grokterm.tui.screens.ask import AskText
from grokterm.tui.screens.fork import Fork, ForkScreen, goes_back_to, knobs_before
from grokterm.tui.screens.help import READING_ABOUT
from grokterm.tui.screens.watching import WatchScreen

FRAME_SECONDS = 0.04
"""25 frames a second, as far as drawing keeps up."""
READY_SECONDS = 1.0
"""When the microscope is made ready: after the first frames, before a person has thought of it."""
NEWS_SECONDS = 1.0
"""How often a run that may still be growing is looked at."""
ABOUT = (
    "A replay shows the run as it was when the playhead's step was reached: curves, bars, header, knobs, phase, log. "
    "v shows the whole run instead, with the playhead as a cursor in it: the legends then read the recorded values "
    "there.\n\n"
    "At 1× a second of the replay is a second of the recorded training, or, when steps set the pace (T), 10 steps. "
    "Pauses in the training are cut short.\n\n"
    "F makes a fork at the playhead: a new run beside this one, the same up to that step, and trained live from there. "
    "The recorded run stays as it is.\n\n"
)
FORK_ABOUT = (
    "A new run is made beside this one, the same up to this step, and trained on this terminal. "
    "The recorded run stays as it is."
)


class ReplayScreen(WatchScreen):
    """One recorded run. The playhead is the only place: there is no cursor besides it."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(REPLAY)]
    groups = REPLAY
    about = ABOUT + READING_ABOUT

    class Forked(Message):
        """The person wants to go on live: `run` is the fork that was made for that."""

        def __init__(self, run: RunDirectory) -> None:
            super().__init__()
            self.run = run

    def __init__(
        self,
        history: History,
        panels: dict[int, Panel],
        palette: Palette,
        looks: Looks,
        preset: str,
        catalog: Catalog,
        *,
        start: int,
        speed: float | None,
        by_time: bool,
        playing: bool,
        pause_on_markers: bool,
    ) -> None:
        """`speed` None: whatever shows the whole run in about half a minute."""
        super().__init__(history, panels, palette, looks, preset)
        self.timeline = timeline_of(history)
        chosen = comfortable_speed(self.timeline, by_time=by_time) if speed is None else speed
        self.playhead = Playhead(0.0, playing, chosen, by_time).at(start, self.timeline)
        self.whole = False
        self._catalog = catalog
        self._pause_on_markers = pause_on_markers
        self._moments = moments(history)
        self._alive = is_alive(history.run)
        self._past = self._at_playhead()
        self._following = False
        self._late = False
        self._drawn = self._moved = self._looked = time.monotonic()

    # -- what is seen otherwise than live

    @property
    def shown(self) -> History:
        """The run as it was at the playhead."""
        return self._past

    @property
    def position(self) -> int:
        """The playhead's step."""
        return self.playhead.step

    @property
    def standing(self) -> str:
        """As the run's newest event says it, while somebody trains it."""
        return self.history.state if self._alive else ""

    @property
    def pace(self) -> tuple[float, float]:
        """The usual one: whoever trains the run is another program."""
        return USUAL_SHARE, LOST_ELSEWHERE

    @property
    def hint_keys(self) -> Hints:
        """The first key says what it does now."""
        return (("space", "pause" if self.playhead.playing else "play"), *REPLAY_HINTS[1:])

    def picture(self, digit: int, width: int, height: int) -> Picture | None:
        """A panel as it was then; or of the whole run, with the playhead as its cursor."""
        panel = self._panels.get(digit)
        if panel is None:
            return None
        if self.whole:
            return panel.draw(self.history, replace(self.looks, cursor=self.position), width, height)
        return panel.draw(self._past, self.looks, width, height)

    def header_rows(self, width: int, height: int) -> tuple[Row, ...]:
        """As it was then, with the playhead's speed in the place of the training's."""
        looks = self.looks.markers
        run, losses = self.history.run.name, not self.whole  # in the whole run the legends read another row
        return status.header(self._past, run, self.preset, width, height, looks, self.transport(), losses=losses)

    def transport(self) -> str:
        """How the playhead moves, in a few characters."""
        head = self.playhead
        timed = head.by_time and self.timeline.has_times
        sign = "▶" if head.playing else "▶ newest" if self._following else "‖"
        return f"{sign} {head.speed:g}× {'time' if timed else 'steps'}"

    def values_page(self) -> tuple[str, str]:
        """Every series as the legends read it: of the whole run at the playhead, or the newest there was then."""
        return f"step {self.position:,}", values(self.history if self.whole else self._past, self.position)

    # -- moving

    def on_mount(self) -> None:
        """Begin to move."""
        self._moved = time.monotonic()
        self.set_interval(FRAME_SECONDS, self.tick)
        self.set_timer(READY_SECONDS, make_ready)
        self.call_after_refresh(self._tell_problems)  # the first look was before there was a screen

    def tick(self) -> None:
        """Move the playhead by the time that has passed, and draw what that changed."""
        now = time.monotonic()
        self.end_notice(now)
        if now - self._looked > NEWS_SECONDS:
            self._looked = now
            self._look_for_news()
        passed, self._moved = now - self._moved, now
        if self.playhead.playing:
            self._play(passed)
        if self._late:
            self._draw()

    def _play(self, seconds: float) -> None:
        before, head = self.playhead, self.playhead.advanced(seconds, self.timeline)
        marked = self._passed(before.step, head.step) if self._pause_on_markers else None
        if marked is not None:
            head = replace(head.at(marked.step, self.timeline), playing=False)
            self.say(f"step {marked.step:,}: {marked.text}")
        self._go(head)

    def _passed(self, before: int, after: int) -> Moment | None:
        """The first moment on the way from one step to another, the start left out."""
        return next((moment for moment in self._moments if before < moment.step <= after), None)

    def _go(self, head: Playhead) -> None:
        """Put the playhead somewhere and show it, now or with the next frame."""
        before, self.playhead = self.playhead, head
        if head.step != before.step:
            self._past = self._at_playhead()
            if self.looks.span is not None:
                self.looks = replace(self.looks.at(head.step), cursor=None)
        elif head == before or (head.playing and head.speed == before.speed):
            return
        self._late = True
        if time.monotonic() - self._drawn >= 2 * FRAME_SECONDS:
            self._draw()  # at once; the keys of a held-down one wait for the next frame, or nothing else would be done

    def _at_playhead(self) -> History:
        """The run as it was at the playhead; at its end it is interrupted when it told none and nobody trains it."""
        past = self.history.at(self.playhead.step)
        if self.playhead.step >= self.timeline.last:
            past.state = standing(past.state, alive=self._alive)
        return past

    def _draw(self) -> None:
        self._late = self.is_hidden
        if self._late:
            return
        self.draw_everything()
        self._drawn = time.monotonic()

    def _jump_to(self, step: float) -> None:
        """Put the playhead on a step because somebody asked for it."""
        self._following = False
        self._go(self.playhead.at(step, self.timeline))

    def _look_for_news(self) -> None:
        """A run may still be in training, or be deleted meanwhile."""
        changed = self.poll()
        if not changed:
            return
        self.timeline = timeline_of(self.history)
        self._moments = moments(self.history)
        self._alive = is_alive(self.history.run)
        self._past = self._at_playhead()
        if self._following or self.playhead.step > self.timeline.last:
            self._go(self.playhead.at(self.timeline.last, self.timeline))
        elif self.whole:
            self._draw()

    # -- actions

    def action_play(self) -> None:
        """Play or pause; play again from the start when the end is reached."""
        head = self.playhead
        self._following = False
        if not head.playing and head.step >= self.timeline.last:
            head = head.at(0, self.timeline)
        self._go(replace(head, playing=not head.playing))

    def action_row(self, by: int) -> None:
        """One recorded step, standing still."""
        self._following = False
        self._go(self.playhead.row(by, self.timeline))

    def action_move(self, cells: int) -> None:
        """Scrub by cells of the widest plot: of the whole run, or of the part in view when zoomed."""
        looks = replace(self.looks, cursor=self.position)
        there = looks.moved(cells, self.columns, self.timeline.last).cursor
        if there is not None:
            self._jump_to(there)

    def moments(self) -> Sequence[Moment]:
        """What happened in the run, looked for once."""
        return self._moments

    def go_to_step(self, step: int) -> None:
        """Put the playhead there."""
        self._jump_to(step)

    def action_edge(self, newest: bool) -> None:
        """The first step; or the newest, which is followed."""
        self._jump_to(self.timeline.last if newest else 0)
        self._following = newest
        self.draw_status()

    def action_go_to(self) -> None:
        """Ask for a step or a percentage."""
        self.app.push_screen(AskText("Go to", f"a step up to {self.timeline.last:,}, or a percentage: 40%"), self._went)

    def _went(self, text: str | None) -> None:
        if text is None:
            return
        step = step_from(text, self.timeline.last)
        if step is None:
            self.say(no_step(text), problem=True)
            return
        self.say_nothing()
        self._jump_to(step)
        if step > self.timeline.last:
            self.say(f"the run ends at step {self.timeline.last:,}")

    def action_speed(self, by: int) -> None:
        """Slower or faster."""
        self._go(self.playhead.faster(by))
        self.draw_status()

    def action_clock(self) -> None:
        """Recorded time or steps set the pace."""
        if not self.timeline.has_times:
            self.say("no times were recorded in this run: steps set the pace")
            return
        self._go(replace(self.playhead, by_time=not self.playhead.by_time))
        self.draw_status()
        self.say("recorded time sets the pace" if self.playhead.by_time else "steps set the pace: 10 a second at 1×")

    def action_whole(self) -> None:
        """All that was recorded, or what was known at the playhead."""
        self.whole = not self.whole
        self._draw()
        self.say("the whole run; the legends read the playhead's step" if self.whole else "the run as it was then")

    def action_microscope(self) -> None:
        """Look at the network at the playhead, which waits there; at the newest one where that is followed."""
        self._go(replace(self.playhead, playing=False))
        self.draw_status()
        self.look_closer(None if self._following else self.position)

    def action_fork(self) -> None:
        """Go on from here as a new run, perhaps with other knobs."""
        step = self.position
        self._go(replace(self.playhead, playing=False))
        self.draw_status()
        try:
            where = goes_back_to(self.history.run, step)
        except GroktermError as error:
            self.say(str(error), problem=True)
            return

        def forked(wanted: Fork | None) -> None:
            if wanted is not None:
                self._make_fork(step, wanted)

        title, about = f"Go on live from step {step:,}", f"{FORK_ABOUT} {where}".rstrip()
        self.app.push_screen(ForkScreen(title, about, knobs_before(self.history, step)), forked)

    def _make_fork(self, step: int, wanted: Fork) -> None:
        try:
            made = fork(self.history.run, step, sets=wanted.set, moments=wanted.moments, catalog=self._catalog)
        except GroktermError as error:
            self.say(str(error), problem=True)
            return
        self.post_message(self.Forked(made))

    def action_zoom_x(self, factor: float) -> None:
        """Zoom around the playhead."""
        last = self.timeline.last if self.whole else self.position
        zoomed = replace(self.looks, cursor=self.position).zoomed(factor, last)
        self.look(replace(zoomed, cursor=None))
