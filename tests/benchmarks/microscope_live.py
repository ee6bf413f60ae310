"""What an open microscope costs training while nobody touches it: with it and with the panels, in turns.

    .venv/bin/python tests/benchmarks/microscope_live.py [ROUNDS]

The live screen of mod113-quick in a pseudo-terminal of 200×50, its trainer a thread beside it. In every other turn the
microscope is open and follows the newest checkpoint, as it does when it is opened without a cursor; in the others the
panels are drawn. Run it on a quiet machine.

Two figures: steps per second, which on a shared machine vary by more than the cost that is looked for; and processor
time, which does not. A step waits for the slowest of training's threads, so at worst training loses what each of them
loses, one after the other.
"""

import os
import select
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from grokterm.run.table import TableReader
from tests.terminal import Terminal

ROUNDS = 6
SECONDS = 25.0
"""A turn."""
PROCESSORS = len(os.sched_getaffinity(0))
"""Training has a thread on each, and they are the busiest of all."""
SETTLED = 4.0
"""Seconds after a key before a turn is counted: the first page has been computed by then."""


@dataclass(frozen=True)
class Turn:
    """Steps per second, and how much of each second every thread of training has had a processor."""

    rate: float
    shares: tuple[float, ...]


def processor_seconds(pid: int) -> dict[str, float]:
    """What each thread of a process has used so far."""
    tick = os.sysconf("SC_CLK_TCK")
    used = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            fields = (task / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it ended meanwhile
            continue
        used[task.name] = (int(fields[11]) + int(fields[12])) / tick
    return used


def turn(terminal: Terminal, reader: TableReader, seconds: float) -> Turn:
    """Let it train. What the program writes meanwhile is taken from it and thrown away: a terminal that shows it sits
    elsewhere, and one in here would take as much of the processors as the microscope does."""
    reader.new_rows()
    before = processor_seconds(terminal.process.pid)
    begun, steps = time.monotonic(), 0
    while time.monotonic() - begun < seconds:
        if select.select([terminal.main], [], [], 0.02)[0]:
            os.read(terminal.main, 1 << 16)
        steps += len(reader.new_rows())
    passed = time.monotonic() - begun
    after = processor_seconds(terminal.process.pid)
    shares = sorted(((used - before.get(task, 0.0)) / passed for task, used in after.items()), reverse=True)
    return Turn(steps / passed, tuple(shares[:PROCESSORS]))


def lost(with_it: Turn, without: Turn) -> float:
    """The part of training's time that is lost at worst."""
    return sum(1 - a / b for a, b in zip(with_it.shares, without.shares, strict=True))


def main() -> None:
    rounds = int((sys.argv[1:2] or [str(ROUNDS)])[0])
    with tempfile.TemporaryDirectory() as folder:
        sets = ("--set", "training.measure_on_end=false", "--steps", "1000000")
        with Terminal(Path(folder), ["presets/mod113-quick", *sets], width=200, height=50) as terminal:
            terminal.see("MEMORIZATION")
            reader = TableReader(terminal.run.steps_path)
            turn(terminal, reader, SECONDS)
            ratios, losses = [], []
            for _ in range(rounds):
                turns = []
                for key, what in (("i", "following"), ("q", "Loss")):
                    terminal.press(key)
                    terminal.see(what)
                    turn(terminal, reader, SETTLED)
                    turns.append(turn(terminal, reader, SECONDS))
                with_it, without = turns
                ratios.append(with_it.rate / without.rate)
                losses.append(lost(with_it, without))
                print(
                    f"{with_it.rate:6.2f} / {without.rate:6.2f} steps/s = {ratios[-1]:.3f}; "
                    f"processor time lost {losses[-1]:.1%}",
                    flush=True,
                )
    print(
        f"with the microscope open training keeps {statistics.median(ratios):.1%} of its speed, median of {rounds}; "
        f"of its processor time it loses {statistics.median(losses):.1%} (at most 3 % is allowed)"
    )


if __name__ == "__main__":
    main()
