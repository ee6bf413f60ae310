"""The phase rule on a file's recorded losses, as far as it goes without inventing a number.

The rule's clock is 1 / (lr · weight decay), so nothing is named where these are not known. Its first boundary needs the
training losses alone. The later ones need accuracies and norms, which only checkpoints have: they are named where
checkpoints stand as close as the rule looks (a tenth of the clock), for a boundary is then right to that many steps.
Memorized_at needs the training accuracy of every step and is never given.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from grokterm.importers.plan import Plan
from grokterm.phases import MEMORIZATION, Change, PhaseRule


def phases(plan: Plan, rows: Sequence[tuple[int, Mapping[str, float]]]) -> Iterator[tuple[int, Change]]:
    """Every change with the step at which it was certain; rows are the measures of the checkpoints, by step."""
    lr, weight_decay = known_decay(plan)
    losses = plan.contents.train_losses.tolist()
    if lr is None or weight_decay is None or not losses:
        return
    decay = lr * weight_decay
    rule = PhaseRule(plan.steps)
    measured = dict(rows) if _close_enough([step for step, _ in rows], 0.1 / decay if decay else 0.0) else {}
    yield 0, Change(MEMORIZATION, 0, "training begins")
    for step, loss in enumerate((*losses, None)):  # and the weights after the last update
        if step in measured:
            yield from ((step, change) for change in rule.see_test(step, measured[step]["test_accuracy"]))
            rule.see_norm(step, measured[step]["weight_norm_sq"])
        if loss is not None:
            yield from ((step, change) for change in rule.see_training(step, loss, math.nan, decay))


def known_decay(plan: Plan) -> tuple[float | None, float | None]:
    """Learning rate and weight decay as a flag or the file says; None where neither does."""
    said, found = plan.choices, plan.contents.settings
    lr = said.lr if said.lr is not None else found.lr
    return lr, said.weight_decay if said.weight_decay is not None else found.weight_decay


def _close_enough(steps: Sequence[int], window: float) -> bool:
    return all(later - earlier <= window for earlier, later in pairwise((0, *steps)))
