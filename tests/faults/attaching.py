"""Detaching from a run and attaching to it, again and again, on real terminals."""

import random
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from grokterm.run.directory import RunDirectory
from grokterm.run.events import ask
from grokterm.run.lock import holder, is_alive
from tests.faults import tiny
from tests.faults.outcomes import Result
from tests.faults.trainers import PATIENCE, finish, side_by_side
from tests.faults.undisturbed import Undisturbed
from tests.faults.usable import assert_usable
from tests.run_equality import differences, history
from tests.terminal import Terminal
from tests.waiting import wait_for

STEPS = 10**6
DETACH = ("d", "\x1a", "qk")
"""Keys that leave a screen that trains to another process: d, Ctrl+Z, and quitting so."""
LEAVE = ("q", "d", "\x03")
"""Keys that leave an attached screen."""


@dataclass(frozen=True)
class Rounds:
    """How often: on so many runs side by side, in each of them."""

    runs: int
    rounds: int


def attach(folder: Path, _: Undisturbed, wanted: Rounds, seed: int) -> Result:
    """Train a run on a screen, detach, attach, leave; kill the trainer, resume, and so on; in the end, quit."""
    found = side_by_side(lambda number: _run(folder / str(number), wanted.rounds, seed + number), range(wanted.runs))
    shutil.rmtree(folder)
    counts = {
        "detach and attach rounds": wanted.runs * wanted.rounds,
        "runs": wanted.runs,
        "steps": sum(steps for steps, _ in found),
    }
    checked = (
        "each time the terminal was usable afterwards and training went on; in the end every step is recorded once, "
        f"equal to the undisturbed run; the shell was back after {max(slowest for _, slowest in found):.1f} s at most"
    )
    return Result(counts, checked)


def _run(folder: Path, rounds: int, seed: int) -> tuple[int, float]:
    """One run; how many steps it had, and the seconds for which a person waited longest for the shell."""
    chance, seconds = random.Random(seed), []
    preset, runs = tiny.write_preset(folder / "run", STEPS), folder / "run" / "runs"
    for number in range(rounds):
        command, what = ("resume", "-") if number else ("run", str(preset))
        with Terminal(runs, [what], command=command) as terminal:
            run = _train(terminal, chance)
            seconds.append(_left(terminal, DETACH[(seed + number) % len(DETACH)]))
            with Terminal(runs, [run.name], command="attach") as attached:  # whose end kills the trainer
                attached.see("● training")
                held = holder(run)
                assert held is not None
                assert held.pid not in (terminal.process.pid, attached.process.pid)
                seconds.append(_left(attached, LEAVE[(seed + number) % len(LEAVE)]))
                assert is_alive(run), f"{run.path}: training has ended with the attached screen"
    with Terminal(runs, [], command="resume") as terminal:
        run = _train(terminal, chance)
        _left(terminal, "qs")
    _check_equal(run, folder / "whole")
    return len(history(run).series("train_loss").values), max(seconds)


def _train(terminal: Terminal, chance: random.Random) -> RunDirectory:
    """Wait until the screen has trained a while."""
    terminal.see("● training")
    rows = _rows(terminal) + chance.randrange(1, 200)
    wait_for(lambda: _rows(terminal) >= rows, PATIENCE, f"{rows} rows")
    return terminal.run


def _rows(terminal: Terminal) -> int:
    terminal.read()
    return len(history(terminal.run).series("train_loss").values)


def _left(terminal: Terminal, keys: str) -> float:
    """Leave the screen by some keys; how many seconds it took from the last one to the shell."""
    for key in keys:
        if key != keys[0]:
            terminal.see("Quit?")
        begun = time.monotonic()
        terminal.press(key)
    code = terminal.end()
    seconds = time.monotonic() - begun
    assert code == 0, f"{terminal.runs}: exit code {code}\n{terminal.text}"
    assert_usable(terminal)
    return seconds


def _check_equal(run: RunDirectory, folder: Path) -> None:
    """The run is equal to one that was stopped at the same step, and never left."""
    whole = tiny.make(folder, STEPS, asked=False)
    ask(whole.path, "stop", at=history(run).events[-1].step)
    finish(whole)
    differ = differences(whole, run)
    assert not differ, f"{run.path}: {differ[:5]}"
