"""CSV as the csv module reads it: the same numbers, bit for bit, and the same text as ever."""

import csv
import json
import tomllib
from pathlib import Path

import numpy as np
import pytest

from grokterm.export.contents import contents_of
from grokterm.export.csv import write
from grokterm.run.table import read_table
from tests.odd_run import CONFIG, EVENTS, ODD_NAME, Counted, record_odd

GOLDEN = Path(__file__).parents[1] / "golden" / "odd.csv"


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    path = tmp_path / "exported"
    path.mkdir()
    progress = Counted()
    assert write(record_odd(tmp_path), path, progress) == "5 tables, 15 rows, 7 events"
    assert progress.is_complete
    return path


def test_the_text_is_as_ever(exported: Path) -> None:
    written = {str(file.relative_to(exported)): file.read_bytes() for file in exported.rglob("*.*")}
    expected = {str(file.relative_to(GOLDEN)): file.read_bytes() for file in GOLDEN.rglob("*.*")}
    assert written == expected


def test_numbers_read_back_bit_for_bit(exported: Path, tmp_path: Path) -> None:
    for table in contents_of(record_odd(tmp_path / "again")).tables:
        with (exported / f"{table.name}.csv").open(encoding="utf-8", newline="") as file:
            header, *lines = csv.reader(file)
        for wide in (np.float64, table.dtype[-1].base.type):  # as a double, and in the type that was recorded
            values = np.array([[wide(text) for text in line[1:]] for line in lines])
            recorded = np.concatenate(list(table.blocks()))
            names = [name for name in recorded.dtype.names or () if name != "step"]
            flat = np.concatenate([recorded[name].reshape(len(recorded), -1) for name in names], axis=1)
            nan = np.isnan(flat)
            assert (np.isnan(values) == nan).all()
            assert values[~nan].tobytes() == flat.astype(wide)[~nan].tobytes()
        assert [int(line[0]) for line in lines] == read_table(table.path)["step"].tolist()
        assert header[0] == "step"


def test_names_are_whole_and_vectors_have_a_column_an_element(exported: Path) -> None:
    headers = {}
    for name in ("measures", "arrays/spectrum", "arrays/weights"):
        with (exported / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            headers[name] = next(csv.reader(file))
    assert headers["measures"] == ["step", "weight_norm_sq/W_E", ODD_NAME]
    assert headers["arrays/spectrum"] == ["step", "value/0", "value/1", "value/2"]
    assert headers["arrays/weights"] == ["step", "value/0/0", "value/0/1", "value/1/0", "value/1/1"]


def test_events_and_configuration_read_back(exported: Path) -> None:
    with (exported / "events.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["step"]) for row in rows] == [event["step"] for event in EVENTS]
    assert [float(row["time"]) for row in rows] == [event["time"] for event in EVENTS]
    assert [row["event"] for row in rows] == [event["event"] for event in EVENTS]
    assert json.loads(rows[3]["data"]) == {"text": EVENTS[3]["text"], "request": "a2"}
    assert json.loads(rows[5]["data"]) == {"bits": [1, 2], "energy": "nan"}
    assert tomllib.loads((exported / "config.toml").read_text(encoding="utf-8")) == CONFIG
