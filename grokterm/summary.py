"""One run in a few facts, read without reading its tables: what lists, filters and the browser show of thousands.

A summary costs a look at run.toml and events.jsonl and the last row of each table, about a fifth of a millisecond.
"""

import contextlib
import json
import math
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np

from grokterm.errors import RunError
from grokterm.run.configuration import Configuration, is_imported, read_configuration, setting, steps_asked
from grokterm.run.curation import TAGS, read_tags
from grokterm.run.directory import RunDirectory
from grokterm.run.events import encode
from grokterm.run.finding import runs_in
from grokterm.run.lineage import Parent
from grokterm.run.lock import is_alive
from grokterm.run.outcome import ENDED, INTERRUPTED, Outcome, read_outcome, standing, step_count
from grokterm.run.table import last_row

DAMAGED = "damaged"
FARTHEST_TIME = 1e11
"""Unix seconds beyond which a number is no time: the year 5138."""
DEEPEST = 50
"""Tables inside each other that `as_json` follows."""
NOTHING: Configuration = {}

_WATCHED = ("run.toml", "events.jsonl", "steps.npy", "tests.npy", "measures.npy", "arrays", "checkpoints", TAGS)

A = TypeVar("A")
T = TypeVar("T")


@dataclass(frozen=True)
class Summary:
    """What a list says of one run; None where the run records no such thing.

    state: finished, stopped, failed, training, paused, stopping or loading as the trainer said; interrupted where it
    said no end and nobody trains the run; damaged where the files do not say it, with the reason in `problem`.
    step: the latest that the run is known to have reached; steps: how many are planned. Losses and accuracies are
    those of the last complete rows; an imported run may have them in its measures only. started: unix seconds.
    parent: name of the run that this one is a fork of, "" for none.
    """

    run: RunDirectory
    name: str
    state: str
    problem: str = ""
    preset: str = ""
    seed: int | None = None
    step: int = 0
    steps: int | None = None
    train_loss: float | None = None
    train_accuracy: float | None = None
    test_loss: float | None = None
    test_accuracy: float | None = None
    phase: str = ""
    memorized_at: int | None = None
    grokked_at: int | None = None
    started: float = 0.0
    tags: tuple[str, ...] = ()
    imported: bool = False
    parent: str = ""
    config: Configuration = field(default_factory=dict, repr=False)

    @property
    def path(self) -> Path:
        """The run's directory."""
        return self.run.path

    @property
    def delay(self) -> int | None:
        """Steps from memorizing the training data to grokking."""
        if self.memorized_at is None or self.grokked_at is None:
            return None
        return self.grokked_at - self.memorized_at

    @cached_property
    def size(self) -> int:
        """Bytes of all files of the run, counted when somebody asks: that takes as long as half of the rest."""
        return _size(self.run.path)

    @cached_property
    def key_frequencies(self) -> tuple[int, ...]:
        """The frequencies that have a cluster of neurons in the last row; looked up when somebody asks."""
        with contextlib.suppress(RunError):
            row = last_row(self.run.arrays / "neuron_clusters.npy")
            if row is not None and "value" in (row.dtype.names or ()) and np.ndim(row["value"]) == 1:
                return tuple((np.flatnonzero(row["value"]) + 1).tolist())
        return ()


class Summaries:
    """The runs of a folder as summaries; those whose files did not change since the last time are not read again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._known: Mapping[Path, tuple[tuple[object, ...], Summary]] = {}

    def read(self) -> Iterator[Summary]:
        """Yield a summary of every run, the newest first, as they are read; runs that vanish meanwhile are left out.

        Raises RunError when the folder cannot be read. Two threads may read at a time.
        """
        known, read = self._known, {}
        for run in runs_in(self.folder):
            looks = _looks(run)  # before the rest: what changes meanwhile is seen the next time
            before = known.get(run.path)
            same = before is not None and before[0] == looks and _stays(before[1])
            summary = before[1] if before is not None and same else summarize(run)
            if summary is not None:
                read[run.path] = (looks, summary)
                yield summary
        self._known = read


def _stays(summary: Summary) -> bool:
    """Whether a summary is right as long as the run's files are the same."""
    if summary.state == INTERRUPTED:
        with contextlib.suppress(RunError, OSError):
            return not is_alive(summary.run)
    return summary.state in ENDED


def summarize(run: RunDirectory) -> Summary | None:
    """Read the summary of one run; None when there is no run.toml (any more). Never raises: damage is told."""
    troubles: list[str] = []
    config = _tried(troubles, None, read_configuration, run.config_path)
    if config is None and not troubles:
        return None
    config = config or NOTHING
    told = _tried(troubles, Outcome(), read_outcome, run.events_path)
    alive = told.state not in ENDED and _tried(troubles, False, is_alive, run)
    if told.state not in ENDED and not alive:  # it may have ended between the two looks, and has said so by now
        told = _tried(troubles, Outcome(), read_outcome, run.events_path)
    steps = _tried(troubles, None, last_row, run.steps_path)
    tests = _tried(troubles, None, last_row, run.tests_path)
    measures = _tried(troubles, None, last_row, run.measures_path)
    state = DAMAGED if troubles else standing(told.state, alive=alive)
    tags = _tried(troubles, None, read_tags, run)
    seed, parent = config.get("seed"), Parent.of(config)
    if steps is None and not run.config_path.exists():
        return None
    step = max(told.step, 0 if parent is None else parent.step, *_ends(steps, tests, measures))
    planned = told.steps if told.steps is not None else step_count(setting(config, "training.steps"))
    return Summary(
        run=run,
        name=run.path.name or run.name,
        state=state,
        problem=troubles[0] if troubles else "",
        preset=preset if isinstance(preset := config.get("preset"), str) else "",
        seed=seed if isinstance(seed, int) and abs(seed) < 2**63 else None,
        step=step,
        steps=steps_asked(config, step) or planned,
        train_loss=_number("train_loss", steps, measures),
        train_accuracy=_number("train_accuracy", steps, measures),
        test_loss=_number("test_loss", tests, measures),
        test_accuracy=_number("test_accuracy", tests, measures),
        phase=told.phase,
        memorized_at=told.marks.get("memorized_at"),
        grokked_at=told.marks.get("grokked_at"),
        started=_started(run, config),
        tags=tags or (),
        imported=is_imported(config),
        parent="" if parent is None else parent.run,
        config=config,
    )


def _started(run: RunDirectory, config: Configuration) -> float:
    """When the run began; where run.toml does not say, when that was written."""
    said = config.get("started")
    if isinstance(said, int | float) and abs(said) < FARTHEST_TIME:
        return float(said)
    try:
        return run.config_path.stat().st_mtime
    except OSError:
        return 0.0


def _tried(troubles: list[str], otherwise: T, read: Callable[[A], T], what: A) -> T:
    """What `read` finds; where it cannot, `otherwise`, and the reason joins the troubles."""
    try:
        return read(what)
    except RunError as error:
        troubles.append(str(error))
    except OSError as error:  # a file system that cannot lock
        troubles.append(f"{what} cannot be read: {error.strerror}")
    return otherwise


def _number(column: str, *rows: np.void | None) -> float | None:
    """The number in the first of these rows that has the column."""
    for row in rows:
        if row is not None and column in (row.dtype.names or ()):
            recorded = row.dtype[column]
            return float(row[column]) if recorded.kind in "fiu" and not recorded.shape else None
    return None


def _whole(row: np.void | None, column: str, more: int = 0) -> int:
    number = _number(column, row)
    return int(number) + more if number is not None and math.isfinite(number) else 0


def _ends(steps: np.void | None, *others: np.void | None) -> tuple[int, ...]:
    """The steps that the last rows of the tables are about: row k of steps ends with update k done."""
    return _whole(steps, "step", 1), *(_whole(row, "step") for row in others)


def _looks(run: RunDirectory) -> tuple[object, ...]:
    """What changes when a file of the run does: times and sizes of the tables, of tags and of the checkpoints."""
    return tuple([_look(f"{run.path}/{name}") for name in _WATCHED])


def _look(path: str) -> object:
    try:
        status = os.stat(path)  # noqa: PTH116 - half the price of Path.stat, eight times a run
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _size(folder: Path | str) -> int:
    """Bytes of all files below a directory; what vanishes meanwhile counts nothing."""
    total = 0
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    total += _size(entry.path)
                else:
                    total += entry.stat(follow_symlinks=False).st_size
    except OSError:
        return total
    return total


FIELDS = (
    *("name", "path", "state", "problem", "preset", "seed", "step", "steps"),
    *("train_loss", "train_accuracy", "test_loss", "test_accuracy", "phase"),
    *("memorized_at", "grokked_at", "delay", "key_frequencies", "started", "size", "tags", "imported", "parent"),
)
"""What a filter can ask for beside the settings, and `--json` prints."""


def as_json(summary: Summary) -> str:
    """Return a run's fields and settings as a strict JSON object; what JSON cannot say of a setting is its text."""
    told = {name: getattr(summary, name) for name in FIELDS} | {"path": str(summary.path), "config": summary.config}
    try:
        return json.dumps(told, allow_nan=False)
    except (TypeError, ValueError, RecursionError):  # a loss that is no number, a date: rare, and ten times as slow
        return json.dumps(_plain(told), allow_nan=False)


def _plain(value: object, depth: int = 0) -> object:
    """What strict JSON can say; tables inside tables beyond all sense are left out."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item, depth + 1) for key, item in value.items()} if depth < DEEPEST else None
    if isinstance(value, list | tuple):
        return [_plain(item, depth + 1) for item in value] if depth < DEEPEST else None
    try:
        return encode(value)
    except (TypeError, ValueError):  # a date, or an integer of more than 64 bits, perhaps of too many digits to write
        return hex(value) if isinstance(value, int) else str(value)
