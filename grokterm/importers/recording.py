"""Writes what was found in a file as a run directory (RUN_FORMAT.md): whole, or not at all.

The run is built in a hidden directory beside the others and gets its name by one rename at the end.
"""

import contextlib
import errno
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from grokterm.catalog import Catalog
from grokterm.engine.cross_entropy import cross_entropy
from grokterm.engine.evaluation import Evaluation
from grokterm.errors import RunError, UsageError
from grokterm.importers.description import configuration, known_knobs, notes
from grokterm.importers.phases import phases
from grokterm.importers.plan import Plan
from grokterm.run import checkpoint, recorded_task
from grokterm.run.directory import RunDirectory, create
from grokterm.run.durable import sync_directory
from grokterm.run.events import EventLog
from grokterm.run.table import TableWriter

if TYPE_CHECKING:  # its bar draws with rich, which the training side never imports
    from grokterm.progress import Progress

Row = dict[str, float]
_STATE = {"knobs": {}, "edits": 0, "paused": False}
"""What a checkpoint says of the trainer; there was none of ours."""


@dataclass(frozen=True)
class Recorded:
    """The new run, and what its measures say of the last weights."""

    run: RunDirectory
    last: Mapping[str, float]


def record(plan: Plan, runs: Path, label: str, progress: "Progress") -> Recorded:
    """Write the run into the folder `runs` and return it. Nothing is left of one that fails or is interrupted.

    progress is told how many checkpoints there are to measure, then of every one that is done.

    Raises UsageError when the folder cannot be written, RunError when the disk refuses.
    """
    with _hidden(runs) as hidden:
        run = create(hidden, label)
        try:
            recorded_task.write(run.task_path, plan.task.recorded())
            _write_losses(run, plan)
            rows = _write_states(run, plan, progress)
            _write_events(run, plan, rows)
            run.write_config(configuration(plan))
            return Recorded(_published(run, runs), rows[-1][1])
        except OSError as error:
            raise RunError(f"the run cannot be written to {runs}: {error.strerror or error}") from error


@contextlib.contextmanager
def _hidden(runs: Path) -> Iterator[Path]:
    """A directory in `runs` that no list shows, gone at the end; with it go the folders that were made for it."""
    made = [folder for folder in (runs, *runs.parents) if not folder.exists()]
    try:
        runs.mkdir(parents=True, exist_ok=True)
        hidden = Path(tempfile.mkdtemp(prefix=".import-", suffix=".part", dir=runs))
    except OSError as error:
        raise UsageError(f"the runs directory {runs} cannot be written: {error.strerror}") from error
    try:
        yield hidden
    finally:
        shutil.rmtree(hidden, ignore_errors=True)
        with contextlib.suppress(OSError):  # a run is in it by now
            for folder in made:
                folder.rmdir()


def _published(run: RunDirectory, runs: Path) -> RunDirectory:
    """Give the finished run its place, under the first name that is free; renaming never replaces a run."""
    for number in count(1):
        path = runs / (run.name if number == 1 else f"{run.name}-{number}")
        try:
            if not path.exists():
                run.path.rename(path)
                break
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise
    sync_directory(runs)
    return RunDirectory(path)


def _write_losses(run: RunDirectory, plan: Plan) -> None:
    """The recorded losses, as they are: train loss e is that of the weights after e updates, whatever the file."""
    found = plan.contents
    if len(found.train_losses):
        _write_series(run.steps_path, "train_loss", found.train_losses, 0, 1)
    if len(found.test_losses):
        _write_series(run.tests_path, "test_loss", found.test_losses, plan.tested_after.updates, found.test_every)


def _write_series(path: Path, name: str, values: np.ndarray[Any, Any], first: int, every: int) -> None:
    with TableWriter(path, _scalars([name])) as table:
        for row, value in enumerate(values.tolist()):
            table.append(first + row * every, value)
        table.sync()


def _write_states(run: RunDirectory, plan: Plan, progress: "Progress") -> list[tuple[int, Row]]:
    """A checkpoint and a row of measures for each of the file's weights; returns the rows by step."""
    catalog = Catalog()
    measures = {name: catalog.load("measures", name) for name in catalog.names("measures")}
    rows: list[tuple[int, Row]] = []
    progress.begin(len(plan.states))
    with contextlib.ExitStack() as stack:
        tables: dict[Path, TableWriter] = {}

        def append(path: Path, dtype: np.dtype[Any], *values: Any) -> None:
            if path not in tables:
                tables[path] = stack.enter_context(TableWriter(path, dtype))
            tables[path].append(*values)

        for step, state in plan.states:
            model = plan.model(state)
            row, arrays = _measured(Evaluation(model, plan.task), measures)
            append(run.measures_path, _scalars(row), step, *row.values())
            for name, value in arrays.items():
                kind = "<f4" if value.dtype.itemsize < 8 else "<f8"
                dtype = np.dtype([("step", "<i8"), ("value", kind, value.shape)])
                append(run.arrays / f"{name}.npy", dtype, step, value)
            tensors = {f"model/{name}": weight.numpy() for name, weight in model.state_dict().items()}
            checkpoint.write(run.checkpoints, step, tensors, kind="weights", state=_STATE)
            rows.append((step, row))
            progress.advance(1)
        for table in tables.values():
            table.sync()
    return rows


def _measured(
    evaluation: Evaluation, measures: Mapping[str, Callable[..., Any]]
) -> tuple[Row, dict[str, np.ndarray[Any, Any]]]:
    """What a live run records of this state, and its losses and accuracies, which other people's files may lack."""
    begun = time.perf_counter()
    row: Row = {"seconds": 0.0}
    arrays: dict[str, np.ndarray[Any, Any]] = {}
    for name, measure in measures.items():
        if not evaluation.applies(measure):
            continue
        result = evaluation.compute(measure)
        for column, value in (result if isinstance(result, dict) else {name: result}).items():
            if isinstance(value, Tensor) and value.ndim:
                arrays[column] = value.cpu().numpy()
            else:
                row[column] = float(value)
    for part, rows in (("train", evaluation.train), ("test", evaluation.test)):
        loss, accuracy = cross_entropy(evaluation.logits[rows], evaluation.labels[rows])
        row |= {f"{part}_loss": float(loss), f"{part}_accuracy": float(accuracy)}
    row["seconds"] = time.perf_counter() - begun
    return row, arrays


def _write_events(run: RunDirectory, plan: Plan, rows: list[tuple[int, Row]]) -> None:
    """What happened, in the order of steps: training, what was imported and assumed, the phases that show, the end."""
    events = EventLog(run.events_path)
    events.write("state", 0, state="training", knobs=known_knobs(plan))
    for text in notes(plan):
        events.write("note", 0, text=text)
    for step, change in phases(plan, rows):
        name = "mark" if change.is_mark else "phase"
        events.write("phase", step, at=change.at, why=change.why, **{name: change.name})
    events.write("state", plan.steps, state="finished")
    events.sync()


def _scalars(names: Iterable[str]) -> np.dtype[Any]:
    return np.dtype([("step", "<i8"), *((name, "<f8") for name in names)])
