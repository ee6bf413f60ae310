"""The microscope: pictures of what a checkpoint's network computes, checkpoint after checkpoint, and its keys."""

from dataclasses import replace
from typing import ClassVar

from textual.binding import BindingType
from textual.events import Key

from grokterm.drawing.cells import Markers
from grokterm.run.checkpoint import CheckpointInfo
from grokterm.tui.keys import bindings
from grokterm.tui.microscope.going import understand
from grokterm.tui.microscope.keys import ABOUT, BOUND
from grokterm.tui.microscope.lens import AlongFrequencies, Chooses, Ordered
from grokterm.tui.microscope.looking import least
from grokterm.tui.microscope.page_screen import Left, PicturesScreen
from grokterm.tui.screens.ask import AskText


class MicroscopeScreen(PicturesScreen):
    """No key here touches training. What the screen below shows stays where it was, unless `Left` says otherwise."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(BOUND)]
    about = ABOUT

    async def on_key(self, event: Key) -> None:
        """The pictures' own keys pick them; what the last line has to say is over with the next key."""
        if self._notice_until:
            self.say_nothing()
        if event.character in self.lenses:
            event.stop()
            await self.action_pick(event.character)

    # -- actions: checkpoints

    def action_go_on(self, by: int) -> None:
        """So many checkpoints further."""
        step = 0 if self.bench.saved is None else self.bench.saved.step
        self._go(self.bench.checkpoints.moved(step, by))

    def action_edge(self, newest: bool) -> None:
        """The first checkpoint; or the newest, which is followed."""
        self._go(self.bench.checkpoints.newest if newest else self.bench.checkpoints.nearest(0), follows=newest)

    def _go(self, info: CheckpointInfo | None, *, follows: bool = False) -> None:
        if info is None:
            self.say(self.bench.trouble())
            return
        self.bench.follows = follows
        if not self.bench.put(info, again=True):
            self.say(f"the checkpoint of step {info.step:,} is gone")
            self.look_for_news()
        self.collect()
        self.draw()

    def action_go_to(self) -> None:
        """Ask for a neuron, a head, a frequency or a step."""
        self._ask_where("")

    def _ask_where(self, typed: str) -> None:
        shown = self._numbered
        hint = f"{shown} {least(shown) + 2}, or step 12k, or 40%" if shown else "neuron 17, step 12k, or 40%"
        self.app.push_screen(AskText("Go to", hint, typed=typed), self._went)

    def _went(self, text: str | None) -> None:
        if text is None:
            return
        newest = self.bench.checkpoints.newest
        goal = understand(text, self._numbered, self.bench.sizes, newest.step if newest is not None else 0)
        match goal.what:
            case "":
                self.say(goal.problem, problem=True)
                self._ask_where(text)
            case "step":
                info = self.bench.checkpoints.nearest(goal.number)
                self._go(info)
                if info is not None and info.step != goal.number:
                    self.say(f"step {info.step:,} is the checkpoint nearest to step {goal.number:,}")
            case chooses:
                self.run_worker(self._show(chooses, goal.number))

    @property
    def _numbered(self) -> Chooses:
        """What a number means for the picked picture."""
        return "frequency" if isinstance(self.lens, AlongFrequencies) else self.lens.chooses

    async def _show(self, chooses: Chooses, number: int) -> None:
        """Show this neuron, head or frequency, in a picture that shows one; or put the cursor there."""
        if isinstance(self.lens, AlongFrequencies) and chooses == "frequency":
            self.look(self.looking.pointing_at((number - 1, 0)))
            return
        if self.lens.chooses != chooses:
            able = [lens.key for lens in self.lenses.values() if lens.chooses == chooses]
            if not able:
                self.say(f"no picture shows one {chooses}")
                return
            await self.action_pick(next((key for key in able if key in self.page.keys), able[0]))
        self._turn_to(number)

    # -- actions: what is shown

    def action_subject(self, by: int) -> None:
        """The next neuron, head or frequency of the picked picture."""
        if self.lens.chooses == "":
            self.say(f"{self.lens.name} shows all there is: there is nothing to choose")
        else:
            self._turn_to(self._one + by)

    def action_leader(self, by: int) -> None:
        """The leading neuron of the next key frequency; in a picture of one frequency or of all, that frequency."""
        about, chooses = self.bench.about, self._numbered
        if chooses not in ("neuron", "frequency"):
            self.say(f"{self.lens.name} shows no neuron and no frequency to choose")
        elif about is None or not about.keys:
            self.say("no neuron belongs to a frequency here" if about is not None else "still computing")
        else:
            there = about.next_leader(self._one, by) if chooses == "neuron" else about.next_key(self._one, by)
            if there is None:
                self.say(f"there is no key frequency {'above' if by > 0 else 'below'} this one")
            elif isinstance(self.lens, AlongFrequencies):
                self.look(self.looking.pointing_at((there - 1, 0)))
            else:
                self._turn_to(there)

    @property
    def _one(self) -> int:
        """Which neuron, head or frequency the picked picture shows; where it chose a frequency, its facts say which."""
        if isinstance(self.lens, AlongFrequencies):
            cursor = self.looking.cursors.get(self.lens.key)
            return 0 if cursor is None else cursor[0] + 1
        one = self.looking.subject.of(self.lens.chooses)
        if one is None:
            answer = self.bench.answer(self.lens) or self.bench.before(self.lens)
            one = None if answer is None or answer.trouble else answer.facts.frequency
        return 1 if one is None else int(one)

    def _turn_to(self, number: int) -> None:
        if self.bench.sizes is None:
            self.say(self.bench.trouble() or "the checkpoint is still being read")
        else:
            self.look(self.looking.at(self.lens.chooses, number, self.bench.sizes))

    # -- actions: values

    def action_point(self, columns: int, rows: int) -> None:
        """Move the picked picture's cursor."""
        answer = self.bench.answer(self.lens) or self.bench.before(self.lens)
        if answer is None:
            self.say(self.bench.trouble() or f"{self.lens.name} is still computed; a cursor comes with it")
            return
        extent = (0, 0) if answer.trouble else self.lens.extent(answer.facts)
        if min(extent) < 1:
            self.say(f"{self.lens.name}: there is no cursor here")
            return
        order = None
        if isinstance(self.lens, Ordered):
            order = self.lens.order(answer.facts, self.looking.sight(self.lens.key))
        self.look(self.looking.moved(columns, rows, extent, order))

    def action_no_cursor(self) -> None:
        """Take the cursor away."""
        self.look(self.looking.without_cursor())

    # -- actions: pictures

    async def action_pick(self, key: str) -> None:
        """Pick a picture."""
        self.looking = replace(self.looking, chosen=key)
        await self.lay_out()

    async def action_turn(self, by: int) -> None:
        """The next picture, on the next page after the last of this one."""
        keys = [*self.lenses]
        await self.action_pick(keys[(keys.index(self.looking.chosen) + by) % len(keys)])

    async def action_zoom(self) -> None:
        """Enlarge the picked picture, or put it back."""
        self.looking = replace(self.looking, zoomed=not self.looking.zoomed and not self.fills_the_screen)
        if self.fills_the_screen:
            self.say("there is room for one picture: it fills the screen already")
        await self.lay_out()

    def action_reorder(self) -> None:
        """Residues in the order of the shown frequency, or as numbers."""
        self.look(replace(self.looking, reordered=not self.looking.reordered))
        self.say("residues in the order of the shown frequency" if self.looking.reordered else "residues 0, 1, 2 …")

    def action_scale(self) -> None:
        """The picked picture's other scale."""
        self.look(self.looking.with_flipped_scale())

    def draw_with(self, markers: Markers) -> None:
        """Draw with other markers, here and in the screen below."""
        self.looking = replace(self.looking, markers=markers)
        self.run_worker(self.lay_out())

    # -- actions: leaving

    async def action_back(self) -> None:
        """Leave the enlarged picture, then the microscope."""
        if self.looking.zoomed and not self.fills_the_screen:
            await self.action_zoom()
        else:
            self.action_leave()

    def action_leave(self) -> None:
        """Back to the run, where it was."""
        self.dismiss(Left(None, self.looking))

    def action_leave_there(self) -> None:
        """Back to the run, to this checkpoint's step."""
        self.dismiss(Left(None if self.bench.saved is None else self.bench.saved.step, self.looking))
