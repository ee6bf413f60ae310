"""Weights & Biases: a run in its offline format, made by the wandb package without any network.

Scalars are TABLE/COLUMN (steps/train_loss, measures/weight_norm_sq/W_E) at their steps, with the recorded times; what
happened is events/KIND, as text, at its step and in the run's notes. Vectors and matrices are left out. `wandb sync`
uploads it.
"""

import os
from collections.abc import Iterator
from heapq import merge
from itertools import groupby
from pathlib import Path
from typing import Any

from grokterm.errors import UsageError
from grokterm.export.contents import SMALL_BLOCK_BYTES, RecordedTable, RunContents, contents_of, safe, words_of
from grokterm.extras import load
from grokterm.progress import Progress
from grokterm.run.directory import RunDirectory

_Numbers = tuple[int, dict[str, Any]]


def write(run: RunDirectory, path: Path, progress: Progress) -> str:
    """Write wandb/offline-run-… into the folder `path`. Raises UsageError when the package cannot do it."""
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # else the package tells its makers when it is imported
    wandb = load("wandb", "--to wandb")
    contents = contents_of(run)
    progress.begin(sum(table.nbytes for table in contents.scalar_tables))
    try:
        recording = wandb.init(
            project="grokterm",
            name=safe(contents.name),
            notes="\n".join(
                f"step {event.step:,}: {safe(f'{event.kind}: {words_of(event)}')}" for event in contents.events
            ),
            config=dict(contents.config),
            dir=str(path),
            settings=_settings(wandb),
        )
        for step, row in _rows(contents, progress):
            recording.log(row, step=step)
        recording.finish()
    except wandb.Error as error:
        raise UsageError(f"--to wandb: the package wandb says: {error}") from error
    finally:
        wandb.teardown()  # its second process writes to the folder until it has ended
    return contents.scalar_summary()


def _settings(wandb: Any) -> Any:
    """No network, no output, nothing about this machine and its packages."""
    try:
        return wandb.Settings(
            mode="offline",
            console="off",
            silent=True,
            disable_git=True,
            disable_code=True,
            disable_job_creation=True,
            x_disable_meta=True,
            x_disable_stats=True,
            x_save_requirements=False,
        )
    except (TypeError, ValueError) as error:  # an unknown setting
        raise UsageError(f"--to wandb needs wandb 0.21 or newer, and {wandb.__version__} is installed") from error


def _rows(contents: RunContents, progress: Progress) -> Iterator[_Numbers]:
    """Everything of one step as one row, by step: the format takes steps only in their order."""
    sources = [_events(contents), *(_numbers(contents, table, progress) for table in contents.scalar_tables)]
    for step, parts in groupby(merge(*sources, key=_step_of), key=_step_of):
        row: dict[str, Any] = {}
        for _, part in parts:
            row |= part
        yield step, row


def _events(contents: RunContents) -> Iterator[_Numbers]:
    for step, events in groupby(sorted(contents.events, key=lambda event: event.step), key=lambda event: event.step):
        texts: dict[str, Any] = {}
        for event in events:
            texts.setdefault(f"events/{safe(event.kind)}", []).append(safe(words_of(event)))
            texts["_timestamp"] = event.time
        yield step, {name: "\n".join(lines) if isinstance(lines, list) else lines for name, lines in texts.items()}


def _numbers(contents: RunContents, table: RecordedTable, progress: Progress) -> Iterator[_Numbers]:
    names = ["_timestamp", *(f"{table.name}/{name}" for name in table.scalars)]
    for rows in table.blocks(SMALL_BLOCK_BYTES):
        times = contents.times.of(rows["step"]).tolist()
        columns: list[list[Any]] = [rows[name].tolist() for name in table.scalars]
        for step, *numbers in zip(rows["step"].tolist(), times, *columns, strict=True):
            yield step, dict(zip(names, numbers, strict=True))
        progress.advance(rows.nbytes)


def _step_of(numbers: _Numbers) -> int:
    return numbers[0]
