"""Terminals that go away while a screen on them trains: another process goes on, and nothing is missing."""

import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

from grokterm.run.directory import RunDirectory
from grokterm.run.lock import holder, is_alive
from tests.faults import tiny
from tests.faults.outcomes import Result
from tests.faults.readable import check
from tests.faults.trainers import PATIENCE, finish, side_by_side
from tests.faults.undisturbed import Undisturbed
from tests.faults.usable import assert_usable
from tests.run_equality import differences, history
from tests.terminal import Terminal
from tests.waiting import wait_for

STEPS = 500
_LOADING = 4
"""Every n-th hang-up comes while torch is still loading."""


def hang_up(folder: Path, _: Undisturbed, times: int, seed: int) -> Result:
    """Hang up at a random step, in turns: with and without the system's signal, and the signal alone."""
    whole = tiny.make(folder / "whole", STEPS, asked=False)
    finish(whole)

    def once(number: int) -> float:
        name, go = _MANNERS[number % len(_MANNERS)]
        chance = random.Random(f"{seed} {number}")
        rows = 0 if number % _LOADING == _LOADING - 1 else chance.randrange(1, STEPS // 2)
        place = folder / f"{number}-{name}"
        preset = tiny.write_preset(place, STEPS)
        with Terminal(place / "runs", [str(preset)], controls=name == "closed") as terminal:
            seconds = _hung_up(terminal, rows, go)
            _ends_elsewhere(terminal, whole)
        shutil.rmtree(place)
        return seconds

    seconds = side_by_side(once, range(times))
    shutil.rmtree(folder)
    counts = {"hang-ups": times, "of them while torch was loading": times // _LOADING}
    checked = (
        "another process trained to the end, equal to the undisturbed run; a terminal that was still there was usable, "
        f"and the program gone after {max(seconds):.1f} s at most"
    )
    return Result(counts, checked)


def _close(terminal: Terminal) -> None:
    terminal.hang_up()


def _signal(terminal: Terminal) -> None:
    os.killpg(os.getpgid(terminal.process.pid), signal.SIGHUP)


_MANNERS: tuple[tuple[str, Callable[[Terminal], None]], ...] = (
    ("closed", _close),  # the system signals the group in the foreground
    ("vanished", _close),  # it is not the program's controlling terminal: nobody signals
    ("signalled", _signal),
)


def _hung_up(terminal: Terminal, rows: int, go: Callable[[Terminal], None]) -> float:
    """Hang up when there are so many rows; how many seconds the program took to end."""
    if rows:
        terminal.see("● training")
        wait_for(lambda: _rows(terminal) >= rows, PATIENCE, f"{rows} rows")
    else:
        terminal.see("loading")
    begun = time.monotonic()
    go(terminal)
    code = terminal.end()
    assert code == 128 + signal.SIGHUP, f"{terminal.runs}: exit code {code}"
    if terminal.main >= 0:
        assert_usable(terminal)
        assert "goes on in the background" in terminal.text
    return time.monotonic() - begun


def _rows(terminal: Terminal) -> int:
    terminal.read()
    return len(history(terminal.run).series("train_loss").values)


def _ends_elsewhere(terminal: Terminal, whole: RunDirectory) -> None:
    """Another process holds the run, and trains to its end; everything is as if nobody had hung up."""
    run = terminal.run

    def trainer() -> int:
        held = holder(run)
        return 0 if held is None or held.pid == terminal.process.pid else held.pid

    wait_for(lambda: trainer() or not is_alive(run), PATIENCE, f"another trainer of {run.path}")
    wait_for(lambda: history(run).state == "finished" or not is_alive(run), PATIENCE, f"the end of {run.path}")
    wait_for(lambda: not is_alive(run), PATIENCE, "the end of the trainer")
    assert history(run).state == "finished", f"{run.path}: {run.log_path.read_text()}"
    differ = differences(whole, run)
    assert not differ, f"{run.path}: {differ[:5]}"
    check(run, whole)
