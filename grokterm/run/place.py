"""A run and a step of it as a person writes both, mod113@600, and the checkpoint that is meant by it."""

import contextlib
import os
from pathlib import Path

from grokterm.errors import RunError
from grokterm.places import step_asked, step_from
from grokterm.run.checkpoint import CheckpointInfo, list_checkpoints
from grokterm.run.directory import RunDirectory
from grokterm.run.finding import find


def find_place(folder: Path, place: str) -> tuple[RunDirectory, str | None]:
    """The run that `place` names, found as `finding.find` does, and what stands behind its @; None where nothing does.

    A name may have an @ in it: a run of that whole name is meant, and what is no step belongs to the name if there is
    such a run. Raises RunError.
    """
    reference, at, text = place.rpartition("@")
    if not at or any(os.path.exists(there / "run.toml") for there in (Path(place), folder / place)):  # noqa: PTH110 - Path.exists raises where a name is too long
        return find(folder, place), None
    if step_from(text, 0) is None:
        with contextlib.suppress(RunError):
            return find(folder, place), None
    return find(folder, reference), text


def checkpoint_meant(run: RunDirectory, text: str | None) -> CheckpointInfo:
    """The checkpoint of exactly the step that a person wrote; for a percentage the nearest one, for None the newest.

    100 % is the newest checkpoint. Raises UsageError for what is no step, RunError that names the nearest steps where
    there is no such checkpoint.
    """
    there = list_checkpoints(run.checkpoints)
    if not there:
        raise RunError(f"{run.name} has no checkpoint")
    if text is None:
        return there[-1]
    step = step_asked(text, there[-1].step, f"{run.name}@{text}:")
    closest = min(there, key=lambda info: abs(info.step - step))
    if closest.step == step or text.strip().endswith("%"):
        return closest
    before, after = [info for info in there if info.step < step], [info for info in there if info.step > step]
    nearby = " and ".join(f"{info.step:,}" for info in (*before[-1:], *after[:1]))
    raise RunError(f"{run.name} has no checkpoint at step {step:,}; the nearest: {nearby}")
