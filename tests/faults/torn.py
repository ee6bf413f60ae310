"""Last records that were written in part: rows of every table, events and requests, cut at every byte."""

import json
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from grokterm.run import checkpoint
from grokterm.run.directory import RunDirectory
from grokterm.run.events import ask
from grokterm.run.table import read_table
from tests.faults import tiny
from tests.faults.outcomes import Result
from tests.faults.readable import check
from tests.faults.trainers import Child, Order, finish, processors, side_by_side, train
from tests.faults.undisturbed import Undisturbed
from tests.run_equality import differences, history

STEPS = 12
CHECKPOINT = 1
"""Step of the last full checkpoint of the run that is torn: nearly all that happens in it, happens again."""
_LAST = {"knob": "beta1", "value": 0.5, "at": 9}
"""The request that is torn."""
_LATER = {"text": "later", "at": 10}
"""One that somebody adds afterwards, behind the torn one."""
_COUNT = re.compile(rb"\(\d+,\), \} *\n")
_SECONDS = 3600.0
"""How long one process may take for its share of the trials."""
_SELDOM = 8
"""What tells little more at every byte is done at every n-th."""


@dataclass(frozen=True)
class Tear:
    """One trial: a file with other content. `whole` is what comes of the run in the end.

    keeps_count: the table's header counts rows that are there, as after the death of a process; else as it can be
    after a power cut. later: somebody asks for something before training goes on.
    """

    name: str
    file: str
    content: bytes
    whole: RunDirectory
    keeps_count: bool = True
    later: bool = False


def tear(folder: Path, _: Undisturbed, every: int, seed: int) -> Result:
    """Cut the last records at every n-th byte, beginning with byte `seed` modulo that; read, and go on."""
    whole, later, both = (folder / name for name in ("whole", "whole-later", "whole-both"))
    runs = {path: tiny.make(path, STEPS) for path in (whole, later, both)}
    ask(runs[both].path, "set", **_LAST)
    for path in (later, both):
        ask(runs[path].path, "note", **_LATER)
    for run in runs.values():
        finish(run)
    dead = tiny.copy_of(runs[whole], folder / "dead")
    _cut_off(dead)
    kinds: dict[str, list[Tear]] = {
        "torn rows": list(_rows(dead, runs[whole])),
        "torn row counts": list(_counts(dead, runs[whole])),
        "torn events": list(_events(dead, runs[whole])),
        "torn requests": list(_requests(dead, runs[whole], runs[later], runs[both])),
    }
    chosen = {name: tears[seed % every :: every] for name, tears in kinds.items()}
    tears = [one for some in chosen.values() for one in some]
    shares = [tears[first :: processors()] for first in range(min(processors(), len(tears)))]
    side_by_side(lambda share: _tried(dead, runs[whole], share, folder / f"torn-{share[0].name}"), shares)
    counts = {name: len(some) for name, some in chosen.items()}
    shutil.rmtree(folder)
    return Result(counts, "each time the run could be read, and went on to be equal to the undisturbed one")


def _cut_off(run: RunDirectory) -> None:
    """Make a finished run one whose trainer died before it told its end, long after its last full checkpoint."""
    for info in checkpoint.list_checkpoints(run.checkpoints):
        if info.step > CHECKPOINT:
            info.path.unlink()
    lines = run.events_path.read_bytes().splitlines(keepends=True)
    assert b'"finished"' in lines.pop()
    run.events_path.write_bytes(b"".join(lines))


def _rows(dead: RunDirectory, whole: RunDirectory) -> Iterator[Tear]:
    for path in (dead.steps_path, dead.tests_path, dead.measures_path, *sorted(dead.arrays.iterdir())):
        name, content, rows = str(path.relative_to(dead.path)), path.read_bytes(), read_table(path)
        before = content[: -rows.dtype.itemsize]
        end = _COUNT.search(before)
        assert end is not None
        counted = before[: end.start()] + _count(len(rows) - 1, len(end[0])) + before[end.end() :]
        for size in range(rows.dtype.itemsize):
            rest = content[len(before) :][:size]
            yield Tear(f"{path.stem}-{size}", name, counted + rest, whole)
            if size % _SELDOM == 0:
                yield Tear(f"{path.stem}-{size}-counted", name, before + rest, whole, keeps_count=False)


def _count(rows: int, length: int) -> bytes:
    return f"({rows},), }}".encode().ljust(length - 1) + b"\n"


def _counts(dead: RunDirectory, whole: RunDirectory) -> Iterator[Tear]:
    content = dead.steps_path.read_bytes()
    end = _COUNT.search(content)
    assert end is not None
    for old, new in ((9, 12), (12, 9), (11, 12), (99, 100)):
        one, other = _count(old, len(end[0])), _count(new, len(end[0]))
        for size in range(12):
            torn = content[: end.start()] + other[:size] + one[size:] + content[end.end() :]
            yield Tear(f"count-{old}-{new}-{size}", "steps.npy", torn, whole, keeps_count=False)


def _events(dead: RunDirectory, whole: RunDirectory) -> Iterator[Tear]:
    """The file cut at every byte behind the events that the checkpoint knows of."""
    content = dead.events_path.read_bytes()
    state = checkpoint.read_metadata(dead.checkpoints / f"{CHECKPOINT:09d}.safetensors").state
    known = state["events"]
    assert isinstance(known, int)
    begin = sum(len(line) for line in content.splitlines(keepends=True)[:known])
    for size in range(begin, len(content)):
        yield Tear(f"events-{size}", "events.jsonl", content[:size], whole)


def _requests(dead: RunDirectory, whole: RunDirectory, later: RunDirectory, both: RunDirectory) -> Iterator[Tear]:
    before = dead.inbox_path.read_bytes()
    line = json.dumps({"id": "torn", "time": 1.8e9, "from": "host:1", "do": "set", **_LAST}).encode()
    for size in range(len(line) + 1):
        if size % _SELDOM == 0:
            yield Tear(f"request-{size}", "inbox.jsonl", before + line[:size], whole)
        is_there = size == len(line)  # only its end was missing, and whoever writes next gives it one
        outcome = both if is_there else later
        yield Tear(f"request-{size}-later", "inbox.jsonl", before + line[:size], outcome, later=True)


def _tried(dead: RunDirectory, whole: RunDirectory, tears: Sequence[Tear], folder: Path) -> None:
    with Child(_try, dead, whole, tears, folder) as child:
        assert child.result(_SECONDS), "the process that reads torn runs has died"


def _try(dead: RunDirectory, whole: RunDirectory, tears: Sequence[Tear], folder: Path) -> bool:
    for one in tears:
        run = tiny.copy_of(dead, folder / one.name)
        (run.path / one.file).write_bytes(one.content)
        _check_reading(run, whole, one)
        if one.later:
            ask(run.path, "note", **_LATER)
        error = train(Order(run, full_seconds=1e9)).error
        assert not error, f"{run.path}: {error}"
        found = differences(one.whole, run)
        assert not found, f"{run.path}: {found}"
        shutil.rmtree(folder / one.name)
    return True


def _check_reading(run: RunDirectory, whole: RunDirectory, one: Tear) -> None:
    """Whoever looks at the run before anybody mends it sees all that was done in it, but the torn record."""
    if one.keeps_count:
        check(run, whole)
    seen = history(run)
    assert not seen.problems, f"{run.path}: {seen.problems}"
    lost = 1 if one.file == "steps.npy" and not one.name.startswith("count") else 0
    assert len(seen.series("train_loss").values) == STEPS - lost, run.path
