"""Obeys the requests of whoever steers, between steps; every request is answered by exactly one event."""

import time
from collections import deque
from typing import TYPE_CHECKING

from grokterm.errors import UsageError, nearest
from grokterm.run.events import LineTail, Request, request_from

if TYPE_CHECKING:
    from grokterm.engine.recorder import Recorder
    from grokterm.engine.trainer import Trainer

WAIT_SECONDS = 0.01
"""How often a paused run looks into its inbox."""


class Inbox:
    """The trainer's end of inbox.jsonl. `edits` counts the edits obeyed so far: a checkpoint names it."""

    def __init__(self, trainer: "Trainer", recorder: "Recorder") -> None:
        self.edits = 0
        self._trainer = trainer
        self._recorder = recorder
        self._lines = LineTail(recorder.run.inbox_path)
        self._unanswered: deque[Request] = deque()
        self._obeyed = {
            "set": self._set,
            "snapshot": self._snapshot,
            "pause": self._pause,
            "resume": self._resume,
            "step": self._step,
            "note": self._note,
            "stop": self._stop,
        }

    def obey(self) -> None:
        """Obey all requests that have arrived, in their order."""
        self._collect()
        while self._unanswered:
            request = self._unanswered[0]
            try:
                if request.do not in self._obeyed:
                    raise UsageError(f"there is no request {request.do!r}; {nearest(request.do, self._obeyed)}")
                self._obeyed[request.do](request)
            except UsageError as refusal:
                self._answer("refused", request, why=str(refusal))
            self._unanswered.popleft()

    def close(self) -> None:
        """Refuse what came too late to be obeyed, and what was being obeyed when training failed."""
        self._collect()
        while self._unanswered:
            why = f"training has ended at step {self._trainer.step:,}"
            self._answer("refused", self._unanswered[0], why=why)
            self._unanswered.popleft()

    def wait(self) -> None:
        """Let a moment pass while training is paused; rows become visible meanwhile."""
        self._recorder.flush(now=True)
        time.sleep(WAIT_SECONDS)

    def _collect(self) -> None:
        requests = (request_from(line) for line in self._lines.new())
        self._unanswered.extend(request for request in requests if request is not None)

    def _set(self, request: Request) -> None:
        trainer, knob = self._trainer, str(request.data.get("knob"))
        new = trainer.knobs.check(knob, request.data.get("value"))
        old = trainer.knobs.values()[knob]
        moments = str(request.data.get("moments", "kept"))
        if moments not in ("kept", "reset"):
            raise UsageError(f"moments = {moments!r}: must be kept or reset")
        if knob == "steps" and new <= trainer.step:
            raise UsageError(f"steps = {new:g}: training is at step {trainer.step:,} already")
        trainer.save("full")  # what an undo goes back to
        trainer.knobs.set(knob, new)
        if moments == "reset":
            trainer.optimizer.state.clear()
        self.edits += 1
        self._answer("edit", request, knob=knob, old=old, new=new, moments=moments)

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

    def _stop(self, request: Request) -> None:
        self._trainer.stopping = True
        self._recorder.flush(now=True)
        self._answer("state", request, state="stopping")

    def _answer(self, kind: str, request: Request, **data: object) -> None:
        self._recorder.events.write(kind, self._trainer.step, request=request.id, **data)
