"""Which pairs a model was trained on, and how they were drawn: read off the model's own losses.

A network knows the pairs that it was trained on better than the others, after grokking too. Rank all p² losses: the
mean rank of a random subset is normal, with known mean and deviation (Mann & Whitney 1947), and that of the training
pairs lies many deviations below. So a split can be tested without knowing any recorded loss; on the two reference
models the right one lies 15.4 and 8.8 deviations below the mean, and of all wrong ones the furthest 3.1.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from grokterm.errors import UsageError
from grokterm.importers.choices import Choices, Split
from grokterm.importers.settings import Settings
from grokterm.tasks.modular import modular

SURE = 6.0
"""Deviations below the mean from which on a split is believed: by chance one in a billion is."""
LIKELY_SEEDS = (*range(20), 42, 123, 598, 999, 1337)
"""598 is the data seed of the grokking demo of TransformerLens; Nanda's code counts from 0."""
TOLD_APART = 2 * math.log(100)
"""z² of two fractions further apart than this: one is a hundred times as likely as the other."""
MOST_SEEDS = {"torch": 2000, "python": 100}
"""How far the seeds are searched for train_indices that a file gives."""
RATIO = 3.0
"""Recorded test and train loss this far apart must show in the losses of the right parts."""


@dataclass(frozen=True)
class FoundSplit:
    """How the training part is drawn again, why we say so, and what of it is likely rather than shown, if anything."""

    split: Split
    fraction: float
    why: str
    assumed: str = ""


@dataclass(frozen=True)
class Evidence:
    """What there is to judge a split by: p, the loss of every pair, float64 (p²,), and the losses recorded last."""

    p: int
    losses: Tensor
    recorded: tuple[float, float] | None


def find_split(evidence: Evidence, rows: Tensor | None, choices: Choices, known: Settings) -> FoundSplit:
    """Return the split that the flags give or the file shows.

    A flag that the file contradicts is refused: with the wrong parts every train and test number would be wrong. One
    that the file cannot confirm is taken, and `why` says so. Raises UsageError.
    """
    if rows is not None:
        return _of_rows(rows, evidence.p, choices, known)
    ranks = _ranks(evidence.losses)
    if choices.split is None:
        shown = _shown(evidence.p, ranks, known)
        if len(shown) == 1:
            return _confirmed(shown[0], choices, known)
        which = f"{' and '.join(str(one.split) for one in shown)} both fit" if shown else "no usual split shows"
        raise UsageError(
            f"which pairs it was trained on cannot be told from the losses of all pairs ({which}); say it, for "
            "instance --split python:0 (random.seed(0), as in Nanda's code) or --split torch:598 (as in the demo of "
            "TransformerLens)"
        )
    return _of_flag(choices.split, evidence, ranks, choices, known)


@dataclass(frozen=True)
class _Tested:
    """A split with its test at each hundredth: z below 0 where its first so many pairs have lower losses."""

    split: Split
    z: tuple[float, ...]

    def shows(self) -> bool:
        return min(self.z) <= -SURE

    def why(self) -> str:
        return f"its training pairs have the lower losses (mean rank {-min(self.z):.1f} deviations below chance)"


def _of_flag(split: Split, evidence: Evidence, ranks: Tensor, choices: Choices, known: Settings) -> FoundSplit:
    tested = _test(split, evidence.p, ranks)
    if tested.shows():
        return _confirmed(tested, choices, known)
    others = _shown(evidence.p, ranks, known)
    if others:
        raise UsageError(f"--split {split} does not fit the weights, --split {others[0].split} does: {others[0].why()}")
    fraction = choices.fraction or known.fraction
    if fraction is None:
        raise UsageError(
            f"--split {split} alone does not say how many pairs were trained on, and the weights do not show it; "
            "say it too, for instance --fraction 0.3"
        )
    order = _order(split, evidence.p)
    cut = int(fraction * len(ranks))
    train, test = float(evidence.losses[order[:cut]].mean()), float(evidence.losses[order[cut:]].mean())
    if evidence.recorded is not None and _contradicts(evidence.recorded, train, test):
        told = "train {:.3g}, test {:.3g}"
        raise UsageError(
            f"--split {split} does not fit the file's own losses ({told.format(*evidence.recorded)}): with it the "
            f"weights give {told.format(train, test)}"
        )
    return FoundSplit(split, fraction, "from --split; the weights neither confirm nor contradict it")


def _contradicts(recorded: tuple[float, float], train: float, test: float) -> bool:
    """Whether the recorded losses are far apart and those of the two parts are not, or not that way round."""
    if not all(math.isfinite(loss) and loss > 0 for loss in (*recorded, train, test)):
        return False
    apart, found = math.log(recorded[1] / recorded[0]), math.log(test / train)
    return abs(apart) > math.log(RATIO) and found / apart < 0.5


def _of_rows(rows: Tensor, p: int, choices: Choices, known: Settings) -> FoundSplit:
    """Name the split that draws exactly these training pairs."""
    n = p * p
    if int(rows.max()) >= n or len(rows) >= n:
        raise UsageError(f"its train_indices do not lie among the {n:,} pairs of the task")
    wanted = rows.sort().values
    candidates = [choices.split] if choices.split else _every_split(known.seeds)
    for split in candidates:
        if torch.equal(_order(split, p)[: len(rows)].sort().values, wanted):
            fraction = _fraction_of(len(rows), n, choices.fraction or known.fraction)
            return FoundSplit(split, fraction, f"it draws exactly the file's {len(rows):,} train_indices")
    if choices.split:
        raise UsageError(f"--split {choices.split} does not draw the file's train_indices")
    tried = " and ".join(f"{name}:0 to {name}:{most - 1}" for name, most in MOST_SEEDS.items())
    raise UsageError(
        f"its train_indices are drawn by none of the splits {tried}; name another one, for instance --split torch:12345"
    )


def _every_split(seeds: Sequence[int]) -> Iterator[Split]:
    likely = list(_candidates(seeds))
    yield from likely
    for seed in range(MOST_SEEDS["torch"]):
        yield Split("torch", seed)
    for seed in range(MOST_SEEDS["python"]):
        yield Split("python", seed)


def _fraction_of(count: int, n: int, said: float | None) -> float:
    """The train fraction that a person would write for `count` of n pairs. Raises UsageError when `said` is not one."""
    if said is not None:
        if int(said * n) != count:
            raise UsageError(
                f"--fraction {said:g} is {int(said * n):,} of {n:,} pairs; the file has {count:,} train_indices"
            )
        return said
    exact = (count + 0.5) / n  # in the middle of those that are cut to this count
    return next((round(exact, places) for places in (1, 2, 3, 4) if int(round(exact, places) * n) == count), exact)


def _candidates(seeds: Sequence[int]) -> Iterator[Split]:
    for seed in dict.fromkeys((*seeds, *LIKELY_SEEDS)):
        yield Split("python", seed)
        yield Split("torch", seed)


def _shown(p: int, ranks: Tensor, known: Settings) -> list[_Tested]:
    """Every likely split whose training part shows in the losses; one, if all is well."""
    return [tested for split in _candidates(known.seeds) if (tested := _test(split, p, ranks)).shows()]


def _order(split: Split, p: int) -> Tensor:
    """All p² row numbers in the order in which the split draws them."""
    task = modular(p=p, split=split.procedure, split_seed=split.seed, train_fraction=0.5)
    return torch.cat([task.train, task.test])


def _test(split: Split, p: int, ranks: Tensor) -> _Tested:
    n, order = len(ranks), _order(split, p)
    cuts = torch.tensor([max(int(percent / 100 * n), 1) for percent in range(1, 100)])
    size = cuts.double()
    mean = ranks[order].cumsum(0)[cuts - 1] / size
    deviation = ((n + 1) * (n - size) / (12 * size)).sqrt()
    return _Tested(split, tuple(((mean - (n + 1) / 2) / deviation).tolist()))


def _ranks(losses: Tensor) -> Tensor:
    """Place of each loss among all, 1 for the lowest, float64; equal losses share the mean of their places."""
    _, group, count = torch.unique(losses, return_inverse=True, return_counts=True)
    last = count.cumsum(0).double()
    ranks: Tensor = (last - (count - 1).double() / 2)[group]
    return ranks


def _confirmed(tested: _Tested, choices: Choices, known: Settings) -> FoundSplit:
    """A split that shows, and its train fraction: as said, else the roundest that the losses do not speak against."""
    why = ("from --split, confirmed: " if choices.split else "") + tested.why()
    squares = [min(z, 0.0) ** 2 for z in tested.z]
    likely = [percent for percent, square in enumerate(squares, start=1) if square > max(squares) - TOLD_APART]
    between = f"between {likely[0] / 100:g} and {likely[-1] / 100:g}" if len(likely) > 1 else f"{likely[0] / 100:g}"
    said = choices.fraction or known.fraction
    if said is not None:
        if not likely[0] - 1 <= said * 100 <= likely[-1] + 1:
            who = f"--fraction {said:g}" if choices.fraction else f"the config's train fraction {said:g}"
            raise UsageError(f"{who} does not fit the weights with --split {tested.split}: {between} does")
        return FoundSplit(tested.split, said, why)
    for roundness in (10, 5, 1):
        round_ones = [percent for percent in likely if percent % roundness == 0]
        if len(round_ones) == 1:
            fraction = round_ones[0] / 100
            assumed = f"the train fraction {fraction:g} is the roundest {between}, where the losses put it"
            return FoundSplit(tested.split, fraction, why, assumed if len(likely) > 1 else "")
        if round_ones:
            break
    raise UsageError(
        f"--split {tested.split} fits, but the share of pairs that were trained on can only be told to lie {between}; "
        f"say it, for instance --fraction {likely[len(likely) // 2] / 100:g}"
    )
