"""A clock that jumps while training goes on: nothing but the times of the rows is different, and nobody stumbles."""

import json
import math
import random
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from grokterm.catalog import Catalog
from grokterm.errors import RunError
from grokterm.export.whole_screen import whole_screen
from grokterm.listing import table
from grokterm.report import closing, progress_line
from grokterm.run.directory import RunDirectory
from grokterm.run.lock import Lock, holder
from grokterm.summary import as_json, summarize
from grokterm.tui.app import load_panels
from grokterm.tui.looks import Looks
from grokterm.tui.replay.playhead import Playhead, comfortable_speed, timeline_of
from tests.faults.outcomes import Result
from tests.faults.trainers import PATIENCE, Child, Ended, Order, ended, trainer
from tests.faults.undisturbed import Undisturbed, long
from tests.run_equality import differences, history
from tests.waiting import wait_for

JUMPS = (-3600.0, -1.0, -0.001, 1.0, 3600.0, -86400.0, 10 * 365 * 86400.0, -20 * 365 * 86400.0)
"""Seconds by which a clock is set: after a correction, a change of time zones done wrongly, a battery that is empty."""
_A_RUN = 8
"""Jumps in one run."""
_LOOKS = 160
"""Looks at the clock in one run: at least one a step."""


@dataclass(frozen=True)
class Jumping:
    """Sets this process's clock at some of the looks at it: (number of the look, seconds)."""

    jumps: tuple[tuple[int, float], ...]

    def put_in_place(self, run: RunDirectory) -> None:
        """Count the looks from now on."""
        real, looks = time.time, 0

        def jumping() -> float:
            nonlocal looks
            looks += 1
            return real() + sum(seconds for look, seconds in self.jumps if look <= looks)

        time.time = jumping


def jump(folder: Path, whole: Undisturbed, jumps: int, seed: int) -> Result:
    """Set the clock so often; a run that the clock has jumped in is trained by two processes, one after the other."""
    chance, done, back, runs = random.Random(seed), 0, 0, 0
    while done < jumps:
        run = long(folder / str(runs))
        chosen = [chance.choice(JUMPS) for _ in range(min(_A_RUN, jumps - done))]
        looks = sorted(chance.sample(range(_LOOKS), len(chosen)))
        first = Jumping(tuple(zip(looks, chosen, strict=True)))
        with trainer(Order(run, full_seconds=0.02, fault=first)) as child:
            _check_living(run, child, chance.randrange(1, _LOOKS // 2))
            child.kill()
        _check_viewers(run)
        with trainer(Order(run, full_seconds=0.02, fault=Jumping(((0, chance.choice(JUMPS)), *first.jumps)))) as child:
            assert ended(child) == Ended(killed=False), run.path
        _check_viewers(run)
        differ = differences(whole.long, run)
        assert not differ, f"{run.path}: {differ[:5]}"
        done, back, runs = done + len(chosen), back + sum(seconds < 0 for seconds in chosen), runs + 1
    shutil.rmtree(folder)
    counts = {"steps of the clock": done, "of them backwards": back, "runs": runs}
    checked = "rows and events equal to the undisturbed run; lock, lists, report, speed, replay and screen are sound"
    return Result(counts, checked)


def _check_living(run: RunDirectory, child: Child, rows: int) -> None:
    """A trainer whose clock jumps is living for everybody else."""

    def has_come() -> bool:
        return len(history(run).series("train_loss").values) >= rows or child.has_told()

    wait_for(has_come, PATIENCE, f"{rows} rows")
    held = holder(run)
    if child.has_told():
        return
    assert held is not None, f"{run.path} is taken for dead"
    assert held.pid == child.pid
    refusal = _refusal(run)
    assert child.has_told() or f"is being trained by process {child.pid} on " in refusal, f"{run.path}: {refusal!r}"
    _check_viewers(run)


def _refusal(run: RunDirectory) -> str:
    """What is said to one who wants to train it, too; "" when nothing stands in the way."""
    try:
        with Lock(run):
            return ""
    except RunError as error:
        return str(error)


def _check_viewers(run: RunDirectory) -> None:
    """Whatever looks at a run finds numbers that can be."""
    found = history(run)
    if len(found.times().values) < 2:
        return
    rate = found.rate()
    assert 0 <= rate < math.inf, f"{run.path}: {rate} steps a second"
    newest = found.times().values[-3:]
    if len(newest) == 3 and (np.diff(newest) > 0).all() and newest[-1] - newest[0] < 1 and found.state != "paused":
        assert rate > 0, f"{run.path}: no speed, although the last steps came one after the other"
    timeline = timeline_of(found)
    assert (np.diff(timeline.steps) > 0).all()
    assert (np.diff(timeline.seconds) >= 0).all(), f"{run.path}: the replay goes back in time"
    speed = comfortable_speed(timeline, by_time=True)
    assert Playhead(playing=True, speed=speed).advanced(1e9, timeline).step == found.step
    assert "-" not in closing(found).splitlines()[0], f"{run.path}: {closing(found).splitlines()[0]!r}"
    assert f"step {found.step:>6,}" in progress_line(found)
    panels = load_panels(Catalog())
    assert len(whole_screen(found, panels, Looks(), 120, 40, transport="")) == 40
    summary = summarize(run)
    assert summary is not None
    assert summary.state in ("training", "interrupted", "finished"), f"{run.path}: {summary.state} {summary.problem}"
    json.loads(as_json(summary))
    assert len(table([summary], None, str)) == 2
