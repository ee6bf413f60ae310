"""Makes a fork: a run that goes on from a checkpoint of another one. It is files alone; to train it is to resume it.

    parent, step ─► branch (branches.py) ─► checkpoint, phase events, run.toml with [parent] and [[interventions]]

run.toml comes last, for that is what makes a directory a run: a crash in between leaves none.
"""

import contextlib
import json
import math
import re
import shutil
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from grokterm.catalog import Catalog
from grokterm.errors import RunError, UsageError, nearest
from grokterm.knob_values import checked_knobs
from grokterm.run import checkpoint
from grokterm.run.branches import Branch, Origin, branch_at, branch_before_last_edit, interventions, origins
from grokterm.run.checkpoint import Checkpoint
from grokterm.run.directory import RunDirectory, create
from grokterm.run.durable import write_whole
from grokterm.run.events import Event, encode
from grokterm.run.finding import without_date
from grokterm.run.lineage import folder_of

_FROM = re.compile(r"-from-\d+(-\d+)?\Z")
_LONGEST_LABEL = 60
_NO_SETS: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True)
class Undone:
    """What an undo does without: an edit, or all those of one planned intervention, and where training goes on.

    run: where it was made, this run or one that it was forked from. checkpoint: the step that training goes back to.
    """

    run: RunDirectory
    edits: tuple[Event, ...]
    checkpoint: int

    @property
    def step(self) -> int:
        """The step at which it took effect."""
        return self.edits[-1].step

    @property
    def knob(self) -> str:
        """The knob that was turned (last)."""
        return str(self.edits[-1].data.get("knob", ""))

    @property
    def old(self) -> object:
        """Its value before."""
        return self.edits[-1].data.get("old")

    @property
    def new(self) -> object:
        """Its value since."""
        return self.edits[-1].data.get("new")


def fork(
    parent: RunDirectory,
    step: int | None,
    *,
    sets: Mapping[str, float] = _NO_SETS,
    moments: Literal["kept", "reset"] = "kept",
    name: str | None = None,
    undo: bool = False,
    catalog: Catalog | None = None,
) -> RunDirectory:
    """Make a run beside `parent` that is the same up to `step`, where it turns the knobs of `sets`.

    It holds the edits made before that step; step None: every edit so far, at the newest step. undo: the step is that
    of the last edit in force, of the run or else of its parent, and the fork does without this edit. `name` takes the
    place of `LABEL-from-STEP`; `catalog` has the person's own parts. A run in training may be forked.

    Raises UsageError for a step, knob or value that cannot be, and where there is no checkpoint to start from; RunError
    when runs cannot be read or the fork cannot be written: nothing is left of it then.
    """
    if undo:
        found = branch_before_last_edit(parent)
        if found is None:
            raise UsageError(f"no knob was changed in {parent.name}: there is nothing to undo")
        branch = found
    else:
        branch = branch_at(parent, step)
    origin, saved = _readable(branch)
    planned = interventions(branch, origin)
    if sets:
        checked = _checked(sets, branch, origin, catalog or Catalog())
        planned.append({"at": branch.step, "set": checked, "moments": moments, "by_hand": True})
    config = _config(branch, origin, planned)
    phases = origin.told.phases_among(int(saved.state["events"]))  # type: ignore[call-overload]
    run = create(folder_of(parent), name or _label(origin.told.run.name, branch.step))
    with contextlib.ExitStack() as on_failure:
        on_failure.callback(shutil.rmtree, run.path, ignore_errors=True)
        _write(run, saved, phases, config)
        on_failure.pop_all()
    return run


def what_undo_undoes(run: RunDirectory) -> Undone | None:
    """What `fork(run, None, undo=True)` would do without; None when no knob was ever changed. Raises as `fork` does."""
    branch = branch_before_last_edit(run)
    if branch is None:
        return None
    origin = next(origins(branch))
    return Undone(branch.line[-1].told.run, branch.undone, origin.info.step)


def _readable(branch: Branch) -> tuple[Origin, Checkpoint]:
    """The newest checkpoint for a branch whose content is whole. Raises UsageError when there is none."""
    damaged = ""
    found = origins(branch)
    while True:
        try:
            origin = next(found)
        except UsageError as error:
            raise UsageError(f"{error}: {damaged}" if damaged else str(error)) from error
        try:
            return origin, checkpoint.read(origin.info.path)
        except RunError as error:
            damaged = damaged or str(error)


def _checked(sets: Mapping[str, float], branch: Branch, origin: Origin, catalog: Catalog) -> dict[str, float]:
    """The values that knobs are to take. Of an optimizer that is in no catalog only the knobs' names are known."""
    knobs = origin.state["knobs"]
    names = sorted(knobs) if isinstance(knobs, Mapping) else []
    for name in sets:
        if name not in names:
            section, dot, setting = name.partition(".")
            if dot and setting and section in branch.line[0].told.config:
                valid = ", ".join(names)
                raise UsageError(f"{name} cannot change in the middle of a run; knobs are {valid}")
            raise UsageError(f"there is no knob {name!r}; {nearest(name, names)}")
    checked = checked_knobs(catalog, branch.line[0].told.config.get("optimizer"), sets)
    if checked.get("steps", math.inf) <= branch.step:
        raise UsageError(f"steps = {checked['steps']:,}: the fork is at step {branch.step:,} by then")
    return checked


def _config(branch: Branch, origin: Origin, planned: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The fork's run.toml: what the parent was told, since when and from where it goes on, what it does by itself."""
    told = origin.told
    inherited = {
        key: value for key, value in branch.line[0].told.config.items() if key not in ("parent", "interventions")
    }
    parent: dict[str, Any] = {"run": told.run.name, "step": origin.info.step, "at": branch.step}
    if "started" in told.config:
        parent["started"] = told.config["started"]
    config = {**inherited, "started": time.time(), "host": socket.gethostname(), "parent": parent}
    return {**config, "interventions": [dict(entry) for entry in planned]} if planned else config


def _label(parent: str, step: int) -> str:
    end = f"-from-{step}"
    return _FROM.sub("", without_date(parent))[: _LONGEST_LABEL - len(end)] + end


def _write(run: RunDirectory, saved: Checkpoint, phases: Sequence[Event], config: Mapping[str, Any]) -> None:
    """Write the checkpoint as one of a run that has just begun, the phases so far, and at last run.toml."""
    schedule = saved.state.get("schedule")
    state = {
        **saved.state,
        "edits": 0,
        "events": len(phases),
        "schedule": {**(schedule if isinstance(schedule, Mapping) else {}), "fired": []},
        "paused": False,
    }
    lines = [{"event": event.kind, "step": event.step, "time": event.time, **event.data} for event in phases]
    try:
        checkpoint.write(run.checkpoints, saved.step, saved.tensors, kind="full", state=state)
        content = "".join(json.dumps(encode(line), allow_nan=False) + "\n" for line in lines)
        write_whole(run.events_path, content.encode())
    except OSError as error:
        raise RunError(f"{run.path} cannot be written: {error.strerror}") from error
    run.write_config(config)
