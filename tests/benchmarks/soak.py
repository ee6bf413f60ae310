"""Whether a long run stays as it was: memory and step time of a trainer and of a screen attached to it.

    .venv/bin/python tests/benchmarks/soak.py [STEPS]

A tiny network trains 300,000 steps in a process without a screen; a second process shows it in a pseudo-terminal of
120×40. Ten lines are printed, then how the last third compares with the second: processor time a step, which tells more
than the clock on a machine that does other things, and memory. A screen keeps every number that it shows.
"""

import os
import select
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from grokterm.run.directory import RunDirectory
from grokterm.run.table import TableReader
from tests.terminal import ROOT, TINY, Terminal
from tests.waiting import wait_for

LINES = 10


@dataclass(frozen=True)
class Sample:
    """Where training stood at a moment (s), processor seconds and resident memory (MB) of trainer and screen."""

    at: float
    step: int
    trainer: float
    viewer: float
    trained: float
    watched: float


def memory(pid: int) -> float:
    """Resident memory of a process in MB, shared libraries included."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024


def processor_seconds(pid: int) -> float:
    """What all threads of a process have used, in user and system mode."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def watch(run: RunDirectory, trainer: "subprocess.Popen[bytes]", terminal: Terminal, steps: int) -> list[Sample]:
    """Take a sample a second until training ends; print ten of them."""
    samples: list[Sample] = []
    reader, step, told = TableReader(run.steps_path), 0, 0
    while trainer.poll() is None:
        terminal.read()
        step += len(reader.new_rows())
        if not samples or time.monotonic() - samples[-1].at >= 1:
            pids = trainer.pid, terminal.process.pid
            samples.append(Sample(time.monotonic(), step, *map(memory, pids), *map(processor_seconds, pids)))
            if step >= told and len(samples) > 1:
                told += steps // LINES
                tell(samples[-2], samples[-1])
        select.select([terminal.main], [], [], 0.05)
    return samples


def tell(before: Sample, now: Sample) -> None:
    rate = (now.step - before.step) / (now.at - before.at)
    print(
        f"{now.step:>9,}  {rate:7.0f} steps/s  trainer {now.trainer:6.0f} MB  screen {now.viewer:6.0f} MB", flush=True
    )


def compare(samples: list[Sample]) -> None:
    """The last third of the steps against the second third."""
    last = samples[-1].step
    parts = [[s for s in samples if last * part / 3 <= s.step <= last * (part + 1) / 3] for part in (1, 2)]
    a_step = [(part[-1].trained - part[0].trained) / (part[-1].step - part[0].step) for part in parts]
    watching = [(part[-1].watched - part[0].watched) / (part[-1].at - part[0].at) for part in parts]
    trainer = [statistics.median(s.trainer for s in part) for part in parts]
    viewer = [statistics.median(s.viewer for s in part) for part in parts]
    print(f"processor time a step: {a_step[0] * 1e3:.3f} → {a_step[1] * 1e3:.3f} ms, × {a_step[1] / a_step[0]:.3f}")
    print(f"the screen's share of a processor: {watching[0]:.2%} → {watching[1]:.2%}")
    print(f"memory: trainer {trainer[0]:.1f} {trainer[1] - trainer[0]:+.1f} MB, ", end="")
    grown = (viewer[1] - viewer[0]) * 2**20 / (last / 3)
    print(f"screen {viewer[0]:.1f} {viewer[1] - viewer[0]:+.1f} MB: {grown:.0f} bytes a step")


def main() -> None:
    steps = int((sys.argv[1:2] or ["300000"])[0])
    with tempfile.TemporaryDirectory() as folder:
        runs = Path(folder) / "runs"
        call = [sys.executable, "-m", "grokterm", "run", "presets/mod113-quick", *TINY, "--headless"]
        trainer = subprocess.Popen(
            [*call, "--steps", str(steps), "--runs", str(runs)], cwd=ROOT, stdout=subprocess.DEVNULL
        )
        try:
            wait_for(lambda: list(runs.glob("*/steps.npy")), 60, "the run")
            (path,) = runs.iterdir()
            with Terminal(runs, [], command="attach", width=120, height=40) as terminal:
                samples = watch(RunDirectory(path), trainer, terminal, steps)
        finally:
            if trainer.poll() is None:
                trainer.terminate()
                trainer.wait()
        compare(samples)


if __name__ == "__main__":
    main()
