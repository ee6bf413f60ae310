"""The offline run as the wandb package's own messages describe it; skipped where the package is not installed."""

import json
import struct
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from grokterm.export.contents import contents_of
from grokterm.export.wandb import write
from grokterm.run.table import read_table
from tests.odd_run import BEGAN, CONFIG, Counted, record_odd

wandb = pytest.importorskip("wandb", reason="wandb is not a dependency")

BLOCK = 32_768


def test_the_run_reads_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("HOME", "WANDB_CACHE_DIR", "WANDB_CONFIG_DIR", "WANDB_DATA_DIR"):
        monkeypatch.setenv(variable, str(tmp_path))
    run, path, progress = record_odd(tmp_path), tmp_path / "exported", Counted()
    path.mkdir()
    said = write(run, path, progress)
    assert said == "5 scalars, 7 events; 2 vectors and matrices are left out, --to npz has them"
    assert progress.is_complete
    assert [entry.name for entry in path.iterdir()] == ["wandb"]
    (file,) = path.glob("wandb/offline-run-*/*.wandb")
    records = [_parsed(record) for record in _records(file.read_bytes())]
    (about,) = [record.run for record in records if record.WhichOneof("record_type") == "run"]
    assert (about.project, about.display_name) == ("grokterm", run.name)
    assert "step 2: edit: knob lr, old 0.001, new inf, moments kept" in about.notes.splitlines()
    config = {item.key: json.loads(item.value_json) for item in about.config.update}
    assert {key: config[key] for key in CONFIG} == CONFIG

    rows = [record.history.item for record in records if record.WhichOneof("record_type") == "history"]
    found: dict[str, dict[int, Any]] = defaultdict(dict)
    for row in rows:
        values = {"".join(item.nested_key) or item.key: json.loads(item.value_json, parse_int=float) for item in row}
        for name, value in values.items():
            found[name][values["_step"]] = value
    for table in contents_of(run).tables[:3]:
        recorded = read_table(table.path)
        for name in table.scalars:
            by_step = found[f"{table.name}/{name}"]
            assert list(by_step) == recorded["step"].tolist()
            assert [repr(float(value)) for value in by_step.values()] == [
                repr(value) for value in recorded[name].tolist()
            ]
    assert found["_timestamp"][0] == BEGAN
    assert found["events/edit"] == {2: "knob lr, old 0.001, new inf, moments kept"}
    assert found["events/note"] == {2: 'a "b",\n<i>é ∎</i> \x1b[31m\nnan'}


def _parsed(record: bytes) -> Any:
    from wandb.proto import wandb_internal_pb2

    return wandb_internal_pb2.Record.FromString(record)


def _records(content: bytes) -> list[bytes]:
    """The records of the file: LevelDB's log format behind a header of seven bytes."""
    records, at, part = [], 7, b""
    while at < len(content):
        if BLOCK - at % BLOCK < 7:
            at += BLOCK - at % BLOCK
            continue
        _, length, kind = struct.unpack_from("<IHB", content, at)
        part += content[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # a whole record, or the last part of one
            records.append(part)
            part = b""
    return records
