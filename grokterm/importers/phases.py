"""The phase rule on a file's recorded losses, as far as it goes without inventing a number.

The rule's clock is 1 / (lr · weight decay), so nothing is named where these are not known. Its later boundaries need
accuracies and norms, which only checkpoints have: phases are named where checkpoints stand as close as the rule looks
(a tenth of the clock), for a boundary is then right to that many steps. Elsewhere none is named at all: a run that
groks would seem to stay in its first phases for ever. Memorized_at needs the training accuracy of every step and is
never given.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from grokterm.importers.plan import Plan
from grokterm.phases import MEMORIZATION, Change, PhaseRule


def phases(plan: Plan, rows: Sequence[tuple[int, Mapping[str, float]]]) -> Iterator[tuple[int, Change]]:
    """Every change with the step at which it was certain; rows are the measures of the checkpoints, by step."""
    if why_none(plan) or not len(plan.contents.train_losses):
        return
    lr, weight_decay = known_decay(plan)
    assert lr is not None
    assert weight_decay is not None
    decay, losses, measured = lr * weight_decay, plan.contents.train_losses.tolist(), dict(rows)
    rule = PhaseRule(plan.steps)
    yield 0, Change(MEMORIZATION, 0, "training begins")
    for step, loss in enumerate((*losses, None)):  # and the weights after the last update
        if step in measured:
            yield from ((step, change) for change in rule.see_test(step, measured[step]["test_accuracy"]))
            rule.see_norm(step, measured[step]["weight_norm_sq"])
        if loss is not None:
            yield from ((step, change) for change in rule.see_training(step, loss, math.nan, decay))


def why_none(plan: Plan) -> str:
    """Why no phases can be named for the file's losses; "" when they can."""
    lr, weight_decay = known_decay(plan)
    if lr is None or weight_decay is None:
        return "their clock is lr · weight decay (--lr and --weight-decay give them)"
    if not lr * weight_decay:
        return "their clock, 1 / (lr · weight decay), stands still"
    window = 0.1 / (lr * weight_decay)
    if not _close_enough([step for step, _ in plan.states], window):
        return f"accuracies are known at checkpoints only, and these are more than {window:,.0f} steps apart"
    return ""


def known_decay(plan: Plan) -> tuple[float | None, float | None]:
    """Learning rate and weight decay as a flag or the file says; None where neither does."""
    said, found = plan.choices, plan.contents.settings
    lr = said.lr if said.lr is not None else found.lr
    return lr, said.weight_decay if said.weight_decay is not None else found.weight_decay


def _close_enough(steps: Sequence[int], window: float) -> bool:
    return all(later - earlier <= window for earlier, later in pairwise((0, *steps)))
