"""What a screen that steers can ask the trainer for: every action writes one request into the run's inbox."""

from grokterm.errors import RunError
from grokterm.run.events import Request, ask
from grokterm.run.outcome import ENDED
from grokterm.tui import status
from grokterm.tui.live.edit import Edit, EditScreen
from grokterm.tui.panel import short_knob
from grokterm.tui.screens.ask import AskText
from grokterm.tui.screens.watching import WatchScreen


class SteeringScreen(WatchScreen):
    """The actions behind the keys that touch training. Nothing is set here: what is asked shows as pending."""

    def look_for_answers(self) -> None:
        """Called after every request."""
        self.poll()

    def request(self, do: str, **data: object) -> Request | None:
        """Ask the trainer for something, and look for its answer often."""
        if self.history.state in ENDED:
            self.say(f"training has ended ({self.history.state}): nothing can be changed any more")
            return None
        try:
            request = ask(self.history.run.path, do, **data)
        except RunError as error:
            self.say(str(error), problem=True)
            return None
        self.look_for_answers()
        return request

    def action_pause(self) -> None:
        """Pause, or go on."""
        asked = [request.do for request in self.history.pending.values() if request.do in ("pause", "resume")]
        paused = asked[-1] == "pause" if asked else self.history.paused
        self.request("resume" if paused else "pause")

    def action_one_step(self) -> None:
        """One step while paused."""
        self.request("step")

    def action_scale(self, knob: str, factor: float) -> None:
        """Multiply a knob's value: the one in force, or the one already asked for."""
        if knob not in self.history.knobs:
            self.say(f"this run has no knob {short_knob(knob)} (yet)")
            return
        asked = status.pending_value(self.history, knob)
        base = self.history.knobs[knob] if asked is None else asked
        if base == 0:
            self.say(f"{short_knob(knob)} is 0, and stays 0 however often it is doubled: e sets a value")
            return
        self.request("set", knob=knob, value=float(f"{base * factor:.12g}"), moments="kept")

    def action_edit(self) -> None:
        """Edit any knob."""
        if self.history.state in ENDED:
            self.say(f"training has ended ({self.history.state}): nothing can be changed any more")
            return
        if not self.history.knobs:
            self.say("the knobs are not known before training has begun")
            return
        self.app.push_screen(EditScreen(self.history.knobs), self._edited)

    def _edited(self, edit: Edit | None) -> None:
        if edit is not None:
            self.request("set", knob=edit.knob, value=edit.value, moments=edit.moments)

    def action_snapshot(self) -> None:
        """A full checkpoint with a note."""
        self.app.push_screen(AskText("Snapshot", "a note, or nothing", may_be_empty=True), self._snapshot)

    def _snapshot(self, note: str | None) -> None:
        if note is not None:
            self.request("snapshot", note=note)

    def action_note(self) -> None:
        """Write a note at this step."""
        self.app.push_screen(AskText("Note at this step", "what you see"), self._noted)

    def _noted(self, text: str | None) -> None:
        if text is not None:
            self.request("note", text=text)
