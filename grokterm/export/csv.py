"""CSV: a folder with one file a table, whose numbers read back exactly.

Every number is written with as many digits as a double needs, also those recorded in single precision, so that
whoever reads it as a double or as a single gets the recorded number. Not-a-number and infinities are nan, inf, -inf.
A vector is one column an element, NAME/0, NAME/1 …, a matrix NAME/ROW/COLUMN. Events are step, time, event and data,
the fields of their kind as strict JSON; of a resumed run those that hold, as rows are those that were not cut.
"""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from grokterm.export.contents import RecordedTable, contents_of, data_of, safe
from grokterm.progress import Progress
from grokterm.run.directory import RunDirectory
from grokterm.run.table import Rows


def write(run: RunDirectory, path: Path, progress: Progress) -> str:
    """Write a file a table (steps.csv, arrays/NAME.csv, …), events.csv and config.toml into the folder `path`."""
    contents = contents_of(run)
    progress.begin(contents.nbytes)
    for table in contents.tables:
        file = path / f"{table.name}.csv"
        file.parent.mkdir(exist_ok=True)
        with file.open("w", encoding="utf-8", newline="") as text:
            lines = csv.writer(text, lineterminator="\n")
            lines.writerow(list(_header(table)))
            for rows in table.blocks():
                lines.writerows(_lines(rows))
                progress.advance(rows.nbytes)
    with (path / "events.csv").open("w", encoding="utf-8", newline="") as text:
        lines = csv.writer(text, lineterminator="\n")
        lines.writerow(["step", "time", "event", "data"])
        lines.writerows([event.step, event.time, safe(event.kind), data_of(event)] for event in contents.events)
    (path / "config.toml").write_text(contents.config_text, encoding="utf-8")
    return contents.summary()


def _header(table: RecordedTable) -> Iterator[str]:
    for name in table.dtype.names or ():
        for index in np.ndindex(table.dtype[name].shape):
            yield "/".join([name, *map(str, index)])


def _lines(rows: Rows) -> Sequence[Sequence[Any]]:
    """Rows of Python's own numbers, which the csv module writes with all their digits."""
    names = rows.dtype.names or ()
    if not any(rows.dtype[name].shape for name in names):
        scalars: list[tuple[Any, ...]] = rows.tolist()
        return scalars
    columns = [rows[name].reshape(len(rows), -1).tolist() for name in names]
    return [[number for part in parts for number in part] for parts in zip(*columns, strict=True)]
