"""Measures how soon the microscope shows a full page of pictures. Run it on a quiet machine:

    .venv/bin/python tests/benchmarks/microscope.py

Real processes in pseudo-terminals of 200×50, on a run with networks of the reference's size (p = 113, d_mlp = 512) and
random weights, so that nothing is computed faster because it is zero. The clock runs from the key to the last byte that
is written for it, as it is before a terminal paints it.
"""

import os
import select
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.benchmarks.speed import Figure, machine
from tests.recorded_networks import record_networks
from tests.terminal import Terminal

ROUNDS = 5
STEPS = (100, 200, 300, 400)
QUIET_SECONDS = 1.2
"""A screen that has stood still for so long is complete; its clock writes nothing while nothing changes."""
TARGET = 0.3
RIGHT = "\x1b[C"
FIRST_PICTURE, LAST_FACT = b"1 Neuron 0", b"accuracy"


def written(terminal: Terminal, keys: str, facts: int) -> list[tuple[float, bytes]]:
    """Press keys, and return what is written until the screen stands still, each part with its time in seconds.

    facts: how often the header tells its facts until it is complete.
    """
    begun, so_far = time.perf_counter(), b""
    os.write(terminal.main, keys.encode())
    parts: list[tuple[float, bytes]] = []
    while select.select([terminal.main], [], [], QUIET_SECONDS if so_far.count(LAST_FACT) >= facts else 30.0)[0]:
        data = os.read(terminal.main, 1 << 16)
        parts.append((time.perf_counter() - begun, data))
        so_far += data
    assert so_far.count(LAST_FACT) >= facts, "the page never was complete"
    return parts


def until(parts: list[tuple[float, bytes]], what: bytes) -> float:
    """When something had been written."""
    so_far = b""
    for seconds, data in parts:
        so_far += data
        if what in so_far:
            return seconds
    raise AssertionError(f"{what!r} was not written")


def figures(runs: Path) -> list[Figure]:
    """Open the microscope in a new process, then go on to the next checkpoints."""
    run = record_networks(runs, STEPS, p=113, d_model=128, heads=4, d_mlp=512, dtype=np.float32)
    pictures, first, following, size = [], [], [], []
    for _ in range(ROUNDS):
        arguments = [run.name, "--paused", "--from", f"{STEPS[0]}"]
        with Terminal(runs, arguments, command="replay", width=200, height=50) as terminal:
            terminal.see("‖")
            written(terminal, "", 0)  # until the replay is at rest
            page = written(terminal, "i", 1)
            pictures.append(until(page, FIRST_PICTURE))
            first.append(page[-1][0])
            size.append(sum(len(data) for _, data in page))
            following += [written(terminal, RIGHT, 2)[-1][0] for _ in STEPS[1:]]
            terminal.press("q")
            terminal.press("q")
            terminal.end()
    picture_s, first_s, next_s = (statistics.median(seconds) for seconds in (pictures, first, following))
    return [
        Figure("microscope: the first picture", f"{picture_s * 1e3:.0f} ms"),
        Figure("the same: the first full page, 6 pictures", f"{first_s * 1e3:.0f} ms", "≤ 300 ms", first_s <= TARGET),
        Figure("the same: the page of the next checkpoint", f"{next_s * 1e3:.0f} ms", "≤ 300 ms", next_s <= TARGET),
        Figure("the same: bytes of the first page", f"{statistics.median(size) / 1e3:.0f} kB"),
    ]


def main() -> None:
    """Measure everything and print it as a Markdown table."""
    print(f"{machine()}\n\n| what | measured | target | |\n|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as name:
        for figure in figures(Path(name)):
            met = {None: "", True: "met", False: "missed"}[figure.meets]
            print(f"| {figure.name} | {figure.value} | {figure.target} | {met} |", flush=True)


if __name__ == "__main__":
    main()
