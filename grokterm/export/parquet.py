"""Parquet: a folder with one file a table, numbers in the types they were recorded in.

A vector is a list of fixed size, a matrix a list of such lists. Every file carries run.toml and the run's name in its
schema's metadata, under the keys `grokterm.config` and `grokterm.run`.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from grokterm.export.contents import RecordedTable, RunContents, contents_of, data_of, safe
from grokterm.extras import load
from grokterm.progress import Progress
from grokterm.run.directory import RunDirectory
from grokterm.run.table import Rows

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq


def write(run: RunDirectory, path: Path, progress: Progress) -> str:
    """Write a file a table (steps.parquet, arrays/NAME.parquet, …) and events.parquet into the folder `path`."""
    load("pyarrow.parquet", "--to parquet")
    contents = contents_of(run)
    progress.begin(contents.nbytes)
    for table in contents.tables:
        _write_table(contents, table, path / f"{table.name}.parquet", progress)
    _write_events(contents, path / "events.parquet")
    return contents.summary()


def _write_table(contents: RunContents, table: RecordedTable, path: Path, progress: Progress) -> None:
    import pyarrow as pa

    path.parent.mkdir(exist_ok=True)
    names = table.dtype.names or ()
    schema = pa.schema([(name, _type_of(table.dtype[name])) for name in names])
    with _file(contents, path, schema) as file:
        for rows in table.blocks():
            columns = [_column(rows, name) for name in names]
            file.write_batch(pa.RecordBatch.from_arrays(columns, schema=file.schema))
            progress.advance(rows.nbytes)


def _write_events(contents: RunContents, path: Path) -> None:
    import pyarrow as pa

    events = contents.events
    schema = pa.schema([("step", pa.int64()), ("time", pa.float64()), ("event", pa.string()), ("data", pa.string())])
    columns = [
        pa.array([event.step for event in events], pa.int64()),
        pa.array([event.time for event in events], pa.float64()),
        pa.array([safe(event.kind) for event in events], pa.string()),
        pa.array([data_of(event) for event in events], pa.string()),
    ]
    with _file(contents, path, schema) as file:
        file.write_batch(pa.RecordBatch.from_arrays(columns, schema=file.schema))


def _file(contents: RunContents, path: Path, schema: "pa.Schema") -> "pq.ParquetWriter":
    import pyarrow.parquet as pq

    about = {"grokterm.run": safe(contents.name), "grokterm.config": contents.config_text}
    # A dictionary of a column's values would merge NaNs, and losses hardly ever repeat.
    return pq.ParquetWriter(path, schema.with_metadata(about), use_dictionary=False)


def _type_of(column: np.dtype[Any]) -> "pa.DataType":
    import pyarrow as pa

    kind = pa.from_numpy_dtype(column.base)
    for size in reversed(column.shape):
        kind = pa.list_(kind, size)
    return kind


def _column(rows: Rows, name: str) -> "pa.Array":
    import pyarrow as pa

    values: NDArray[Any] = np.ascontiguousarray(rows[name])
    column = pa.array(values.reshape(-1))
    for size in reversed(values.shape[1:]):
        column = pa.FixedSizeListArray.from_arrays(column, size)
    return column
