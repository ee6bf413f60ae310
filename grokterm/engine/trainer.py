"""Trains one run: obey → evaluate → update → record, step after step.

Step k is the state of the weights after k updates. A row of any table at step k describes that state; the row in
steps.npy also holds the update that leaves it.
"""

import math
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.utils import get_total_norm, parameters_to_vector
from torch.optim import Optimizer

from grokterm.engine.cross_entropy import cross_entropy
from grokterm.engine.evaluation import Evaluation
from grokterm.engine.inbox import Inbox
from grokterm.engine.knobs import Cadence, Knobs
from grokterm.engine.recorder import Recorder
from grokterm.engine.task import Task
from grokterm.phases import MEMORIZATION, Change, PhaseRule
from grokterm.run.checkpoint import list_checkpoints

FULL_CHECKPOINT_SECONDS = 120.0
"""A full checkpoint at least this often: what a crash may cost."""


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
        measures: Mapping[str, Callable[..., Any]],
        recorder: Recorder,
    ) -> None:
        self.task, self.model, self.optimizer = task, model, optimizer
        self.knobs, self.cadence, self.recorder = knobs, cadence, recorder
        self.step = 0
        self.paused = self.stopping = self._diverged = False
        self._warmup_steps = warmup_steps
        self._measures = measures
        self._train = task.inputs[task.train], task.labels[task.train]
        self._test = task.inputs[task.test], task.labels[task.test]
        self._phases = PhaseRule(cadence.steps)
        self._inbox = Inbox(self, recorder)
        self._busy = self._measuring = 0.0  # seconds of training altogether, and of measuring among them
        self._last_full_step, self._last_full_time = -1, time.monotonic()

    def run(self) -> None:
        """Train until the planned step or until asked to stop; the run ends with a full checkpoint either way."""
        self.recorder.events.write("phase", 0, phase=MEMORIZATION, at=0, why="training begins")
        self.save("full")
        while not self.stopping and self.step < self.cadence.steps:
            self._inbox.obey()
            if self.stopping:
                break
            if self.paused:
                self._inbox.wait()
                continue
            self.advance()
            if time.monotonic() - self._last_full_time > FULL_CHECKPOINT_SECONDS:
                self.save("full")
        self.evaluate()
        self.save("full")
        self.end("stopped" if self.stopping else "finished")

    def end(self, state: Literal["finished", "stopped", "failed"]) -> None:
        """Write the last `state` event, then refuse the requests of everybody who had not seen it."""
        self.recorder.events.write("state", self.step, state=state)
        self._inbox.close()

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
        """Test loss and measures of the state at this step, each at its cadence."""
        if self.step % self.cadence.measure_every == 0:
            self._measure()
        elif self.step % self.cadence.test_every == 0:
            with torch.no_grad():
                self._record_test(self.model(self._test[0]))

    def update(self) -> None:
        """One optimizer step over the whole training part; train_loss is the loss before it."""
        tokens, labels = self._train
        loss, accuracy = cross_entropy(self.model(tokens), labels)
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
        if not math.isfinite(train_loss) and not self._diverged:
            self._tell_divergence(train_loss)
        self._phases.planned_steps = self.cadence.steps
        decay = self.knobs.decay()
        self._tell(self._phases.see_training(self.step, train_loss, train_accuracy, decay))
        self.step += 1

    def save(self, kind: str) -> str:
        """Checkpoint this state; a full one is written once a step, whoever asks for it."""
        path = f"checkpoints/{self.step:09d}.safetensors"
        if self.step == self._last_full_step:
            return path
        state = {"knobs": self.knobs.values(), "edits": self._inbox.edits, "paused": self.paused}
        path = self.recorder.save(self.step, self.model, self.optimizer, "full" if kind == "full" else "weights", state)
        if kind == "full":
            self._last_full_step, self._last_full_time = self.step, time.monotonic()
        return path

    def _measure(self) -> None:
        begun = time.perf_counter()
        evaluation = Evaluation(self.model, self.task)
        numbers: dict[str, float] = {}
        for name, measure in self._measures.items():
            result = evaluation.compute(measure)
            for column, value in (result if isinstance(result, dict) else {name: result}).items():
                if isinstance(value, Tensor) and value.ndim:
                    self.recorder.array(self.step, column, value.cpu().numpy())
                else:
                    numbers[column] = float(value)
        if self.step % self.cadence.test_every == 0:
            self._record_test(evaluation.logits[self.task.test])
        seconds = time.perf_counter() - begun
        self._measuring += seconds
        share = self._measuring / max(self._busy + seconds, 1e-9)
        self.recorder.measures(self.step, seconds, share, numbers)
        if "weight_norm_sq" in numbers:
            self._phases.see_norm(self.step, numbers["weight_norm_sq"])
        if "excluded_loss_max" in numbers:
            self._phases.see_excluded(self.step, numbers["excluded_loss_max"])

    def _record_test(self, logits: Tensor) -> None:
        loss, accuracy = cross_entropy(logits, self._test[1])
        test_loss, test_accuracy = torch.stack([loss, accuracy]).tolist()
        self.recorder.test(self.step, test_loss, test_accuracy)
        self._tell(self._phases.see_test(self.step, test_accuracy))

    def _tell_divergence(self, train_loss: float) -> None:
        self._diverged = True
        before = [info for info in list_checkpoints(self.recorder.run.checkpoints) if info.step < self.step]
        last = (
            f"the last checkpoint before it is {before[-1].path.relative_to(self.recorder.run.path)}"
            if before
            else "no checkpoint is before it"
        )
        message = f"train loss is {train_loss} at step {self.step:,}: training has diverged; {last}"
        self.recorder.events.write("error", self.step, message=message, traceback="")

    def _tell(self, changes: list[Change]) -> None:
        for change in changes:
            name = "mark" if change.is_mark else "phase"
            self.recorder.events.write("phase", self.step, at=change.at, why=change.why, **{name: change.name})
