"""Parquet as pyarrow reads it: the run, bit for bit, in the types it was recorded in."""

import json
import tomllib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from grokterm.export.contents import contents_of
from grokterm.export.parquet import write
from grokterm.run.events import encode
from grokterm.run.table import read_table
from tests.odd_run import CONFIG, EVENTS, Counted, record_odd


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    path = tmp_path / "exported"
    path.mkdir()
    progress = Counted()
    assert write(record_odd(tmp_path), path, progress) == "5 tables, 15 rows, 7 events"
    assert progress.is_complete
    return path


def test_every_column_reads_back_bit_for_bit(exported: Path, tmp_path: Path) -> None:
    for table in contents_of(record_odd(tmp_path / "again")).tables:
        recorded, read = read_table(table.path), pq.read_table(exported / f"{table.name}.parquet")
        assert read.column_names == list(recorded.dtype.names or ())
        for name in read.column_names:
            column = read[name].combine_chunks()
            assert column.null_count == 0
            while isinstance(column, pa.FixedSizeListArray):
                column = column.flatten()
            values = column.to_numpy(zero_copy_only=False)
            assert values.dtype == recorded.dtype[name].base
            assert values.tobytes() == recorded[name].tobytes()


def test_vectors_and_matrices_are_lists_of_fixed_size(exported: Path) -> None:
    assert pq.read_schema(exported / "arrays/spectrum.parquet").field("value").type == pa.list_(pa.float32(), 3)
    weights = pq.read_table(exported / "arrays/weights.parquet")["value"]
    assert weights.type == pa.list_(pa.list_(pa.float64(), 2), 2)
    assert weights.to_pylist() == [[[1, 2], [3, 0.1]], [[np.inf, 5], [6, 7]]]


def test_every_file_carries_the_configuration(exported: Path) -> None:
    files = sorted(exported.rglob("*.parquet"))
    assert len(files) == 6
    for file in files:
        about = pq.read_schema(file).metadata
        assert tomllib.loads(about[b"grokterm.config"].decode()) == CONFIG
        assert about[b"grokterm.run"] == b"2027-03-04-113000-odd"


def test_events_read_back(exported: Path) -> None:
    read = pq.read_table(exported / "events.parquet").to_pylist()
    again = [
        {"event": row["event"], "step": row["step"], "time": row["time"], **json.loads(row["data"])} for row in read
    ]
    assert again == [encode(event) for event in EVENTS]
