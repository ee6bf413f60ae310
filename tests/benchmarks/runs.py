"""Measures how fast thousands of runs are listed, filtered and shown. Run it on a quiet machine:

    .venv/bin/python tests/benchmarks/runs.py

Real processes on copies of a small run, each with its own seed, learning rate and twelve checkpoints.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.benchmarks.speed import Figure, machine
from tests.small_runs import STARTED, small_run
from tests.terminal import ROOT, Terminal

RUNS = 5_000
ROUNDS = 5
TARGET = 2.0
"""Seconds for listing and for filtering RUNS runs."""


def make(folder: Path) -> None:
    """Write the runs."""
    model = small_run(folder / "model", "model", marks={"memorized_at": 1, "grokked_at": 3}, lr=0.125)
    files = {file.relative_to(model.path): file.read_bytes() for file in model.path.rglob("*") if file.is_file()}
    config = files.pop(Path("run.toml")).decode()
    for number in range(RUNS):
        run = folder / "runs" / f"sweep-{number:05}"
        (run / "arrays").mkdir(parents=True)
        (run / "checkpoints").mkdir()
        changed = config.replace(f"{STARTED}", f"{STARTED + 60 * number}").replace("seed = 0", f"seed = {number % 100}")
        (run / "run.toml").write_text(changed.replace("lr = 0.125", f"lr = {(1e-3, 2e-3, 5e-4)[number % 3]}"))
        for name, content in files.items():
            (run / name).write_bytes(content)
        for step in range(0, 1200, 100):
            (run / "checkpoints" / f"{step:09}.safetensors").touch()


def printed(folder: Path, *arguments: str) -> float:
    """Seconds from starting the program to its end."""
    command = [sys.executable, "-m", "grokterm", "runs", "--runs", str(folder), *arguments]
    begun = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    assert done.stdout.count(b"sweep-") >= RUNS // 200
    return time.perf_counter() - begun


def shown(folder: Path, what: str) -> float:
    """Seconds from starting the browser to something on its screen."""
    begun = time.perf_counter()
    with Terminal(folder, [], command="runs", width=120, height=40) as terminal:
        terminal.see(what)
        seconds = time.perf_counter() - begun
        terminal.press("q")
        terminal.end()
    return seconds


def figures(folder: Path) -> Iterator[Figure]:
    """Every measurement, the median of ROUNDS."""
    lists: dict[str, tuple[str, ...]] = {
        f"`grokterm runs` of {RUNS:,}": (),
        "the same with --json": ("--json",),
        "the same with --filter 'lr>=1e-3 seed:7'": ("--filter", "lr>=1e-3 seed:7"),
    }
    for what, arguments in lists.items():
        seconds = statistics.median(printed(folder, *arguments) for _ in range(ROUNDS))
        yield Figure(what, f"{seconds:.2f} s", f"≤ {TARGET:g} s", seconds <= TARGET)
    for what, there in (("the first runs", "sweep-04999"), ("all of them", f"{RUNS:,} runs  by")):
        seconds = statistics.median(shown(folder, there) for _ in range(ROUNDS))
        yield Figure(f"browser: {what} are there", f"{seconds:.2f} s")


def main() -> None:
    """Measure everything and print it as a Markdown table."""
    print(f"{machine()}\n\n| what | measured | target | |\n|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as name:
        make(Path(name))
        for figure in figures(Path(name) / "runs"):
            met = {None: "", True: "met", False: "missed"}[figure.meets]
            print(f"| {figure.name} | {figure.value} | {figure.target} | {met} |", flush=True)


if __name__ == "__main__":
    main()
