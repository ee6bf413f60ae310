"""Obeys the requests of whoever steers, between steps; every request is answered by exactly one event.

Before them come what the preset's schedule asks for at this step and, in a resumed run, what people did after the
checkpoint that it goes on from: it is done again at its steps.
"""

import time
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from grokterm.errors import RunError, UsageError, nearest
from grokterm.interventions import Moments
from grokterm.run.events import Event, LineTail, Request, hand_in, request_from
from grokterm.run.fork import fork

if TYPE_CHECKING:
    from grokterm.engine.recorder import Recorder
    from grokterm.engine.trainer import Trainer

WAIT_SECONDS = 0.01
"""How often a paused run looks into its inbox."""


class Inbox:
    """The trainer's end of inbox.jsonl. `edits` counts the edits obeyed so far: a checkpoint names it."""

    def __init__(self, trainer: "Trainer", recorder: "Recorder") -> None:
        self.edits = 0
        self.detached_by: dict[str, str] = {}
        """Names the request that the run's last event answers, where somebody asked to leave it to another trainer."""
        self._trainer = trainer
        self._recorder = recorder
        self._lines = LineTail(recorder.run.inbox_path)
        self._unanswered: deque[Request] = deque()
        self._held_back: list[tuple[int, Request]] = []
        self._again: deque[Event] = deque()
        self._branched_off = 0  # the step at which the fork branches off for which the run is left
        self._obeyed = {
            "set": self._set,
            "snapshot": self._snapshot,
            "pause": self._pause,
            "resume": self._resume,
            "step": self._step,
            "note": self._note,
            "rewind": self._rewind,
            "detach": self._detach,
            "stop": self._stop,
        }

    def take_over(self, again: Sequence[Event], answered: Collection[str], stale: Collection[str]) -> None:
        """Be the inbox of a run that was trained before.

        again: edits, snapshots, notes and a last pause to be done once more, each at its step. answered: ids of
        requests that need no answer any more. stale: ids of unanswered requests to an earlier trainer. What names a
        step ahead waits for it; of the others those about that trainer's pace or end are refused, and the rest waits
        until everything before it is done again.
        """
        self._again.extend(again)
        self._collect()
        waiting = [request for request in self._unanswered if request.id not in answered]
        self._unanswered.clear()
        for request in waiting:
            if request.id not in stale:
                self._unanswered.append(request)
            elif (at := _step_named(request)) is not None and at >= self._trainer.step:
                self._held_back.append((at, request))
            elif request.do in ("pause", "resume", "step", "stop", "detach"):
                self._answer("refused", request, why="asked of a trainer that has ended without an answer")
            else:
                self._held_back.append((self._when_caught_up(request), request))

    def _when_caught_up(self, request: Request) -> int:
        """When everything that was done before a request is done again; at once, where it ends training before."""
        caught_up = self._again[-1].step if self._again else self._trainer.step
        value = request.data.get("value")
        ends_before = request.data.get("knob") == "steps" and isinstance(value, int) and value <= caught_up
        return self._trainer.step if ends_before else caught_up

    def obey(self) -> None:
        """Obey the schedule, then all requests that have arrived, in their order."""
        while self._trainer.goes_on_in is None:  # what is asked of a run that was left is refused by `close`
            self._follow_schedule()
            while self._again and self._again[0].step <= self._trainer.step:
                self._do_again(self._again.popleft())
            self._collect()
            self._release()
            if not self._unanswered:
                break
            request = self._unanswered[0]
            try:
                self._obey(request)
            except (UsageError, RunError) as refusal:
                self._answer("refused", request, why=str(refusal))
            self._unanswered.popleft()

    def close(self, *, stopped: bool) -> None:
        """Refuse what came too late to be obeyed, and what was being obeyed when training failed.

        stopped: the run may go on. Requests for a step that is still ahead stay for whoever resumes it; where training
        goes on in a fork they are asked of that, and refused here.
        """
        self._collect()
        self._unanswered.extend(request for _, request in self._held_back)
        child = self._trainer.goes_on_in if stopped else None
        ahead = self._trainer.step if child is None else self._branched_off
        while self._unanswered:
            request = self._unanswered[0]
            at = _step_named(request)
            if not stopped or at is None or at < ahead:
                self._answer("refused", request, why=f"training has ended at step {self._trainer.step:,}")
            elif child is not None:
                self._recorder.look(partial(hand_in, child.path, request))
                self._answer("refused", request, why=f"asked of the fork {child.name}, in which training goes on")
            self._unanswered.popleft()

    def wait(self) -> None:
        """Let a moment pass while training is paused; rows become visible meanwhile."""
        self._recorder.flush(now=True)
        time.sleep(WAIT_SECONDS)

    def _collect(self) -> None:
        requests = (request_from(line) for line in self._recorder.look(self._lines.new))
        self._unanswered.extend(request for request in requests if request is not None)

    def _release(self) -> None:
        """Let those requests in that were held back until this step."""
        due = [request for at, request in self._held_back if at <= self._trainer.step]
        if due:
            self._held_back = [(at, request) for at, request in self._held_back if at > self._trainer.step]
            self._unanswered.extendleft(reversed(due))

    def _obey(self, request: Request) -> None:
        """Obey one request, or hold it back until the step that it names."""
        if request.do not in self._obeyed:
            raise UsageError(f"there is no request {request.do!r}; {nearest(request.do, self._obeyed)}")
        at = request.data.get("at", self._trainer.step)
        if isinstance(at, bool) or not isinstance(at, int):
            raise UsageError(f"at = {at!r}: must be a step")
        if at < self._trainer.step:
            raise UsageError(f"at = {at:,}: training is at step {self._trainer.step:,} already")
        if at > self._trainer.cadence.steps:
            raise UsageError(f"at = {at:,}: training ends at step {self._trainer.cadence.steps:,}")
        if at > self._trainer.step:
            self._held_back.append((at, request))
        else:
            self._obeyed[request.do](request)

    def _follow_schedule(self) -> None:
        if not self._trainer.schedule.is_due(self._trainer.step):
            return
        self._trainer.save("full")  # while the schedule still has before it what happens now
        for index, intervention in self._trainer.schedule.due(self._trainer.step):
            for knob, value in intervention.set.items():
                self._edit(knob, value, intervention.moments, scheduled=index, why=intervention.why)

    def _do_again(self, event: Event) -> None:
        """Do what an event says that people had done, and tell it again."""
        match event.kind:
            case "edit":
                told = {
                    name: item for name, item in event.data.items() if name not in ("knob", "old", "new", "moments")
                }
                new, moments = (
                    self._trainer.knobs.check(str(event.data["knob"]), event.data["new"]),
                    event.data["moments"],
                )
                self._edit(str(event.data["knob"]), new, str(moments), **told)
            case "snapshot":
                path = self._trainer.save("full")
                self._recorder.tell("snapshot", self._trainer.step, **{**event.data, "checkpoint": path})
            case "state":
                self._trainer.paused = True
                self._recorder.tell("state", self._trainer.step, state="paused")
            case _:
                self._recorder.tell(event.kind, self._trainer.step, **event.data)

    def _set(self, request: Request) -> None:
        trainer, knob = self._trainer, str(request.data.get("knob"))
        new = trainer.knobs.check(knob, request.data.get("value"))
        moments = _moments(request.data)
        if knob == "steps" and new <= trainer.step:
            raise UsageError(f"steps = {new:g}: training is at step {trainer.step:,} already")
        if moments == "kept" and new == trainer.knobs.values()[knob]:
            raise UsageError(f"{knob} is {new:,} already")
        self._edit(knob, new, moments, request=request.id)

    def _edit(self, knob: str, new: float, moments: str, **told: object) -> None:
        """Put a checked value into force and tell it; before that, write what an undo goes back to."""
        trainer = self._trainer
        trainer.save("full")
        old = trainer.knobs.values()[knob]
        trainer.knobs.set(knob, new)
        if moments == "reset":
            trainer.optimizer.state.clear()
        self.edits += 1
        self._recorder.tell("edit", trainer.step, knob=knob, old=old, new=new, moments=moments, **told)

    def _snapshot(self, request: Request) -> None:
        path = self._trainer.save("full")
        self._answer("snapshot", request, checkpoint=path, note=str(request.data.get("note", "")))

    def _pause(self, request: Request) -> None:
        self._trainer.paused = True
        self._recorder.flush(now=True)
        self._answer("state", request, state="paused")

    def _resume(self, request: Request) -> None:
        self._trainer.paused = False
        self._answer("state", request, state="training")

    def _step(self, request: Request) -> None:
        if not self._trainer.paused:
            raise UsageError("one step can be taken only while training is paused")
        if self._trainer.step >= self._trainer.cadence.steps:
            raise UsageError(f"training is at its planned end, step {self._trainer.step:,}")
        self._trainer.advance()
        self._recorder.flush(now=True)
        self._answer("state", request, state="paused")

    def _note(self, request: Request) -> None:
        self._answer("note", request, text=str(request.data.get("text", "")))

    def _rewind(self, request: Request) -> None:
        """Make a fork and leave this run for it."""
        step, undo, sets = request.data.get("step"), request.data.get("undo") is True, request.data.get("set", {})
        if step is not None and (isinstance(step, bool) or not isinstance(step, int)):
            raise UsageError(f"step = {step!r}: must be a step")
        if not isinstance(sets, Mapping):
            raise UsageError("set must be an object of knobs and values")
        checked = {str(knob): self._trainer.knobs.check(str(knob), value) for knob, value in sets.items()}
        if step is None and not undo:
            self._trainer.save("full")
        self._recorder.flush(now=True)
        child = fork(self._recorder.run, step, sets=checked, moments=_moments(request.data), undo=undo)
        self._trainer.goes_on_in = child
        self._trainer.leaving = "stopped"
        parent: Mapping[str, Any] = (child.read_config() or {})["parent"]
        self._branched_off = parent["at"]
        self._answer("fork", request, run=child.name, at=parent["at"], from_step=parent["step"])

    def _detach(self, request: Request) -> None:
        """Leave the run to another trainer; the `state` event of its end is the answer."""
        self._trainer.leaving = "detached"
        self.detached_by = {"request": request.id}

    def _stop(self, request: Request) -> None:
        self._trainer.leaving = "stopped"
        self._recorder.flush(now=True)
        self._answer("state", request, state="stopping")

    def _answer(self, kind: str, request: Request, **data: object) -> None:
        self._recorder.tell(kind, self._trainer.step, request=request.id, **data)


def _step_named(request: Request) -> int | None:
    """The step until which a request is to be held back; None where it names none, or what is no step."""
    at = request.data.get("at")
    return at if isinstance(at, int) and not isinstance(at, bool) else None


def _moments(data: Mapping[str, object]) -> Moments:
    match data.get("moments", "kept"):
        case "kept":
            return "kept"
        case "reset":
            return "reset"
        case other:
            raise UsageError(f"moments = {other!r}: must be kept or reset")
