"""Names the phase of training while it goes on, without hindsight; the rule is ours, the three phases the paper's.

Nanda et al. 2023 (section 5.2) drew the boundaries of mod113 by eye at 1,400, 9,400 and 14,000 steps. Our clock is the
decay time T = 1 / (lr · weight_decay), 1,000 steps there, so that the rule carries over to other runs:

- **memorization** until the training loss is under 1e-2 of its first value and its minimum so far (a spike is no
  plateau) falls by less than 5 % in T / 10; or until the step at which excluded_loss_max was lowest, once it has risen
  by half from there: the first sign of a circuit. This second criterion is an addition of ours: at a large
  lr · weight_decay the training loss never levels off. Whichever is certain first counts;
- **circuit formation** until test accuracy reaches 0.5, or where there are fewer than ten answers, half of the way from
  chance to 1;
- **cleanup** until test accuracy is at least 0.99 and weight_norm_sq falls by less than 3 % in T; then **grokked**.

Without weight decay, or where T is longer than the run, the run's length stands for T in the first rule, and the last
two phases are not named. Beside the phases stand two marks, memorized_at and grokked_at: the first step with train or
test accuracy of at least 0.99 that holds for 100 evaluations.

Where it fails: a spike or slingshot that lasts T / 10 looks like a plateau and ends memorization early; a loss that
never levels off keeps the run in memorization. Where test accuracy gets that far first, train and test fell together:
there was nothing to wait for, and circuit formation is skipped.
"""

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MEMORIZATION, CIRCUIT_FORMATION, CLEANUP, GROKKED = "memorization", "circuit formation", "cleanup", "grokked"
MANY = 10
"""Answers to choose from, so many that chance is next to nothing."""
HELD_FOR = 100
"""Evaluations for which an accuracy of 0.99 must hold before it counts."""


@dataclass(frozen=True)
class Change:
    """A phase that begins, or a mark that is certain: its name, the step it happened at, and why we say so."""

    name: str
    at: int
    why: str
    is_mark: bool = False


class PhaseRule:
    """Is shown every evaluation in the order of steps, and answers with the changes that became certain."""

    def __init__(self, planned_steps: int, n_classes: int = MANY) -> None:
        self._half = 0.5 if n_classes >= MANY else (1 + 1 / n_classes) / 2
        self.phase = MEMORIZATION
        self.planned_steps = planned_steps
        self._clock = math.inf
        self._first_loss: float | None = None
        self._loss = self._accuracy = math.nan  # of the latest training step
        self._lowest_loss = math.inf
        self._excluded: tuple[int, float] | None = None  # step and value of an evaluation not judged yet
        self._lowest_excluded: tuple[int, float, float] | None = None  # step, excluded loss, training loss there
        self._losses: deque[tuple[int, float]] = deque()
        self._norms: deque[tuple[int, float]] = deque()
        self._norm_settled = False
        self._marks = {"memorized_at": _Held(), "grokked_at": _Held()}

    def state(self) -> dict[str, object]:
        """Return all that the rule remembers but its windows, in numbers and texts: what a checkpoint keeps of it."""
        return {
            "phase": self.phase,
            "planned_steps": self.planned_steps,
            "clock": self._clock,
            "first_loss": self._first_loss,
            "loss": self._loss,
            "accuracy": self._accuracy,
            "lowest_loss": self._lowest_loss,
            "excluded": self._excluded,
            "lowest_excluded": self._lowest_excluded,
            "norm_settled": self._norm_settled,
            "marks": {name: asdict(held) for name, held in self._marks.items()},
        }

    def windows(self) -> dict[str, NDArray[np.float64]]:
        """Return the values that the rule still looks back at, (n, 2): step, value."""
        return {"losses": _as_rows(self._losses), "norms": _as_rows(self._norms)}

    def restore(self, state: Mapping[str, Any], windows: Mapping[str, NDArray[np.float64]]) -> None:
        """Remember what `state` and `windows` said, and go on as if there had been no break."""
        self.phase, self.planned_steps = state["phase"], state["planned_steps"]
        self._clock, self._first_loss = state["clock"], state["first_loss"]
        self._loss, self._accuracy, self._lowest_loss = state["loss"], state["accuracy"], state["lowest_loss"]
        self._excluded = None if state["excluded"] is None else tuple(state["excluded"])
        self._lowest_excluded = None if state["lowest_excluded"] is None else tuple(state["lowest_excluded"])
        self._norm_settled = state["norm_settled"]
        self._marks = {name: _Held(**held) for name, held in state["marks"].items()}
        self._losses, self._norms = _from_rows(windows["losses"]), _from_rows(windows["norms"])

    def see_training(self, step: int, loss: float, accuracy: float, decay: float) -> list[Change]:
        """One optimizer step: loss and accuracy before its update, decay = lr · weight_decay in force."""
        self._clock = 1 / decay if decay > 0 else math.inf
        self._loss, self._accuracy = loss, accuracy
        self._lowest_loss = min(self._lowest_loss, loss)  # a NaN leaves it
        if self._first_loss is None:
            self._first_loss = loss
        changes = self._mark("memorized_at", step, accuracy, "train accuracy ≥ 0.99")
        changes += self._judge_excluded()
        if self.phase == MEMORIZATION:
            window = max(1.0, min(self._clock, self.planned_steps) / 10)
            before = _value_before(self._losses, step, self._lowest_loss, window)
            if before is not None and loss < 1e-2 * self._first_loss and self._lowest_loss > 0.95 * before:
                why = f"train loss down less than 5 % in {window:.3g} steps"
                changes.append(self._enter(CIRCUIT_FORMATION, step, why))
                self._losses.clear()
        return changes

    def see_test(self, step: int, accuracy: float) -> list[Change]:
        """One test evaluation."""
        changes = self._mark("grokked_at", step, accuracy, "test accuracy ≥ 0.99")
        if self._clock <= self.planned_steps:
            if self.phase in (MEMORIZATION, CIRCUIT_FORMATION) and accuracy >= self._half:
                changes.append(self._enter(CLEANUP, step, f"test accuracy reached {self._half:.2g}"))
            if self.phase == CLEANUP and accuracy >= 0.99 and self._norm_settled:
                why = f"weight norm² down less than 3 % in {self._clock:.3g} steps"
                changes.append(self._enter(GROKKED, step, why))
        return changes

    def see_excluded(self, step: int, highest: float) -> None:
        """One evaluation of excluded_loss_max; judged beside the training loss of that step, which comes next."""
        self._excluded = (step, highest)

    def _judge_excluded(self) -> list[Change]:
        latest, self._excluded = self._excluded, None
        if latest is None or self.phase != MEMORIZATION or not self._accuracy >= 0.99:
            return []
        step, highest = latest
        if self._lowest_excluded is None or highest < self._lowest_excluded[1]:
            self._lowest_excluded = (step, highest, self._loss)
        since, lowest, loss_then = self._lowest_excluded
        if highest > 1.5 * lowest and self._loss < 1.5 * loss_then:  # and not a spike of the training loss itself
            return [self._enter(CIRCUIT_FORMATION, since, "excluded_loss_max up by half")]
        return []

    def see_norm(self, step: int, norm_sq: float) -> None:
        """One evaluation of the weight norm, Σ w²."""
        if math.isfinite(self._clock):
            before = _value_before(self._norms, step, norm_sq, self._clock)
            self._norm_settled = before is not None and norm_sq > 0.97 * before

    def _enter(self, phase: str, step: int, why: str) -> Change:
        self.phase = phase
        return Change(phase, step, why)

    def _mark(self, name: str, step: int, accuracy: float, why: str) -> list[Change]:
        since = self._marks[name].see(step, accuracy >= 0.99)
        return [] if since is None else [Change(name, since, f"{why} for {HELD_FOR} evaluations", is_mark=True)]


@dataclass
class _Held:
    """Whether a condition has held long enough; reports the step since when, once."""

    since: int | None = None
    times: int = 0
    reported: bool = False

    def see(self, step: int, holds: bool) -> int | None:
        if self.reported:
            return None
        if not holds:
            self.since, self.times = None, 0
            return None
        self.since = step if self.since is None else self.since
        self.times += 1
        if self.times < HELD_FOR:
            return None
        self.reported = True
        return self.since


def _as_rows(seen: deque[tuple[int, float]]) -> NDArray[np.float64]:
    return np.array(seen, np.float64).reshape(-1, 2)


def _from_rows(rows: NDArray[np.float64]) -> deque[tuple[int, float]]:
    return deque((int(step), float(value)) for step, value in rows)


def _value_before(seen: deque[tuple[int, float]], step: int, value: float, window: float) -> float | None:
    """Add a value, and return the latest one that is at least `window` steps old; older ones are forgotten."""
    seen.append((step, value))
    before = None
    while seen[0][0] <= step - window:
        before = seen[0][1]
        if len(seen) > 1 and seen[1][0] <= step - window:
            seen.popleft()
        else:
            break
    return before
