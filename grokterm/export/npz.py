"""NumPy's .npz: one file that `np.load` opens, tables as structured arrays under their names.

data = np.load("run.npz")
data["steps"]["train_loss"], data["arrays/fourier_embedding"]["value"]
json.loads(str(data["events"])), tomllib.loads(str(data["config"]))
"""

import zipfile
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy

from grokterm.export.contents import RecordedTable, contents_of, line_of
from grokterm.progress import Progress
from grokterm.run.directory import RunDirectory


def write(run: RunDirectory, path: Path, progress: Progress) -> str:
    """Write the file `path`: every table under its name, and as texts events (JSON) and config (TOML)."""
    contents = contents_of(run)
    progress.begin(contents.nbytes)
    events = f"[{', '.join(line_of(event) for event in contents.events)}]"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for table in contents.tables:
            with archive.open(f"{table.name}.npy", "w", force_zip64=True) as file:
                _write_table(table, file, progress)
        for name, text in (("events", events), ("config", contents.config_text)):
            with archive.open(f"{name}.npy", "w") as file:
                npy.write_array(file, np.array(text), allow_pickle=False)
    return contents.summary()


def _write_table(table: RecordedTable, file: IO[bytes], progress: Progress) -> None:
    """Write what np.save would, a block at a time instead of all rows at once."""
    description = {"descr": npy.dtype_to_descr(table.dtype), "fortran_order": False, "shape": (table.rows,)}
    npy.write_array_header_1_0(file, description)
    for rows in table.blocks():
        file.write(rows.tobytes())
        progress.advance(rows.nbytes)
