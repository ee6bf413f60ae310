"""What an open microscope costs training while nobody touches it: steps per second with it and without, in turns.

    .venv/bin/python tests/benchmarks/microscope_live.py [ROUNDS]

The live screen of mod113-quick in a pseudo-terminal of 200×50, its trainer a thread beside it. In every other turn the
microscope is open and follows the newest checkpoint, as it does when it is opened without a cursor; in the others the
panels are drawn. Run it on a quiet machine.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from grokterm.run.table import TableReader
from tests.terminal import Terminal

ROUNDS = 4
SECONDS = 25.0
"""A turn."""
SETTLED = 4.0
"""Seconds after a key before a turn is counted: the first page has been computed by then."""


def steps_per_second(terminal: Terminal, reader: TableReader, seconds: float) -> float:
    """How fast training goes; what the program writes meanwhile is read."""
    reader.new_rows()
    begun, steps = time.monotonic(), 0
    while time.monotonic() - begun < seconds:
        terminal.read()
        steps += len(reader.new_rows())
        time.sleep(0.02)
    return steps / (time.monotonic() - begun)


def main() -> None:
    rounds = int((sys.argv[1:2] or [str(ROUNDS)])[0])
    with tempfile.TemporaryDirectory() as folder:
        sets = ("--set", "training.measure_on_end=false", "--steps", "1000000")
        with Terminal(Path(folder), ["presets/mod113-quick", *sets], width=200, height=50) as terminal:
            terminal.see("MEMORIZATION")
            reader = TableReader(terminal.run.steps_path)
            steps_per_second(terminal, reader, SECONDS)
            ratios = []
            for _ in range(rounds):
                rates = []
                for key in ("i", "q"):
                    terminal.press(key)
                    terminal.see("microscope" if key == "i" else "Loss")
                    steps_per_second(terminal, reader, SETTLED)
                    rates.append(steps_per_second(terminal, reader, SECONDS))
                ratios.append(rates[0] / rates[1])
                print(
                    f"{rates[0]:6.2f} with the microscope / {rates[1]:6.2f} steps/s without = {ratios[-1]:.3f}",
                    flush=True,
                )
    print(f"with the microscope open training keeps {statistics.median(ratios):.1%}, median of {rounds}")


if __name__ == "__main__":
    main()
