"""Measures the speed that the README states; prints a table. Run it on a quiet machine:

    .venv/bin/python tests/benchmarks/speed.py [--quick]

Everything that is compared is measured side by side, in turns, in this one run; medians are printed. Times in
milliseconds mean little elsewhere, the ratios more.
"""

import argparse
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from grokterm.run.directory import RunDirectory
from grokterm.run.table import read_table
from tests.terminal import ROOT, Terminal
from tests.waiting import wait_for

PRODUCTS_PER_INPUT = 161_920
"""Multiplications per input of the plain last position: W_O, W_in, W_out, W_U. Forward once, backward twice."""
EXECUTED_PER_INPUT = 138_481
"""The same as the fast form does it: 129 × 512 and 641 × 113, with its products merged."""


@dataclass(frozen=True)
class Figure:
    """One line of the table. `meets` is None where there is no target."""

    name: str
    value: str
    target: str = ""
    meets: bool | None = None


def in_turns(rounds: int, **measured: Callable[[], object]) -> dict[str, list[float]]:
    """Seconds of each callable, called one after the other in every round, after one round that does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in measured}
    for turn in range(rounds + 1):
        for name, call in measured.items():
            begun = time.perf_counter()
            call()
            if turn:
                seconds[name].append(time.perf_counter() - begun)
    return seconds


def ratios(above: list[float], below: list[float]) -> float:
    """Median of the ratios round by round: what a drifting machine disturbs least."""
    return statistics.median(a / b for a, b in zip(above, below, strict=True))


def engine(rounds: int) -> list[Figure]:
    """The training step: fast form, reference form, matrix product."""
    import torch

    from grokterm.engine.cross_entropy import cross_entropy
    from grokterm.models.transformer import Transformer
    from grokterm.tasks.modular import modular

    task = modular()
    train, test = (task.inputs[task.train], task.labels[task.train]), (task.inputs[task.test], task.labels[task.test])

    def step_of(exact: str) -> tuple[Callable[[], object], Callable[[], object]]:
        torch.manual_seed(0)
        model = Transformer(task, exact=exact)  # type: ignore[arg-type]
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=1.0, betas=(0.9, 0.98), fused=True)

        def step() -> object:
            optimizer.zero_grad(set_to_none=True)
            loss, _ = cross_entropy(model(train[0]), train[1])
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            return loss.item()

        def step_and_test() -> object:
            step()
            with torch.no_grad():
                return cross_entropy(model(test[0]), test[1])[0].item()

        return step, step_and_test

    square = torch.randn(4096, 4096)
    fast, fast_test = step_of("fast")
    plain, plain_test = step_of("reference")
    seconds = in_turns(
        rounds, product=lambda: square @ square, fast=fast, plain=plain, fast_test=fast_test, plain_test=plain_test
    )
    rate = [2 * 4096**3 / s / 1e9 for s in seconds["product"]]
    work = 6 * PRODUCTS_PER_INPUT * len(task.train) / 1e9
    share = statistics.median(work / s / r for s, r in zip(seconds["fast"], rate, strict=True))
    step_ratio, test_ratio = (
        ratios(seconds["plain"], seconds["fast"]),
        ratios(seconds["plain_test"], seconds["fast_test"]),
    )
    middle = {name: statistics.median(values) * 1e3 for name, values in seconds.items()}
    return [
        Figure("step, fast form", f"{middle['fast']:.1f} ms"),
        Figure("step, reference", f"{middle['plain']:.1f} ms"),
        Figure("reference / fast", f"{step_ratio:.1f} ×", "≥ 4 ×", step_ratio >= 4),
        Figure("step and test loss, fast form", f"{middle['fast_test']:.1f} ms"),
        Figure("step and test loss, reference", f"{middle['plain_test']:.1f} ms"),
        Figure("reference / fast, with test loss", f"{test_ratio:.1f} ×", "≥ 6 ×", test_ratio >= 6),
        Figure("4096³ float32 matrix product", f"{statistics.median(rate):.0f} GFLOP/s"),
        Figure(
            "the step's products, as the plain last position has them", f"{work / middle['fast'] * 1e3:.0f} GFLOP/s"
        ),
        Figure("their share of the matrix product's rate", f"{share:.0%}", "≥ 65 %", share >= 0.65),
        Figure("the same, counting executed products only", f"{share * EXECUTED_PER_INPUT / PRODUCTS_PER_INPUT:.0%}"),
    ]


ALONE = ("--set", "training.measure_on_end=false")
"""No measuring of what is done beside the next measurement."""


def throughput(run: RunDirectory, skip: int) -> float:
    """Steps per second of a run after its first `skip` steps."""
    times = read_table(run.steps_path)["time"][skip:]
    return float((len(times) - 1) / (times[-1] - times[0]))


def headless(folder: Path, steps: int) -> RunDirectory:
    """Train without a screen and return the run."""
    command = [sys.executable, "-m", "grokterm", "run", "presets/mod113", "--headless", "--runs", str(folder)]
    subprocess.run([*command, "--steps", str(steps), *ALONE], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    (path,) = folder.iterdir()
    return RunDirectory(path)


@dataclass(frozen=True)
class Watched:
    """A live run: where it is, and what its screen wrote."""

    run: RunDirectory
    first_frame: float
    frames: int
    frame_bytes: float


def live(folder: Path, steps: int, width: int, height: int) -> Watched:
    """Train with the screen in a pseudo-terminal; bytes that come within 20 ms of each other are one frame."""
    begun = time.monotonic()
    with Terminal(folder, ["presets/mod113", "--steps", str(steps), *ALONE], width=width, height=height) as terminal:
        terminal.see("step")
        first = time.monotonic() - begun
        terminal.see("training")
        sizes: list[int] = []
        last, seen = 0.0, len(terminal.raw)

        def watched() -> bool:
            nonlocal last, seen
            terminal.read()
            now = time.monotonic()
            if len(terminal.raw) > seen:
                if now - last > 0.02:
                    sizes.append(0)
                sizes[-1] += len(terminal.raw) - seen
                last, seen = now, len(terminal.raw)
            return bool(terminal.events("state")[-1:]) and terminal.events("state")[-1]["state"] == "finished"

        wait_for(watched, 600, "the end of training")
        terminal.press("q")
        terminal.end()
    return Watched(terminal.run, first, len(sizes), statistics.median(sizes))


def screen(rounds: int, steps: int) -> list[Figure]:
    """Live against headless, bytes a frame, first frame."""
    shares, firsts, small, large = [], [], [], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for turn in range(rounds):
            alone = throughput(headless(folder / f"headless{turn}", steps), steps // 5)
            watched = live(folder / f"live{turn}", steps, 120, 40)
            wide = live(folder / f"wide{turn}", steps // 3, 200, 50)
            shares.append(throughput(watched.run, steps // 5) / alone)
            firsts += [watched.first_frame, wide.first_frame]
            small.append(watched.frame_bytes)
            large.append(wide.frame_bytes)
    share, first = statistics.median(shares), statistics.median(firsts)
    return [
        Figure("live / headless throughput, 120×40", f"{share:.1%}", "≥ 95 %", share >= 0.95),
        Figure("first frame", f"{first:.2f} s", "≤ 1 s", first <= 1.0),
        Figure("bytes a frame, 120×40", f"{statistics.median(small):.0f}"),
        Figure("bytes a frame, 200×50", f"{statistics.median(large):.0f}", "≤ 10 000", statistics.median(large) <= 1e4),
    ]


def key_latency(presses: int) -> list[Figure]:
    """From a key press to its effect on the screen, while mod113 trains."""
    delays, answers = [], []
    with (
        tempfile.TemporaryDirectory() as name,
        Terminal(Path(name) / "runs", ["presets/mod113"], width=120, height=40) as terminal,
    ):
        terminal.see("training")
        terminal.see("step 1")
        for turn in range(presses):
            key, value = (("W", "wd 2"), ("w", "wd 1"))[turn % 2]
            begun = time.monotonic()
            terminal.press(key)
            wait_for(lambda: f"→ {value[3:]} (asked)" in terminal.text or f"{value} " in terminal.text, 10, value)  # noqa: B023
            delays.append(time.monotonic() - begun)
            wait_for(lambda: f"{value} " in terminal.text and "asked" not in terminal.text, 10, value)  # noqa: B023
            answers.append(time.monotonic() - begun)
        terminal.press("q")
        terminal.see("Quit?")
        begun = time.monotonic()
        terminal.press("s")
        terminal.end()
        left = time.monotonic() - begun
    asked, answered = statistics.median(delays) * 1e3, statistics.median(answers) * 1e3
    return [
        Figure("key press to the screen", f"{asked:.0f} ms", "≤ 100 ms", asked <= 100),
        Figure("key press to the trainer's answer on the screen", f"{answered:.0f} ms"),
        Figure("quit, training stopped and saved", f"{left:.2f} s", "≤ 1 s", left <= 1.0),
    ]


def drawing() -> list[Figure]:
    """Four panels at 120×40 with 25,000 recorded steps: drawn, and brought through Textual to the driver."""
    import asyncio
    from dataclasses import replace

    from grokterm.catalog import Catalog
    from grokterm.history import History
    from grokterm.tui.live.app import LiveApp
    from grokterm.tui.looks import Looks
    from tests.recorded import NoTraining, record

    async def frames(app: LiveApp) -> list[float]:
        spent = []
        async with app.run_test(size=(120, 40)) as pilot:
            await pilot.pause(0.5)
            for turn in range(30):
                begun = time.thread_time()
                app.run_screen.look(replace(app.run_screen.looks, cursor=20_000 - 300 * turn))
                await pilot.pause()
                spent.append(time.thread_time() - begun)
        return spent

    with tempfile.TemporaryDirectory() as name:
        history = History(record(Path(name), 25_000))
        history.poll()
        catalog = Catalog()
        panels = [catalog.load("panels", panel)() for panel in ("loss", "fourier", "weight_norm", "accuracy")]
        drawn = in_turns(30, frame=lambda: [panel.draw(history, Looks(), 58, 15) for panel in panels])["frame"]
        app = LiveApp(history.run, NoTraining(), frame_budget=1.0, markers="braille")
        shown = asyncio.run(frames(app))
    return [
        Figure("drawing four panels of 25,000 steps, 120×40", f"{statistics.median(drawn) * 1e3:.1f} ms"),
        Figure("a frame of all four, the screen's thread altogether", f"{statistics.median(shown) * 1e3:.1f} ms"),
    ]


def help_time(rounds: int) -> list[Figure]:
    """`grokterm --help` as a whole process."""
    call = [sys.executable, "-m", "grokterm", "--help"]
    seconds = in_turns(rounds, help=lambda: subprocess.run(call, check=True, capture_output=True, cwd=ROOT))["help"]
    middle = statistics.median(seconds)
    return [Figure("grokterm --help", f"{middle:.2f} s", "≤ 0.5 s", middle <= 0.5)]


def machine() -> str:
    """Processor and versions, for the table's caption."""
    from importlib.metadata import version

    names = [
        line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line
    ]
    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "textual", "numpy"))
    return f"{len(names)} × {names[0]}, Python {platform.python_version()}, {packages}"


def main() -> None:
    """Measure everything and print it as a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer rounds: a first impression in about two minutes")
    quick = parser.parse_args().quick
    parts: tuple[Callable[[], list[Figure]], ...] = (
        lambda: engine(5 if quick else 25),
        lambda: screen(1 if quick else 3, 200 if quick else 500),
        lambda: key_latency(6 if quick else 20),
        drawing,
        lambda: help_time(3 if quick else 9),
    )
    print(f"{machine()}\n\n| what | measured | target | |\n|---|---|---|---|", flush=True)
    for part in parts:
        for figure in part():
            met = {None: "", True: "met", False: "missed"}[figure.meets]
            print(f"| {figure.name} | {figure.value} | {figure.target} | {met} |", flush=True)


if __name__ == "__main__":
    main()
