"""Measures how long hindsight of a run of mod113 takes, at every checkpoint. Run it on a quiet machine:

    .venv/bin/python tests/benchmarks/hindsight.py [CHECKPOINTS]

The network of mod113 is trained for a moment, and its last checkpoint stands for all of them: what a checkpoint costs
does not depend on what is in it.
"""

import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from grokterm.engine.workers import processors
from grokterm.run.checkpoint import list_checkpoints
from grokterm.run.directory import RunDirectory
from grokterm.run.hindsight import rows_in
from tests.benchmarks.speed import ALONE, Figure, machine
from tests.terminal import ROOT

CHECKPOINTS = 250
TARGET = 300.0
"""Seconds for CHECKPOINTS of them on two processors."""
STEPS = 20


def grokterm(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "grokterm", *arguments], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def make(folder: Path, checkpoints: int) -> RunDirectory:
    """A run of so many checkpoints."""
    grokterm("run", "presets/mod113", "--headless", "--runs", str(folder), "--steps", str(STEPS), *ALONE)
    (path,) = folder.iterdir()
    run = RunDirectory(path)
    first, last = (info.path for info in list_checkpoints(run.checkpoints))
    first.unlink()
    for step in range(checkpoints - 1):
        shutil.copy(last, run.checkpoints / f"{STEPS + 1 + step:09}.safetensors")
    return run


def figures(folder: Path, checkpoints: int) -> Iterator[Figure]:
    """The whole, and what of it is a checkpoint's share."""
    run = make(folder, checkpoints)
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    grokterm("measure", str(run.path))
    seconds, used = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    assert rows_in(run) == checkpoints
    cpu = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    what = f"`grokterm measure` of {checkpoints:,} checkpoints, {processors()} processors"
    target = TARGET * checkpoints / CHECKPOINTS
    yield Figure(what, f"{seconds:.0f} s", f"≤ {target:.0f} s", seconds <= target)
    yield Figure(
        "a checkpoint: time on the clock / of processors",
        f"{seconds / checkpoints * 1000:.0f} ms / {cpu / checkpoints * 1000:.0f} ms",
    )


def main() -> None:
    """Measure and print it as a Markdown table."""
    checkpoints = int(sys.argv[1]) if len(sys.argv) > 1 else CHECKPOINTS
    print(f"{machine()}\n\n| what | measured | target | |\n|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as name:
        for figure in figures(Path(name), checkpoints):
            met = {None: "", True: "met", False: "missed"}[figure.meets]
            print(f"| {figure.name} | {figure.value} | {figure.target} | {met} |", flush=True)


if __name__ == "__main__":
    main()
