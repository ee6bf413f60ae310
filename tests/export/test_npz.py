"""The .npz as NumPy reads it, without unpickling: the run, bit for bit."""

import json
import tomllib
import zipfile
from functools import partialmethod
from pathlib import Path

import numpy as np
import pytest

from grokterm.export.contents import RecordedTable, contents_of
from grokterm.export.npz import write
from grokterm.run.events import encode
from grokterm.run.table import read_table
from tests.odd_run import CONFIG, EVENTS, Counted, record_odd


def test_tables_read_back_bit_for_bit(tmp_path: Path) -> None:
    run, progress = record_odd(tmp_path), Counted()
    assert write(run, tmp_path / "odd.npz", progress) == "5 tables, 15 rows, 7 events"
    assert progress.is_complete
    with np.load(tmp_path / "odd.npz", allow_pickle=False) as data:
        tables = contents_of(run).tables
        assert set(data.files) == {*(table.name for table in tables), "events", "config"}
        for table in tables:
            recorded = read_table(table.path)
            assert data[table.name].dtype == recorded.dtype
            assert data[table.name].tobytes() == recorded.tobytes()
        assert json.loads(str(data["events"])) == [encode(event) for event in EVENTS]
        assert tomllib.loads(str(data["config"])) == CONFIG


def test_a_table_larger_than_a_block_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, progress = record_odd(tmp_path), Counted()
    monkeypatch.setattr(RecordedTable, "blocks", partialmethod(RecordedTable.blocks, size=32))
    write(run, tmp_path / "odd.npz", progress)
    assert len(progress.done) == 4 + 3 + 2 + 2 + 2
    with np.load(tmp_path / "odd.npz") as data:
        assert data["tests"].tobytes() == read_table(run.tests_path).tobytes()


def test_the_archive_is_sound(tmp_path: Path) -> None:
    write(record_odd(tmp_path), tmp_path / "odd.npz", Counted())
    with zipfile.ZipFile(tmp_path / "odd.npz") as archive:
        assert archive.testzip() is None
