"""A screen that shows one run: as it is now, or, where a subclass says so, as it was."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from grokterm.ancestry import find_parents
from grokterm.drawing.cells import Row
from grokterm.drawing.colours import Palette
from grokterm.errors import RunError
from grokterm.history import History
from grokterm.tui import status
from grokterm.tui.differences import differences, values
from grokterm.tui.layout import LOG_DIGIT, ORDER, Layout, arrange
from grokterm.tui.looks import Looks
from grokterm.tui.moments import Moment, moments
from grokterm.tui.panel import Panel, Picture
from grokterm.tui.screens.panels import PanelsScreen

if TYPE_CHECKING:
    from grokterm.tui.microscope.looking import Looking
    from grokterm.tui.microscope.page_screen import Left

A_MEASURE = "weight_norm"
"""Every run has it, from its first evaluation on."""


class WatchScreen(PanelsScreen):
    """One run on panels; `shown` is what header, panels and log draw."""

    def __init__(self, history: History, panels: dict[int, Panel], palette: Palette, looks: Looks, preset: str) -> None:
        super().__init__(palette, looks)
        self.history = history
        self.preset = preset
        self._panels = panels
        self._told: frozenset[str] = frozenset()
        self._looking: Looking | None = None  # how one looked through the microscope last
        find_parents(history)

    @property
    def shown(self) -> History:
        """The run as header, log and panels show it."""
        return self.history

    @property
    def last(self) -> int:
        """The newest step."""
        return self.shown.step

    def digits(self) -> list[int]:
        """The panels for which the run records anything."""
        return [digit for digit, panel in sorted(self._panels.items()) if panel.has_something(self.history)]

    def arrangement(self, width: int, height: int) -> Layout:
        """Without panels for which the run records nothing; before its first measures that is not known."""
        filled = self.digits() if self.shown.series(A_MEASURE).steps.size else ORDER
        return arrange(width, height, self.chosen, zoomed=self.zoomed, log_digit=LOG_DIGIT, filled=filled)

    def why_not(self, digit: int) -> str:
        """There is no such panel, or nothing for it."""
        panel = self._panels.get(digit)
        return super().why_not(digit) if panel is None else f"{panel.name}: nothing recorded yet"

    def picture(self, digit: int, width: int, height: int) -> Picture | None:
        """A panel of the run as it is shown."""
        panel = self._panels.get(digit)
        return panel.draw(self.shown, self.looks, width, height) if panel is not None else None

    def header_rows(self, width: int, height: int) -> tuple[Row, ...]:
        """The run, its progress, state, phase and knobs."""
        return status.header(self.shown, self.history.run.name, self.preset, width, height, self.looks.markers)

    def log_rows(self, width: int, height: int) -> tuple[Row, ...]:
        """The newest events."""
        return self._panels[LOG_DIGIT].draw(self.shown, Looks(markers=self.looks.markers), width, height).rows

    def moments(self) -> Sequence[Moment]:
        """What happened in the run."""
        return moments(self.history)

    def values_page(self) -> tuple[str, str]:
        """Every series in full as the legends beside it read it."""
        return f"step {self.position:,}", values(self.shown, self.position)

    def differences_page(self, a: int, b: int) -> tuple[str, str]:
        """Every series in full at both marks, whatever is shown now."""
        return f"A {a:,} · B {b:,}", differences(self.history, a, b, self.app.size.width)

    # -- the microscope

    @property
    @abstractmethod
    def standing(self) -> str:
        """How training stands now, whatever step is shown; "" where nobody trains any more."""
        ...

    @property
    @abstractmethod
    def pace(self) -> tuple[float, float]:
        """The part of training time that looking on may cost, and what a second of the screen's thread costs it."""
        ...

    def action_microscope(self) -> None:
        """Look at the network itself, at the checkpoint nearest to where one is."""
        self.look_closer(self.looks.cursor)

    def look_closer(self, step: int | None) -> None:
        """Open the microscope at a step, or following the newest checkpoint."""
        from grokterm.tui.microscope.lenses import LENSES  # here: the first frame does without
        from grokterm.tui.microscope.looking import Looking
        from grokterm.tui.microscope.pace import Pace
        from grokterm.tui.microscope.screen import MicroscopeScreen

        looking = self._looking or Looking(LENSES[0].key)
        looking = replace(looking, markers=self.markers, colours=self._palette.colours)
        pace = Pace(*self.pace)
        self.app.push_screen(
            MicroscopeScreen(
                self.history, LENSES, self._palette, looking, pace, step=step, standing=lambda: self.standing
            ),
            self._came_back,
        )

    def _came_back(self, left: "Left | None") -> None:
        if left is None:
            return
        self._looking = left.looking
        if left.looking.markers != self.markers:
            self.draw_with(left.looking.markers)
        if left.step is not None:
            self.go_to_step(left.step)

    # -- news

    def poll(self) -> frozenset[str]:
        """Read what is new and note which panels that makes stale; returns what History.poll returns."""
        try:
            changed = self.history.poll()
        except RunError as error:
            self.say(str(error), problem=True)
            return frozenset()
        if "config" in changed:
            find_parents(self.history)
            self._stale |= self._panels.keys()
        self._stale |= {digit for digit, panel in self._panels.items() if panel.reads() & changed}
        self._tell_problems()
        if "measures" in changed and self._layout_now is not None:
            size = self.app.size
            if self.arrangement(size.width, size.height) != self._layout_now:
                self.run_worker(self.lay_out())
        return changed

    def _tell_problems(self) -> None:
        """Say which tables are left out, once each."""
        new = [problem for problem in self.history.problems if problem not in self._told]
        if new:
            self._told |= frozenset(new)
            self.say("; ".join(new), problem=True)
