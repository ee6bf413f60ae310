"""What must be true of a run whose trainer is dead, whenever and however it died."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grokterm.run import checkpoint
from grokterm.run.directory import RunDirectory
from grokterm.run.events import lines_in, objects_in
from grokterm.run.lock import holder, is_alive
from grokterm.run.table import read_table
from grokterm.summary import DAMAGED, as_json, summarize
from tests.run_equality import BY_THE_CLOCK, history, told, unequal_tensors


@dataclass(frozen=True)
class Found:
    """What death left behind: bytes of half rows and of a half line, and files under their temporary names."""

    torn_rows: int
    torn_line: int
    temporary: int


def check(run: RunDirectory, whole: RunDirectory, torn_lines: int = 0) -> Found:
    """Make sure that the run is dead, and that everything that it holds can be read and is as in `whole`.

    torn_lines: how many lines of events.jsonl may be no events, because an earlier trainer died in them. `whole` is the
    run that nobody disturbed, with a full checkpoint at every step. Raises AssertionError.
    """
    assert not is_alive(run), "a dead trainer is taken for living"
    assert holder(run) is None
    found = check_files(run, whole, torn_lines)
    _check_summary(run)
    return found


def check_files(run: RunDirectory, whole: RunDirectory, torn_lines: int = 0) -> Found:
    """The same of a run that may be living: only that it can be read and is as in `whole`."""
    full, needed = _check_checkpoints(run, whole)
    torn_rows = sum(_check_table(run, whole, name) for name in _tables(run))
    _check_rows(run, whole, full, needed)
    torn_line = _check_events(run, whole, torn_lines, 0 if needed is None else _whole(needed["events"]))
    temporary = sum(path.name.startswith(".") and path.name.endswith(".part") for path in run.path.rglob("*"))
    return Found(torn_rows, torn_line, temporary)


def _tables(run: RunDirectory) -> list[str]:
    there = [path for path in (run.steps_path, run.tests_path, run.measures_path) if path.exists()]
    return [str(path.relative_to(run.path)) for path in (*there, *sorted(run.arrays.glob("*.npy")))]


def _check_table(run: RunDirectory, whole: RunDirectory, name: str) -> int:
    """A table is the beginning of the undisturbed one, for our reader and for NumPy; how many bytes more it has."""
    path = run.path / name
    rows, loaded, right = read_table(path), np.load(path), read_table(whole.path / name)
    assert len(loaded) <= len(rows), f"{name}: np.load sees more rows than there are"
    assert loaded.tobytes() == rows[: len(loaded)].tobytes(), f"{name}: np.load sees other rows"
    assert rows.dtype == right.dtype, f"{name}: other columns"
    assert len(rows) <= len(right), f"{name}: more rows than the undisturbed run"
    for column in rows.dtype.names or ():
        if column not in BY_THE_CLOCK:
            assert _bytes(rows[column]) == _bytes(right[column][: len(rows)]), f"{name}: {column} differs"
    header = path.read_bytes()[:10]
    return (path.stat().st_size - 10 - int.from_bytes(header[8:], "little")) % rows.dtype.itemsize


def _check_checkpoints(run: RunDirectory, whole: RunDirectory) -> tuple[int, dict[str, object] | None]:
    """Every checkpoint can be read; the newest full one is what the undisturbed run had. Its step and state."""
    newest = None
    for info in checkpoint.list_checkpoints(run.checkpoints):
        found = checkpoint.read(info.path)
        assert found.step == info.step
        newest = found if found.kind == "full" else newest
    if newest is None:
        return -1, None
    right = checkpoint.read(whole.checkpoints / f"{newest.step:09d}.safetensors")
    unequal = unequal_tensors(newest, right)
    assert not unequal, f"full checkpoint of step {newest.step}: {unequal} differ"
    return newest.step, dict(newest.state)


def _check_rows(run: RunDirectory, whole: RunDirectory, full: int, state: dict[str, object] | None) -> None:
    """No row before the newest full checkpoint is lost."""
    if state is None:
        return
    evaluated = _whole(state["evaluated"])
    for name in _tables(whole):
        last = full - 1 if name == "steps.npy" else evaluated
        needed = int(np.sum(read_table(whole.path / name)["step"] <= last))
        there = len(read_table(run.path / name)) if (run.path / name).exists() else 0
        assert there >= needed, f"{name}: {there} rows, and the full checkpoint of step {full} needs {needed}"


def _check_events(run: RunDirectory, whole: RunDirectory, torn: int, needed: int) -> int:
    """The events that hold are the first of the undisturbed run; how many bytes of a half line follow."""
    content = run.events_path.read_bytes() if run.events_path.exists() else b""
    complete = content[: content.rfind(b"\n") + 1]
    objects = objects_in(lines_in(complete))
    assert objects.count(None) <= torn, f"{objects.count(None)} lines of events.jsonl are no JSON, {torn} may be"
    events = len(objects) - objects.count(None)
    assert events >= needed, f"{events} events, and the newest full checkpoint was written after {needed}"
    ours, theirs = told(history(run)), told(history(whole))
    assert ours == theirs[: len(ours)], _first_difference(ours, theirs)
    return len(content) - len(complete)


def _first_difference(ours: Sequence[object], theirs: Sequence[object]) -> str:
    for number, (one, other) in enumerate(zip(ours, theirs, strict=False)):
        if one != other:
            return f"event {number}: {one} ≠ {other}"
    return f"{len(ours)} events > {len(theirs)}"


def _check_summary(run: RunDirectory) -> None:
    """Lists show it as what it is."""
    summary = summarize(run)
    if summary is None:
        assert not run.config_path.exists()
        return
    assert summary.state != DAMAGED, summary.problem
    assert summary.state in ("interrupted", "finished"), summary.state
    json.loads(as_json(summary))


def _whole(value: object) -> int:
    assert isinstance(value, int)
    return value


def _bytes(values: NDArray[Any]) -> bytes:
    return np.ascontiguousarray(values).tobytes()
