"""Measures what the README says of saved runs: opening, scrubbing, memory. Run it on a quiet machine:

    .venv/bin/python tests/benchmarks/replay.py

Real processes in pseudo-terminals of 120×40 on synthetic runs with all that a mod113 run records.
"""

import os
import re
import select
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.benchmarks.speed import Figure, machine
from tests.large_run import record_large
from tests.terminal import Terminal
from tests.waiting import wait_for

OPENINGS = 5
SCRUB_SECONDS = 3.0
KEYS_PER_SECOND = 30
TURN_AFTER = 35
"""Keys in one direction: fewer than the columns that the playhead starts away from the beginning."""


def replay(runs: Path, steps: int, seconds: float) -> list[Figure]:
    """Open a run of so many steps, hold the left arrow, look at the process."""
    run = record_large(runs, steps)
    opened, frames, memory = [], [], []
    for _ in range(OPENINGS):
        begun = time.monotonic()
        with Terminal(
            runs, [run.name, "--paused", "--from", "90%"], command="replay", width=120, height=40
        ) as terminal:
            wait_for(lambda: _is_drawn(terminal), 60, "the first frame")
            opened.append(time.monotonic() - begun)
            frames.append(_scrubbed(terminal))
            memory.append(_peak_megabytes(terminal))
            assert "libtorch" not in Path(f"/proc/{terminal.process.pid}/maps").read_text()
            terminal.press("q")
            terminal.end()
    open_s, scrub, peak = statistics.median(opened), statistics.median(frames), max(memory)
    return [
        Figure(f"replay of {steps:,} steps: open", f"{open_s:.2f} s", f"≤ {seconds:g} s", open_s <= seconds),
        Figure("the same: scrubbed, a key held down", f"{scrub:.1f} frames/s", "≥ 20", scrub >= 20),
        Figure("the same: memory at its peak", f"{peak:.0f} MB", "≤ 400 MB", peak <= 400),
    ]


def _is_drawn(terminal: Terminal) -> bool:
    """Header and curves are there: the first frame, not an empty screen."""
    return "▶" not in terminal.text and "‖" in terminal.text and "━ train" in terminal.text and "┤" in terminal.text


def _scrubbed(terminal: Terminal) -> float:
    """Frames a second while an arrow repeats as a held key does, to and fro: how often another step is shown."""
    written = b""
    begun = time.monotonic()
    pressed = 0
    while (now := time.monotonic() - begun) < SCRUB_SECONDS:
        if now * KEYS_PER_SECOND > pressed:
            terminal.press("\x1b[D" if pressed // TURN_AFTER % 2 == 0 else "\x1b[C")
            pressed += 1
        if select.select([terminal.main], [], [], 0.5 / KEYS_PER_SECOND)[0]:
            written += os.read(terminal.main, 65536)  # past the slow terminal in memory, which would be measured too
    steps: list[bytes] = re.findall(rb"step ([\d,]+)", written)
    return sum(before != after for before, after in pairwise(steps)) / SCRUB_SECONDS


def _peak_megabytes(terminal: Terminal) -> float:
    status = Path(f"/proc/{terminal.process.pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found
    return int(found[1]) / 1024


def compare(runs: Path, count: int, steps: int) -> list[Figure]:
    """Runs on one screen, the cursor moved by a key held down."""
    names = [record_large(runs, steps, seed).name for seed in range(count)]
    rates = []
    for _ in range(OPENINGS):
        with Terminal(runs, names, command="compare", width=120, height=40) as terminal:
            wait_for(lambda: "┤" in terminal.text and "━" in terminal.text, 60, "the first frame")
            rates.append(_scrubbed(terminal))
            terminal.press("q")
            terminal.end()
    rate = statistics.median(rates)
    return [
        Figure(f"{count} runs of {steps:,} steps compared, cursor moved", f"{rate:.1f} frames/s", "≥ 10", rate >= 10)
    ]


def main() -> None:
    """Measure everything and print it as a Markdown table."""
    print(f"{machine()}\n\n| what | measured | target | |\n|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as name:
        parts: tuple[Callable[[], list[Figure]], ...] = (
            lambda: replay(Path(name) / "long", 1_000_000, 2.0),
            lambda: replay(Path(name) / "usual", 100_000, 1.0),
            lambda: compare(Path(name) / "many", 10, 25_000),
        )
        for part in parts:
            for figure in part():
                met = {None: "", True: "met", False: "missed"}[figure.meets]
                print(f"| {figure.name} | {figure.value} | {figure.target} | {met} |", flush=True)


if __name__ == "__main__":
    main()
