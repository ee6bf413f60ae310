"""Measures every checkpoint of a run with hindsight: with the key frequencies that its last one has.

The last checkpoint is measured first, because it decides the key frequencies, the names and the price of the others;
then the others in the order of their steps, here where that is a matter of seconds, else in several processes.
"""

import contextlib
import os
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from grokterm.catalog import Catalog
from grokterm.engine.saved import SavedStates
from grokterm.engine.workers import in_order, most, usual
from grokterm.errors import RunError
from grokterm.run.checkpoint import CheckpointInfo, list_checkpoints
from grokterm.run.directory import RunDirectory, no_run
from grokterm.run.hindsight import About, held, remove
from grokterm.run.hindsight_writer import HindsightWriter, Row, finished
from grokterm.run.lock import is_alive

if TYPE_CHECKING:  # its bar draws with rich, which the training side never imports
    from grokterm.progress import Progress

HERE_SECONDS = 6.0
"""What is computed here rather than in workers, which take seconds to load torch."""


@dataclass(frozen=True)
class Done:
    """What there is after a measuring: `computed` of the rows by it, in `seconds`; a sentence for each `problem`."""

    about: About
    scalars: int
    computed: int
    seconds: float
    workers: int
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Unreadable:
    """A checkpoint that could not be measured, and why."""

    step: int
    why: str


@dataclass
class _Told:
    """What is counted on the way."""

    computed: int = 0
    workers: int = 0
    problems: list[str] = field(default_factory=list)


def processes(asked: int | None) -> int:
    """How many processes measure where there is enough to do: those asked for or the `usual` number, `most` at most."""
    return min(asked or usual(), most())


def measure(
    run: RunDirectory,
    catalog: Catalog,
    progress: "Progress",
    *,
    workers: int | None = None,
    again: bool = False,
    patience: float = 0.0,
) -> Done:
    """Measure what is not measured yet, or everything `again`.

    workers: as many `processes` as are asked for. A checkpoint that cannot be read is left out and told. Every row is
    kept as soon as it is made, so that whatever ends this, another call goes on. Where all is measured nothing is
    written; the last checkpoint is measured all the same, for without it nobody knows what the measures are called.
    progress: told how many checkpoints there are, and of every one that has its row; nothing where all is measured.
    patience: seconds to wait for another process that measures the run and is about to end.
    Raises RunError for a run that is trained or has no checkpoint; UsageError when its parts cannot be built.
    """
    begun, told = time.monotonic(), _Told()
    _checkpoints(run)  # refused before anything is written there
    with held(run, patience), _one_thread():
        infos = _checkpoints(run)
        states = SavedStates.of(run, catalog)
        keys, last, price = _last(states, infos, told)
        about = About(
            last.step, keys, last.names, len(infos), tuple(info.step for info in infos if info.step > last.step)
        )
        there = None if again else finished(run, about, last)
        if there is None:
            rows = partial(_rows, run, states, keys, catalog.own, price, processes(workers), told)
            about = _measured(run, infos, about, last, rows, told, progress, again=again)
        else:
            about = there
    seconds = time.monotonic() - begun
    return Done(about, len(last.numbers), told.computed, seconds, told.workers, tuple(told.problems))


def _measured(
    run: RunDirectory,
    infos: Sequence[CheckpointInfo],
    about: About,
    last: Row,
    rows_of: Callable[[Sequence[CheckpointInfo]], Generator[Row | Unreadable, None, None]],
    told: _Told,
    progress: "Progress",
    *,
    again: bool,
) -> About:
    """Write the rows that are missing, that of the `last` checkpoint too; what is said of all of them then."""
    with HindsightWriter(run, about, last, again=again) as writer:
        rest = [info for info in infos if writer.last < info.step < last.step]
        progress.begin(len(infos), before=len(infos) - len(rest) - (writer.last < last.step))
        with contextlib.closing(rows_of(rest)) as rows:
            for row in rows:
                _take(run, writer, row, told)
                progress.advance(1)
        if writer.last < last.step:
            _take(run, writer, last, told)
            progress.advance(1)
        if not writer.about.complete:
            _refuse_another(run)
            writer.finish()
        return writer.about


def _checkpoints(run: RunDirectory) -> list[CheckpointInfo]:
    """What there is to measure. Raises RunError where there is nothing, or where it may still become something else."""
    if run.read_config() is None:
        raise no_run(run.path)
    if is_alive(run):
        raise RunError(f"{run.path} is being trained; it can be measured when training has ended")
    infos = list_checkpoints(run.checkpoints)
    if not infos:
        raise RunError(f"{run.path} has no checkpoint, so there is nothing to measure")
    return infos


def _last(states: SavedStates, infos: Sequence[CheckpointInfo], told: _Told) -> tuple[tuple[int, ...], Row, float]:
    """The key frequencies and the row of the last checkpoint that can be read, and the seconds that a row takes."""
    for info in reversed(infos):
        try:
            keys = states.key_frequencies(info)
        except RunError as error:
            told.problems.append(str(error))
            continue
        begun = time.monotonic()
        row = states.row(info, keys)
        return keys, row, time.monotonic() - begun
    raise RunError(f"none of its {len(infos):,} checkpoints can be measured: {told.problems[0]}")


def _rows(
    run: RunDirectory,
    states: SavedStates,
    keys: tuple[int, ...],
    parts: Path | None,
    price: float,
    workers: int,
    told: _Told,
    infos: Sequence[CheckpointInfo],
) -> Generator[Row | Unreadable, None, None]:
    if price * len(infos) <= HERE_SECONDS:
        for info in infos:
            yield _row(states, keys, info)
    else:
        told.workers = min(workers, len(infos))
        yield from in_order(partial(_begin, run.path, parts, keys), infos, workers)


def _begin(path: Path, parts: Path | None, keys: tuple[int, ...]) -> "partial[Row | Unreadable]":
    """What a worker begins with."""
    torch.set_num_threads(1)
    return partial(_row, SavedStates.of(RunDirectory(path), Catalog(parts)), keys)


def _row(states: SavedStates, keys: tuple[int, ...], info: CheckpointInfo) -> Row | Unreadable:
    try:
        return states.row(info, keys)
    except RunError as error:
        return Unreadable(info.step, str(error))


def _take(run: RunDirectory, writer: HindsightWriter, row: Row | Unreadable, told: _Told) -> None:
    """Write a row, unless the run is another one by now. Raises RunError when it is."""
    _refuse_another(run)
    if isinstance(row, Row):
        writer.append(row)
        told.computed += 1
    else:
        writer.skip(row.step)
        told.problems.append(row.why)


def _refuse_another(run: RunDirectory) -> None:
    """Raise RunError where the run is elsewhere or trained by now; one that was trained is known by its tables."""
    if not os.path.exists(run.config_path):  # noqa: PTH110 - Path.exists raises what the disk says
        raise RunError(f"{run.path} was moved or removed while it was being measured; measure it where it is now")
    if is_alive(run):
        remove(run)  # perhaps written after its trainer had removed what holds no longer
        raise RunError(f"{run.path} is being trained again, so its hindsight ends here; measure it when that has ended")


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """As every worker computes, so that it does not matter who computes a row."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
