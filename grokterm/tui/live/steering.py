"""What a screen that steers can ask the trainer for: every action writes one request into the run's inbox."""

from collections.abc import Sequence

from grokterm.drawing.cells import one_cell_each
from grokterm.errors import GroktermError, RunError
from grokterm.run.directory import RunDirectory
from grokterm.run.events import Request, ask
from grokterm.run.fork import Undone, what_undo_undoes
from grokterm.run.outcome import ENDED, INTERRUPTED
from grokterm.tui import status
from grokterm.tui.live.edit import Edit, EditScreen
from grokterm.tui.live.liveness import diverged, nobody_trains
from grokterm.tui.panel import short_knob
from grokterm.tui.panels.log import change_of
from grokterm.tui.screens.ask import AskChoice, AskText
from grokterm.tui.screens.fork import Fork, ForkScreen, goes_back_to, knobs_before
from grokterm.tui.screens.watching import WatchScreen


class SteeringScreen(WatchScreen):
    """The actions behind the keys that touch training. Nothing is set here: what is asked shows as pending."""

    read_only = False

    @property
    def state(self) -> str:
        """How the run stands."""
        return self.history.state

    def look_for_answers(self) -> None:
        """Called after every request."""
        self.poll()

    def why_not_now(self) -> Sequence[str]:
        """Why the trainer cannot be asked for anything, in several lengths, the longest first; none when it can."""
        if self.read_only:
            return ("read-only: started with --read-only",)
        if self.state in ENDED:
            return (f"training has ended ({self.state}): nothing can be changed any more",)
        return nobody_trains(self.history.run) if self.state == INTERRUPTED else ()

    def may_steer(self) -> bool:
        """Whether the trainer can be asked for something; says why when it cannot."""
        why_not = self.why_not_now()
        if why_not:
            self.say(status.longest_that_fits(why_not, self.app.size.width - 1))
        return not why_not

    def request(self, do: str, **data: object) -> Request | None:
        """Ask the trainer for something, and look for its answer often."""
        if not self.may_steer():
            return None
        try:
            request = ask(self.history.run.path, do, **data)
        except RunError as error:
            self.say(str(error), problem=True)
            return None
        self.look_for_answers()
        return request

    # -- pace and knobs

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
        if not self.may_steer():
            return
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
        if self._may_turn_knobs():
            self.app.push_screen(EditScreen(self.history.knobs), self._edited)

    def _edited(self, edit: Edit | None) -> None:
        if edit is not None:
            self.request("set", knob=edit.knob, value=edit.value, moments=edit.moments)

    def _may_turn_knobs(self) -> bool:
        if not self.may_steer():
            return False
        if not self.history.knobs:
            self.say("the knobs are not known before training has begun")
        return bool(self.history.knobs)

    # -- going back

    def _may_go_back(self) -> bool:
        if self.state in ENDED and not self.read_only:
            self.say(f"training has ended ({self.state}): `grokterm fork` or F in a replay goes back")
            return False
        return self.may_steer()

    def action_undo(self) -> None:
        """Undo the last intervention, after one question."""
        if not self._may_go_back():
            return
        try:
            undone = what_undo_undoes(self.history.run)
        except GroktermError as error:
            self.say(str(error), problem=True)
            return
        if undone is None:
            found = diverged(self.history)
            there = "" if found is None or found.good is None else f"; F forks at the last good step {found.good:,}"
            self.say(f"there is no intervention to undo{there}{' with other knobs' if there else ''}")
            return
        answers = (("u", undo_text(undone, self.history.run)), ("c", "cancel: leave everything as it is"))
        self.app.push_screen(AskChoice("Undo?", answers), self._undo)

    def _undo(self, answer: str | None) -> None:
        if answer == "u":
            self.request("rewind", undo=True)

    def action_fork(self) -> None:
        """Leave this run for a fork of it: at the cursor, at the last good step after a divergence, or here and now."""
        if not self._may_go_back() or not self._may_turn_knobs():
            return
        found = diverged(self.history) if self.looks.cursor is None else None
        step = self.looks.cursor if found is None else found.good
        try:
            where = "" if step is None else goes_back_to(self.history.run, step)
        except GroktermError as error:
            self.say(str(error), problem=True)
            return
        knobs = self.history.knobs if step is None else knobs_before(self.history, step)
        place = "here and now" if step is None else f"at {'step' if found is None else 'the last good step'} {step:,}"

        def forked(fork: Fork | None) -> None:
            if fork is not None:
                at = {} if step is None else {"step": step}
                self.request("rewind", **at, set=dict(fork.set), moments=fork.moments)

        about = f"{FORK_ABOUT} {where}".rstrip()
        self.app.push_screen(ForkScreen(f"Fork {place}", about, knobs, asks_twice=found is None), forked)

    # -- snapshots and notes

    def action_snapshot(self) -> None:
        """A full checkpoint with a note."""
        if self.may_steer():
            self.app.push_screen(AskText("Snapshot", "a note, or nothing", may_be_empty=True), self._snapshot)

    def _snapshot(self, note: str | None) -> None:
        if note is not None:
            self.request("snapshot", note=note)

    def action_note(self) -> None:
        """Write a note at this step."""
        if self.may_steer():
            self.app.push_screen(AskText("Note at this step", "what you see"), self._noted)

    def _noted(self, text: str | None) -> None:
        if text is not None:
            self.request("note", text=text)


FORK_ABOUT = "Training goes on from there in a new run. This run is saved and stops; `grokterm resume` goes on with it."


def undo_text(undone: Undone, run: RunDirectory) -> str:
    """What an undo does without, and where it goes back to; `run` is the one that is shown."""
    changes = " and ".join(change_of(edit) for edit in undone.edits)
    moments = " (moments reset)" if any(edit.data.get("moments") == "reset" for edit in undone.edits) else ""
    where = "" if undone.run.name == run.name else f" in {undone.run.name}"
    back = (
        f"training goes back to step {undone.checkpoint:,} and on from there in a new run; this run is saved and stops"
    )
    return one_cell_each(f"undo {changes}{moments} at step {undone.step:,}{where}: {back}")
