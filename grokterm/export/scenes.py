"""What an animation shows at each of its pictures: the spectrum of the embedding and the tokens on one circle.

Both come from checkpoints, which hold W_E, and the spectrum also from the rows of `fourier_embedding`, which are
recorded more often. Nothing is made up between two of them: what is shown is the last that was recorded.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from grokterm.ancestry import first_step
from grokterm.charts import Line
from grokterm.circuit.embedding import Floats, on_circle
from grokterm.circuit.waves import component_norms, paired, waves
from grokterm.errors import RunError, UsageError
from grokterm.export.choices import Choices, standing
from grokterm.history import History
from grokterm.progress import Progress
from grokterm.run.checkpoint import CheckpointInfo, list_checkpoints, read
from grokterm.run.directory import RunDirectory
from grokterm.text import plain
from grokterm.tui.panels.fourier import key_frequencies

FRAMES = 120
"""Pictures where nobody says how many."""
SHORTEST = 0.04
"""Seconds of a picture: browsers show a GIF of less than 0.02 more slowly."""
ENOUGH = 40
"""With so many checkpoints each picture is one: spectrum and circle of the same weights."""
EMBEDDING = "model/W_E"
SPECTRUM = "fourier_embedding"
LARGEST_P = 10**6
"""A modulus beyond is a slip of whoever wrote the run.toml."""
LONGEST = 600.0
"""Seconds of an animation: a GIF holds no picture for longer than eleven minutes."""

Steps = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Scenes:
    """The pictures of an animation, n of them.

    steps (n,) ascending; norms (n, frequencies), NaN where nothing was recorded yet; frequency: whose circle is shown.
    circle (n, p, 2): the tokens of the checkpoint `circle_steps` (n,), NaN before the first; None without checkpoints.
    keys: the key frequencies at the last picture. span: the first and the last step of the losses.
    """

    name: str
    steps: Steps
    phases: tuple[str, ...]
    norms: Floats
    keys: tuple[int, ...]
    frequency: int
    circle: Floats | None
    circle_steps: Steps
    losses: tuple[Line, ...]
    span: tuple[int, int]

    @property
    def p(self) -> int:
        """How many tokens there are."""
        return 2 * int(self.norms.shape[1]) + 1


@dataclass(frozen=True)
class _Known:
    """Where a run's spectra and embeddings are: p, the checkpoints that hold W_E, the rows of the array."""

    p: int
    checkpoints: tuple[CheckpointInfo, ...]
    steps: Steps
    norms: Floats

    @cached_property
    def waves(self) -> Floats:
        """The basis, made once."""
        return waves(self.p)

    def embedding(self, checkpoint: CheckpointInfo) -> Floats:
        """W_E of a checkpoint without the token `=`, float64 (p, d_model). Raises RunError when it is another shape."""
        found = read(checkpoint.path).tensors.get(EMBEDDING)
        if found is None or found.ndim != 2 or len(found) < self.p:
            raise RunError(f"{checkpoint.path} holds no {EMBEDDING} of {self.p} tokens, which the run's task has")
        return found[: self.p].astype(np.float64)


def scenes_of(run: RunDirectory, choices: Choices, progress: Progress) -> Scenes:
    """Read what the pictures show. Takes first, last, frames, frequency and seconds of `choices`.

    Raises RunError where the run has neither checkpoints with an embedding nor spectra, UsageError for choices that
    it cannot meet. `progress` counts two for a picture, one of them for drawing it.
    """
    history = History(run)
    history.poll()
    first, last = choices.span(history.step, first_step(history))
    known = _known(history, last)
    if choices.seconds is not None and choices.seconds > LONGEST:
        raise UsageError(f"--seconds {choices.seconds:g}: an animation takes at most {LONGEST:g}")
    most = choices.frames or FRAMES
    if choices.seconds is not None:
        moving = choices.seconds - standing(choices.seconds)
        most = min(most, max(int(moving / SHORTEST), 2))
    steps = _chosen(known, first, most)
    if len(steps) < 2:
        where = f"from step {first:,} to {last:,}"
        raise RunError(f"{run.path} has spectra or checkpoints at fewer than two steps {where}: nothing would move")
    progress.begin(2 * len(steps))
    frequency = _frequency(known, choices.frequency, int(steps[-1]))
    norms, circle, circle_steps = _pictures(known, steps, frequency, progress)
    return Scenes(
        name=plain(run.name),
        steps=steps,
        phases=tuple(_phase(history, step) for step in steps.tolist()),
        norms=norms,
        keys=tuple(k for k in key_frequencies(history, int(steps[-1])) if k <= norms.shape[1]),
        frequency=frequency,
        circle=circle,
        circle_steps=circle_steps,
        losses=_losses(history),
        span=(first, last),
    )


def _known(history: History, last: int) -> _Known:
    """What there is to show up to a step."""
    spectra = history.array(SPECTRUM)
    recorded = spectra.values.ndim == 2 and spectra.values.shape[1] >= 3 and spectra.values.shape[1] % 2 == 1
    infos = [info for info in list_checkpoints(history.run.checkpoints) if info.step <= last]
    has_embedding = bool(infos) and EMBEDDING in read(infos[-1].path).tensors
    p = _p(history, spectra.values.shape[1] if recorded else 0)
    if not p or not (has_embedding or recorded):
        reason = (
            "no odd p in the [task] of its run.toml" if recorded or has_embedding else f"no {EMBEDDING} in a checkpoint"
        )
        also = "" if recorded else f" and no array {SPECTRUM}"
        raise RunError(f"{history.run.path} has {reason}{also}, so there is no spectrum to show")
    rows = int(np.searchsorted(spectra.steps, last, side="right")) if recorded else 0
    norms = paired(spectra.values[:rows]).astype(np.float64) if rows else np.zeros((0, (p - 1) // 2))
    return _Known(p, tuple(infos) if has_embedding else (), spectra.steps[:rows], norms)


def _p(history: History, columns: int) -> int:
    """The number of tokens: the array's, or what the configuration says."""
    task = (history.config or {}).get("task")
    said = task.get("p") if isinstance(task, dict) else None
    p = columns or (said if isinstance(said, int) else 0)
    return p if 3 <= p <= LARGEST_P and p % 2 else 0


def _chosen(known: _Known, first: int, most: int) -> Steps:
    """The steps of the pictures: those of the checkpoints where these are many, else of all that is recorded."""
    saved, rows = np.array([info.step for info in known.checkpoints], np.int64), known.steps
    saved, rows = saved[saved >= first], rows[rows >= first]
    steps = saved if len(saved) >= ENOUGH or not len(rows) else np.union1d(saved, rows)
    if len(steps) <= most:
        return steps
    chosen: Steps = steps[np.unique(np.linspace(0, len(steps) - 1, most).round().astype(int))]
    return chosen


def _frequency(known: _Known, asked: int | None, last: int) -> int:
    """Whose circle: the one that was asked for, or the largest at the last picture."""
    count = (known.p - 1) // 2
    if asked is not None:
        if not 1 <= asked <= count:
            raise UsageError(f"--frequency {asked}: the frequencies of p = {known.p} are 1 to {count}")
        return asked
    saved = [info for info in known.checkpoints if info.step <= last]
    norms = paired(component_norms(known.embedding(saved[-1]))) if saved else known.norms[-1]
    return int(np.argmax(np.nan_to_num(norms, nan=-1.0, posinf=-1.0))) + 1


def _pictures(known: _Known, steps: Steps, frequency: int, progress: Progress) -> tuple[Floats, Floats | None, Steps]:
    """Spectra, tokens and the tokens' steps at each of `steps`; every checkpoint is read once."""
    saved = np.array([info.step for info in known.checkpoints], np.int64)
    norms = np.full((len(steps), (known.p - 1) // 2), np.nan)
    circle = np.full((len(steps), known.p, 2), np.nan)
    circle_steps = np.full(len(steps), -1, np.int64)
    places, from_weights, shown = circle[0], norms[0], -1
    for picture, step in enumerate(steps.tolist()):
        newest = int(np.searchsorted(saved, step, side="right")) - 1
        row = int(np.searchsorted(known.steps, step, side="right")) - 1
        if newest > shown:
            W_E, shown = known.embedding(known.checkpoints[newest]), newest
            places, from_weights = on_circle(W_E, known.waves[frequency - 1]), paired(component_norms(W_E))
        if newest >= 0:
            circle[picture], circle_steps[picture] = places, saved[newest]
        if newest >= 0 and (row < 0 or saved[newest] >= known.steps[row]):
            norms[picture] = from_weights
        elif row >= 0:
            norms[picture] = known.norms[row]
        progress.advance(1)
    return norms, circle if len(saved) else None, circle_steps


def _phase(history: History, step: int) -> str:
    begun = [phase.phase for phase in history.phases if phase.at <= step]
    return plain(begun[-1]) if begun else ""


def _losses(history: History) -> tuple[Line, ...]:
    recorded: Sequence[str] = history.names()
    return tuple(
        Line(part, part, *_series(history, f"{part}_loss")) for part in ("train", "test") if f"{part}_loss" in recorded
    )


def _series(history: History, name: str) -> tuple[Steps, Floats]:
    found = history.series(name)
    return found.steps, found.values
