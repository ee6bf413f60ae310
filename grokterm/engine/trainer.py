"""Trains one run: obey → evaluate → update → record, step after step.

Step k is the state of the weights after k updates. A row of any table at step k describes that state; the row in
steps.npy also holds the update that leaves it.
"""

import math
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal

import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils import get_total_norm, parameters_to_vector
from torch.optim import Optimizer

from grokterm.engine import state
from grokterm.engine.building import Loss, is_cross_entropy
from grokterm.engine.evaluation import Evaluation
from grokterm.engine.inbox import Inbox
from grokterm.engine.knobs import Cadence, Knobs
from grokterm.engine.patience import Held
from grokterm.engine.recorder import Recorder
from grokterm.engine.schedule import Schedule
from grokterm.engine.task import Task
from grokterm.errors import TrainingError
from grokterm.phases import MEMORIZATION, Change, PhaseRule
from grokterm.run.checkpoint import Checkpoint, full_before
from grokterm.run.directory import RunDirectory

FULL_CHECKPOINT_SECONDS = 120.0
"""A full checkpoint at least this often: what a crash may cost."""
LOCK_SECONDS = 1.0
"""How often the trainer makes sure that the run is still its own."""

OnDivergence = Literal["pause", "stop"]
"""What a training loss that is no finite number does to a run: wait for somebody, or end it as failed."""
Wish = Literal["", "stopped", "detached"]
"""How the host of a trainer wants it to leave; "" for not yet."""


class Trainer:
    """One run in training: the weights, the loop, and what the loop counts. Its commands come from the inbox."""

    def __init__(
        self,
        task: Task,
        model: nn.Module,
        optimizer: Optimizer,
        knobs: Knobs,
        cadence: Cadence,
        warmup_steps: int,
        loss: Loss,
        measures: Mapping[str, Callable[..., Any]],
        recorder: Recorder,
        schedule: Schedule,
        lock: Held,
        on_divergence: OnDivergence,
        wish: Callable[[], Wish],
    ) -> None:
        self.task, self.model, self.optimizer = task, model, optimizer
        self.knobs, self.cadence, self.recorder, self.schedule = knobs, cadence, recorder, schedule
        self.step = 0
        self.paused = self.diverged = False
        self.leaving: Wish = ""
        self.goes_on_in: RunDirectory | None = None
        self.inbox = Inbox(self, recorder)
        self._warmup_steps = warmup_steps
        self._loss, self._in_nats = loss, is_cross_entropy(loss, task.n_classes)
        self._measures = measures
        self._lock = lock
        self._on_divergence = on_divergence
        self._wish = wish
        self._train = task.inputs[task.train], task.labels[task.train]
        self._test = task.inputs[task.test], task.labels[task.test]
        self._phases = PhaseRule(cadence.steps, task.n_classes)
        self._busy = self._measuring = 0.0  # seconds of training altogether, and of measuring among them
        self._names: set[str] = set()  # of every number recorded at step 0, where all of them are
        self._evaluated = -1  # the last step whose evaluation is recorded
        self._last_full_step, self._last_full_time = -1, time.monotonic()
        self._last_check = time.monotonic()

    def begin(self) -> None:
        """Start at step 0 with the state that a crash, or an undo, goes back to."""
        self.recorder.tell("phase", 0, phase=MEMORIZATION, at=0, why="training begins")
        self.save("full")

    def run(self) -> None:
        """Train until the planned step or until asked to leave; a full checkpoint of that step is there either way.

        The last evaluation comes after it: a run that goes on evaluates that step once more, and sees it in its order.
        """
        while True:
            self.inbox.obey()
            self._obey_the_host()
            if self.leaving or self.step >= self.cadence.steps:
                break
            if self.paused:
                self.inbox.wait()
            else:
                self.advance()
            self.look_at_the_clock()
        self.save("full")
        if self.leaving != "detached":
            self.evaluate()
            self.recorder.sync()
        self.end(self.leaving or "finished")

    def end(self, how: Literal["finished", "stopped", "detached", "failed"]) -> None:
        """Write the last `state` event; where no other trainer takes over, answer what was asked too late."""
        self.recorder.flush(now=True)
        if how == "detached":
            self.recorder.tell("state", self.step, state=how, **self.inbox.detached_by)
        else:
            self.recorder.tell("state", self.step, state=how)
            self.inbox.close(stopped=how == "stopped")

    def advance(self) -> None:
        """Evaluate this state as its cadences ask, take one optimizer step and record it, checkpoint at its cadence."""
        begun = time.perf_counter()
        self.evaluate()
        self.update()
        self.recorder.flush()
        self._busy += time.perf_counter() - begun
        if self.step % self.cadence.checkpoint_every == 0:
            self.save("weights")

    def evaluate(self) -> None:
        """Test loss and measures of the state at this step, each at its cadence; once a step."""
        if self._evaluated == self.step:
            return
        self._evaluated = self.step
        if self.step % self.cadence.measure_every == 0:
            self._measure()
        elif self.step % self.cadence.test_every == 0:
            with torch.no_grad():
                self._record_test(self.model(self._test[0]))

    def update(self) -> None:
        """One optimizer step over the whole training part; train_loss is the loss before it."""
        tokens, labels = self._train
        loss, accuracy = self._loss(self.model(tokens), labels)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        gradients = [weight.grad for weight in self.model.parameters() if weight.grad is not None]

        self.knobs.warm_up(min(1.0, self.step / self._warmup_steps) if self._warmup_steps else 1.0)
        before = parameters_to_vector(self.model.parameters()).detach()
        self.optimizer.step()
        taken = parameters_to_vector(self.model.parameters()).detach().sub_(before)

        numbers = torch.stack([loss.detach(), accuracy, get_total_norm(gradients).double(), taken.norm().double()])
        train_loss, train_accuracy, grad_norm, update_norm = numbers.tolist()
        knobs = self.knobs.in_force()
        self.recorder.step(self.step, time.time(), train_loss, train_accuracy, grad_norm, update_norm, *knobs)
        self._see(train_loss=train_loss, train_accuracy=train_accuracy, grad_norm=grad_norm, update_norm=update_norm)
        self._phases.planned_steps = self.cadence.steps
        decay = self.knobs.decay()
        self._tell(self._phases.see_training(self.step, train_loss, train_accuracy, decay))
        if self.step == 0:
            self.schedule.check_names(self._names)
        self.step += 1
        if math.isfinite(train_loss):
            self.diverged = False
        elif not self.diverged:
            self._guard_against_divergence(train_loss)

    def save(self, kind: Literal["weights", "full"]) -> str:
        """Checkpoint this state; a full one is written once a step, whoever asks for it."""
        path = f"checkpoints/{self.step:09d}.safetensors"
        if self.step == self._last_full_step:
            return path
        if kind == "weights":
            return self.recorder.save(self.step, state.weights(self.model), kind, self._told())
        windows = {f"phases/{name}": rows for name, rows in self._phases.windows().items()}
        tensors = {**state.everything(self.model, self.optimizer), **windows}
        kept = state.numbers(self.model, self.optimizer)
        path = self.recorder.save(self.step, tensors, kind, {**self._told(), **self._going_on(), "optimizer": kept})
        self._last_full_step, self._last_full_time = self.step, time.monotonic()
        return path

    def go_on_from(self, saved: Checkpoint) -> None:
        """Become the trainer that wrote a full checkpoint. Raises RunError when it is one of another model."""
        told: Mapping[str, Any] = saved.state
        state.restore(self.model, self.optimizer, saved.tensors)
        if "optimizer" in told:
            state.restore_numbers(self.model, self.optimizer, told["optimizer"])
        for name, value in told["knobs"].items():
            self.knobs.set(name, self.knobs.check(name, value))
        windows = {name: saved.tensors[f"phases/{name}"] for name in self._phases.windows()}
        self._phases.restore(told["phases"], windows)
        self.step = self._last_full_step = saved.step
        self.inbox.edits, self.paused = told["edits"], told["paused"]
        self._evaluated, self.diverged = told["evaluated"], told["diverged"]
        self._busy, self._measuring = told["busy"], told["measuring"]

    def measure(self) -> tuple[dict[str, float], dict[str, NDArray[Any]], Evaluation]:
        """Every measure of the state at this step: the numbers, the vectors and matrices, and what they came from."""
        evaluation = Evaluation(self.model, self.task, in_nats=self._in_nats)
        numbers, arrays = evaluation.results(self._measures)
        return numbers, arrays, evaluation

    def _obey_the_host(self) -> None:
        """What the thread or process that trains wants, whichever of its runs is trained: to stop, or to leave it."""
        wish = self._wish()
        if wish and not self.leaving:
            self.leaving = wish
            self.recorder.flush(now=True)
            if wish == "stopped":
                self.recorder.tell("state", self.step, state="stopping")

    def _told(self) -> dict[str, object]:
        """What every checkpoint says of the run at this step."""
        return {"knobs": self.knobs.values(), "edits": self.inbox.edits, "paused": self.paused}

    def _going_on(self) -> dict[str, object]:
        """What only a full checkpoint says: all that `go_on_from` needs besides tensors."""
        return {
            "events": self.recorder.told,
            "evaluated": self._evaluated,
            "diverged": self.diverged,
            "busy": self._busy,
            "measuring": self._measuring,
            "phases": self._phases.state(),
            "schedule": self.schedule.state(),
        }

    def look_at_the_clock(self) -> None:
        """What is due by the clock: a full checkpoint, and making sure that nobody else has taken the run over."""
        now = time.monotonic()
        if now - self._last_full_time > FULL_CHECKPOINT_SECONDS:
            self.save("full")
            self._last_full_time = now
        if now - self._last_check > LOCK_SECONDS:
            self._lock.check()
            self._last_check = now

    def _measure(self) -> None:
        begun = time.perf_counter()
        numbers, arrays, evaluation = self.measure()
        for name, value in arrays.items():
            self.recorder.array(self.step, name, value)
        if self.step % self.cadence.test_every == 0:
            self._record_test(evaluation.logits[self.task.test])
        seconds = time.perf_counter() - begun
        self._measuring += seconds
        share = self._measuring / max(self._busy + seconds, 1e-9)
        self.recorder.measures(self.step, seconds, share, numbers)
        self._see(**numbers)
        if "weight_norm_sq" in numbers:
            self._phases.see_norm(self.step, numbers["weight_norm_sq"])
        if "excluded_loss_max" in numbers:
            self._phases.see_excluded(self.step, numbers["excluded_loss_max"])

    def _record_test(self, logits: Tensor) -> None:
        loss, accuracy = self._loss(logits, self._test[1])
        test_loss, test_accuracy = torch.stack([loss, accuracy]).tolist()
        self.recorder.test(self.step, test_loss, test_accuracy)
        self._see(test_loss=test_loss, test_accuracy=test_accuracy)
        self._tell(self._phases.see_test(self.step, test_accuracy))

    def _see(self, **numbers: float) -> None:
        """Show the schedule the newest numbers that its conditions ask for."""
        if self.step == 0:
            self._names |= numbers.keys()
        for name in self.schedule.wanted & numbers.keys():
            self.schedule.see(name, numbers[name])

    def _guard_against_divergence(self, train_loss: float) -> None:
        """Say that the training loss is no number any more, and pause the run or end it as failed."""
        self.diverged = True
        good = self.recorder.look(lambda: full_before(self.recorder.run.checkpoints, self.step - 1))
        message = f"train loss is {train_loss} at step {self.step - 1:,}: training has diverged"
        message += "" if good is None else f"; the last full checkpoint before it is that of step {good:,}"
        told = -1 if good is None else good
        self.recorder.tell("error", self.step, message=message, traceback="", diverged=True, good=told)
        if self._on_divergence == "stop":
            raise TrainingError(message)
        self.paused = True
        self.recorder.flush(now=True)
        self.recorder.tell("state", self.step, state="paused")

    def _tell(self, changes: list[Change]) -> None:
        for change in changes:
            name = "mark" if change.is_mark else "phase"
            self.recorder.tell("phase", self.step, at=change.at, why=change.why, **{name: change.name})
