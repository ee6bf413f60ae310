"""Tables as files that grow: nothing torn, nothing doubled, nothing promised too early."""

import errno
import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from grokterm.errors import RunError
from grokterm.run.table import TableReader, TableWriter, cut_after, last_row, read_table

STEPS = np.dtype([("step", "<i8"), ("train_loss", "<f8"), ("weight_norm_sq/W_E", "<f8")])
SPECTRUM = np.dtype([("step", "<i8"), ("value", "<f4", (5,))])


def write_rows(path: Path, start: int, stop: int) -> None:
    with TableWriter(path, STEPS) as table:
        for step in range(start, stop):
            table.append(step, step / 7, -float(step))


def assert_rows(rows: NDArray[np.void], stop: int, start: int = 0) -> None:
    assert rows.dtype == STEPS
    assert rows["step"].tolist() == list(range(start, stop))
    assert rows["train_loss"].tolist() == [step / 7 for step in range(start, stop)]
    assert rows["weight_norm_sq/W_E"].tolist() == [-float(step) for step in range(start, stop)]


def count_in_header(path: Path) -> int:
    return len(np.load(path))


def test_numpy_opens_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "steps.npy"
    write_rows(path, 0, 1000)
    assert_rows(np.load(path, allow_pickle=False), 1000)
    assert_rows(np.load(path, mmap_mode="r"), 1000)
    assert_rows(read_table(path), 1000)


def test_table_without_rows_has_columns(tmp_path: Path) -> None:
    write_rows(tmp_path / "steps.npy", 0, 0)
    assert_rows(np.load(tmp_path / "steps.npy"), 0)
    assert_rows(read_table(tmp_path / "steps.npy"), 0)


def test_vectors_and_not_finite_numbers_keep_their_bits(tmp_path: Path) -> None:
    path = tmp_path / "spectrum.npy"
    rows = [np.array([0, np.nan, np.inf, -np.inf, 1e-45], np.float32), np.arange(5, dtype=np.float32)]
    with TableWriter(path, SPECTRUM) as table:
        table.append(3, rows[0])
        table.append(4, rows[1].tolist())
    read = read_table(path)
    assert read["step"].tolist() == [3, 4]
    assert read["value"].tobytes() == np.stack(rows).tobytes()
    assert np.load(path).tobytes() == read.tobytes()


def test_vector_of_another_length_is_refused(tmp_path: Path) -> None:
    with TableWriter(tmp_path / "spectrum.npy", SPECTRUM) as table, pytest.raises(ValueError):
        table.append(3, np.zeros(4))


def test_continuing_cuts_a_torn_last_row(tmp_path: Path) -> None:
    path = tmp_path / "steps.npy"
    write_rows(path, 0, 10)
    with path.open("ab") as file:
        file.write(b"\x01" * (STEPS.itemsize - 1))
    assert_rows(read_table(path), 10)
    assert_rows(np.load(path), 10)
    write_rows(path, 10, 20)
    assert_rows(read_table(path), 20)
    assert_rows(np.load(path), 20)


def test_row_count_comes_from_the_size_when_the_header_is_stale(tmp_path: Path) -> None:
    path = tmp_path / "steps.npy"
    write_rows(path, 0, 3)
    with path.open("ab") as file:
        file.write(np.array([(3, 3 / 7, -3.0)], STEPS).tobytes())
    assert count_in_header(path) == 3
    assert_rows(read_table(path), 4)
    write_rows(path, 4, 4)
    assert count_in_header(path) == 4


def test_other_columns_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "steps.npy"
    write_rows(path, 0, 3)
    with pytest.raises(RunError, match=r"steps\.npy has other columns .*train_loss"):
        TableWriter(path, SPECTRUM)
    assert_rows(read_table(path), 3)


def test_table_in_a_missing_directory_is_a_run_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="cannot be written: No such file"):
        TableWriter(tmp_path / "missing" / "steps.npy", STEPS)


def test_reader_follows(tmp_path: Path) -> None:
    path = tmp_path / "steps.npy"
    reader = TableReader(path)
    assert reader.new_rows().dtype.names == ()
    assert reader.dtype is None
    table = TableWriter(path, STEPS)
    assert_rows(reader.new_rows(), 0)
    table.append(0, 0.0, 0.0)
    assert_rows(reader.new_rows(), 0)
    table.flush()
    assert_rows(reader.new_rows(), 1)
    assert_rows(reader.new_rows(), 0)
    table.append(1, 1 / 7, -1.0)
    table.append(2, 2 / 7, -2.0)
    table.sync()
    assert_rows(reader.new_rows(), 3, start=1)
    assert not reader.restarted
    table.close()
    table.close()


def test_reader_waits_for_the_end_of_a_torn_row(tmp_path: Path) -> None:
    path = tmp_path / "steps.npy"
    write_rows(path, 0, 2)
    reader = TableReader(path)
    row = np.array([(2, 2 / 7, -2.0)], STEPS).tobytes()
    with path.open("ab", buffering=0) as file:
        file.write(row[:5])
        assert_rows(reader.new_rows(), 2)
        file.write(row[5:])
    assert_rows(reader.new_rows(), 3, start=2)


def test_reader_starts_over_when_the_table_was_cut(tmp_path: Path) -> None:
    path = tmp_path / "steps.npy"
    write_rows(path, 0, 10)
    reader = TableReader(path)
    reader.new_rows()
    os.truncate(path, path.stat().st_size - 4 * STEPS.itemsize)
    assert_rows(reader.new_rows(), 6)
    assert reader.restarted
    assert_rows(reader.new_rows(), 0)
    assert not reader.restarted


def test_reader_starts_over_when_the_table_was_replaced(tmp_path: Path) -> None:
    path = tmp_path / "steps.npy"
    write_rows(path, 0, 3)
    reader = TableReader(path)
    reader.new_rows()
    write_rows(tmp_path / "other.npy", 0, 9)
    (tmp_path / "other.npy").replace(path)
    assert_rows(reader.new_rows(), 9)
    assert reader.restarted


def npy_bytes(array: NDArray[np.generic], *, pickle: bool = False) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=pickle)
    return file.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"step,train_loss\n0,1\n", id="not npy"),
        pytest.param(b"\x93NUMPY\x01\x00\x76\x00{'descr'", id="torn header"),
        pytest.param(b"\x93NUMPY\x01\x00\x10\x00" + b"(" * 15 + b"\n", id="unclosed brackets"),
        pytest.param(b"\x93NUMPY\x01\x00\x20\x00" + b"__import__('os').getcwd()".ljust(31) + b"\n", id="code"),
        pytest.param(npy_bytes(np.zeros(4)), id="plain numbers"),
        pytest.param(npy_bytes(np.zeros((2, 2), STEPS)), id="two dimensions"),
        pytest.param(
            npy_bytes(np.array([(1, "x")], [("step", "<i8"), ("text", "O")]), pickle=True), id="pickled objects"
        ),
    ],
)
def test_file_that_is_no_table_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "tests.npy"
    path.write_bytes(content)
    with pytest.raises(RunError, match=r"tests\.npy"):
        read_table(path)


def test_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"tests\.npy is missing"):
        read_table(tmp_path / "tests.npy")


@pytest.mark.parametrize("fits", [0, 1, 3 * STEPS.itemsize + 7])
def test_full_disk_loses_tears_and_doubles_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fits: int) -> None:
    """The disk takes some bytes of the second flush, then none; later it has room again."""
    path = tmp_path / "steps.npy"
    write_at = os.pwrite
    room = fits

    def pwrite(file: int, content: bytes, offset: int) -> int:
        nonlocal room
        if room == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = write_at(file, content[:room], offset)
        room -= written
        return written

    table = TableWriter(path, STEPS)
    for step in range(10):
        table.append(step, step / 7, -float(step))
        if step == 4:
            table.flush()
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", pwrite)
        for _ in range(2):
            with pytest.raises(OSError, match="No space left"):
                table.flush()
            assert_rows(np.load(path), 5)
            assert_rows(read_table(path), 5 + fits // STEPS.itemsize)
            room = fits
    table.append(10, 10 / 7, -10.0)
    table.close()
    assert_rows(np.load(path), 11)
    assert_rows(read_table(path), 11)


LIMITED = """
import resource, sys
from pathlib import Path
from grokterm.run.table import TableWriter
table = TableWriter(Path(sys.argv[1]), [("step", "<i8"), ("train_loss", "<f8"), ("weight_norm_sq/W_E", "<f8")])
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
for step in range(100):
    table.append(step, step / 7, -float(step))
try:
    table.flush()
except OSError as error:
    print(error.errno, flush=True)
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
table.close()
"""


def test_file_size_limit_of_a_real_process_is_survived(tmp_path: Path) -> None:
    path = tmp_path / "steps.npy"
    done = subprocess.run([sys.executable, "-c", LIMITED, str(path)], capture_output=True, text=True, check=True)
    assert int(done.stdout) == errno.EFBIG
    assert_rows(np.load(path), 100)
    assert path.stat().st_size == len(npy_bytes(np.zeros(0, STEPS))) + 100 * STEPS.itemsize


ENDLESS = """
import sys
from itertools import count
from pathlib import Path
from grokterm.run.table import TableWriter
table = TableWriter(Path(sys.argv[1]), [("step", "<i8"), ("train_loss", "<f8"), ("weight_norm_sq/W_E", "<f8")])
for step in count(table.rows):
    table.append(step, step / 7, -float(step))
    if step % 7 == 0:
        table.flush()
"""


def test_killed_writer_leaves_whole_rows_and_can_be_continued(tmp_path: Path) -> None:
    """Two writers are killed while they append; np.load, a map and a reader look on all the time."""
    path = tmp_path / "steps.npy"
    reader = TableReader(path)
    seen = 0
    for wanted in (2_000, 4_000):
        with subprocess.Popen([sys.executable, "-c", ENDLESS, str(path)]) as writer:
            try:
                deadline = time.monotonic() + 30
                while seen < wanted and time.monotonic() < deadline:
                    rows = reader.new_rows()
                    if reader.dtype is not None:
                        assert_rows(rows, seen + len(rows), start=seen)
                        seen += len(rows)
                        whole, mapped = np.load(path), np.load(path, mmap_mode="r")
                        assert whole["step"].tolist() == list(range(len(whole)))
                        assert mapped["step"].tolist() == list(range(len(mapped)))
                        assert len(whole) <= len(mapped)
                        del mapped
            finally:
                writer.send_signal(signal.SIGKILL)
        assert seen >= wanted
    rows = read_table(path)
    assert_rows(rows, len(rows))
    write_rows(path, len(rows), len(rows) + 5)
    assert_rows(np.load(path), len(rows) + 5)


def test_last_row_is_the_last_complete_one(tmp_path: Path) -> None:
    path = tmp_path / "steps.npy"
    assert last_row(path) is None
    path.touch()
    assert last_row(path) is None
    write_rows(path, 0, 0)
    assert last_row(path) is None
    for rows in (1, 9, 10, 1000):  # counts of different lengths in the header
        write_rows(path, 0 if rows == 1 else int(read_table(path)["step"][-1]) + 1, rows)
        row = last_row(path)
        assert row is not None
        assert (row["step"], row["train_loss"]) == (rows - 1, (rows - 1) / 7)
    with path.open("ab") as file:
        file.write(b"torn")
    assert (row := last_row(path)) is not None
    assert row["step"] == 999


def test_last_rows_of_tables_with_other_columns_are_not_mixed_up(tmp_path: Path) -> None:
    for name, dtype in (("a", STEPS), ("b", [("step", "<i8"), ("train_loss", "<f8"), ("weight_norm_sq/W_U", "<f8")])):
        with TableWriter(tmp_path / f"{name}.npy", dtype) as table:
            table.append(3, 0.5, 0.25)
    rows = [last_row(tmp_path / f"{name}.npy") for name in "ab"]
    names = [row.dtype.names[-1] for row in rows if row is not None and row.dtype.names]
    assert names == ["weight_norm_sq/W_E", "weight_norm_sq/W_U"]


def test_last_row_of_a_vector_has_its_shape(tmp_path: Path) -> None:
    path = tmp_path / "spectrum.npy"
    with TableWriter(path, SPECTRUM) as table:
        table.append(3, np.arange(5))
    row = last_row(path)
    assert row is not None
    assert row["value"].tolist() == [0, 1, 2, 3, 4]


def test_last_row_of_what_is_no_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "steps.npy").write_bytes(b"what is this?")
    with pytest.raises(RunError, match=r"steps\.npy does not begin with a \.npy header"):
        last_row(tmp_path / "steps.npy")
    np.save(tmp_path / "plain.npy", np.arange(3))
    with pytest.raises(RunError, match=r"plain\.npy is not a table"):
        last_row(tmp_path / "plain.npy")
    with pytest.raises(RunError, match="cannot be read: Is a directory"):
        last_row(tmp_path)


@pytest.mark.parametrize(("step", "kept"), [(-1, 0), (0, 1), (99, 100), (110, 111), (119, 120), (500, 120)])
def test_cutting_keeps_the_header_true(tmp_path: Path, step: int, kept: int) -> None:
    path = tmp_path / "steps.npy"
    write_rows(path, 0, 120)
    cut_after(path, step)
    assert_rows(read_table(path), kept)
    assert count_in_header(path) == kept
    write_rows(path, kept, 130)
    assert_rows(np.load(path), 130)


def test_rows_are_cut_after_the_count_is_lowered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "steps.npy"
    write_rows(path, 0, 120)

    def die(file: int, size: int) -> None:
        raise OSError(errno.EIO, "killed here")

    monkeypatch.setattr(os, "ftruncate", die)
    with pytest.raises(RunError, match="cannot be cut"):
        cut_after(path, 9)
    assert count_in_header(path) == 10
    assert_rows(read_table(path), 120)


def test_cutting_what_is_not_there_does_nothing(tmp_path: Path) -> None:
    cut_after(tmp_path / "steps.npy", 3)
    assert not (tmp_path / "steps.npy").exists()


@pytest.mark.parametrize("end", ["(12", "(12,", "(12,)), }", "(120, }", "(12,) }", "(129,), }"])
def test_a_count_that_is_half_an_old_and_half_a_new_one_is_no_matter(tmp_path: Path, end: str) -> None:
    path = tmp_path / "steps.npy"
    write_rows(path, 0, 12)
    content = path.read_bytes()
    begin = content.index(b"(12,), }")
    path.write_bytes(content[:begin] + end.encode().ljust(len(b"(12,), }")) + content[begin + len(end.ljust(8)) :])
    assert_rows(read_table(path), 12)
    write_rows(path, 12, 15)
    assert_rows(np.load(path), 15)
