"""How the commands that train show it: the live screen, progress lines, or a process of its own."""

import contextlib
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from grokterm.commands.training_options import Manner

if TYPE_CHECKING:
    from grokterm.catalog import Catalog
    from grokterm.detached import Detached, Successor
    from grokterm.preset import Preset
    from grokterm.run.directory import RunDirectory
    from grokterm.run.lock import Lock

POLL_SECONDS = 0.05


def begin(run: "RunDirectory", preset: "Preset", again: Sequence[str], catalog: "Catalog", manner: Manner) -> int:
    """Train a preset in a new run's directory and show it. Returns the exit code.

    again: the arguments of `grokterm run` that mean this preset, for another process.
    """
    from grokterm.detached import Successor

    successor = Successor(again, manner.for_successors)
    if manner.detach:
        return _detach(run, preset.name, catalog, successor, manner)
    lock = None if manner.lock is None else held_lock(run, manner.lock)
    return _train(run, catalog, preset, lock, successor, manner)


def go_on(run: "RunDirectory", lock: "Lock", catalog: "Catalog", manner: Manner) -> int:
    """Train on in the directory of a run that was trained before, or of a new fork. Returns the exit code."""
    from grokterm.detached import Successor

    successor = Successor(options=manner.for_successors)
    if manner.detach:
        name = str((run.read_config() or {}).get("preset", ""))
        with lock:  # this process holds it no longer when the other one does
            shared = lock.share()
        return _detach(run, name, catalog, successor, manner, shared)
    return _train(run, catalog, None, lock, successor, manner)


def held_lock(run: "RunDirectory", inherited: int | None = None) -> "Lock":
    """The run's lock, taken now, or an inherited one. Raises RunError when somebody else trains the run."""
    from grokterm.detached import reference
    from grokterm.errors import RunError
    from grokterm.run.lock import Lock, is_alive

    if inherited is not None:
        return Lock.adopt(run, inherited)
    try:
        with Lock(run) as lock:
            return Lock.adopt(run, lock.share())
    except RunError as error:
        if is_alive(run):
            raise RunError(f"{error}; `grokterm attach {reference(run)}` shows it") from error
        raise


def has_screen(manner: Manner) -> bool:
    """Whether there is a terminal to show the live screen on, and nobody asked for less."""
    return not manner.headless and sys.stdout.isatty() and sys.stdin.isatty()


def _train(
    run: "RunDirectory",
    catalog: "Catalog",
    preset: "Preset | None",
    lock: "Lock | None",
    successor: "Successor",
    manner: Manner,
) -> int:
    """Train in a thread of this process, beside a screen or progress lines."""
    from grokterm.training import TrainingThread

    screen = has_screen(manner)

    def measure(finished: "RunDirectory") -> None:
        _measure_in_background(finished, manner)

    training = TrainingThread(
        run,
        catalog,
        preset,
        lock=lock,
        device=manner.device,
        on_divergence="pause" if screen or manner.detached else "stop",
        discards=not manner.detached,  # its log says why it could not begin
        then=measure if screen else None,
    )
    try:
        if not screen:
            from grokterm.headless import watch as follow

            code = follow(run, training, on_hangup=manner.on_hangup)
            if code or not training.has_finished:
                return code
            from grokterm.commands.measure import measure_at_the_end

            return measure_at_the_end(training.directory, catalog, manner.on_hangup)
        from grokterm.tui.live.app import watch

        code = watch(run, training, frame_budget=manner.frame_budget, on_hangup=manner.on_hangup, successor=successor)
    finally:
        if training.ident is None and preset is not None:  # it never began: leave nothing half-made
            run.discard()
    typer.echo(_how_it_went(training.directory))
    return code


def _measure_in_background(run: "RunDirectory", manner: Manner) -> None:
    """Have a run that has finished beside its screen measured by a process that outlives it, if it wants that."""
    from grokterm.detached import measure
    from grokterm.errors import RunError
    from grokterm.run.hindsight import is_wanted

    parts = () if manner.parts is None else ("--parts", str(manner.parts))
    try:
        if is_wanted(run.read_config() or {}):
            measure(run, parts)
    except RunError as error:
        with contextlib.suppress(OSError), run.log_path.open("a") as log:
            log.write(f"{error}\n")


def _detach(
    run: "RunDirectory",
    preset: str,
    catalog: "Catalog",
    successor: "Successor",
    manner: Manner,
    lock: int | None = None,
) -> int:
    """Train in a process of its own. Returns when the person leaves its screen or, without one, when it has begun."""
    from grokterm.detached import goes_on

    known = _size(run.events_path)
    with successor.start(run, lock) as trainer:
        if lock is not None:
            os.close(lock)
        if has_screen(manner):
            from grokterm.tui.live.background import InBackground, watch

            training = InBackground(run, trainer, preset, catalog)
            run = watch(run, training, frame_budget=manner.frame_budget)
        else:
            _wait_until_begun(run, trainer, known)
        _raise_its_error(run, trainer)
        typer.echo(goes_on(run) if trainer.is_alive() and not _has_ended(run) else _how_it_went(run))
    return 0


def _wait_until_begun(run: "RunDirectory", trainer: "Detached", known: int) -> None:
    """Wait until training tells something new, or has ended; Ctrl+C ends it again."""
    try:
        while trainer.is_alive() and not (run.config_path.exists() and _size(run.events_path) > known):
            time.sleep(POLL_SECONDS)
    except KeyboardInterrupt:
        trainer.stop()
        raise


def _raise_its_error(run: "RunDirectory", trainer: "Detached") -> None:
    """Say here what a trainer that failed said in its log; a run in which it recorded nothing goes away."""
    from grokterm.errors import RunError

    error = trainer.error
    if error is None:
        return
    if not run.config_path.exists():
        with contextlib.suppress(RunError):  # what cannot be removed is no second error
            run.discard()
    raise error


def _has_ended(run: "RunDirectory") -> bool:
    """Whether training has told its end; its process may still be measuring."""
    from grokterm.run.outcome import ENDED, read_outcome

    return read_outcome(run.events_path).state in ENDED


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _how_it_went(run: "RunDirectory") -> str:
    """After the screen has gone: what a run without one reports too, where a scrolling terminal keeps it."""
    from grokterm.ancestry import find_parents
    from grokterm.history import History
    from grokterm.report import closing

    history = History(run)
    history.poll()
    find_parents(history)
    return closing(history)
