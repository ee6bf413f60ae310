"""task.npz: what was learned comes back as it was, and a file that is none is told in a sentence."""

import contextlib
import io
import os
import random
import re
import zipfile
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grokterm.errors import RunError
from grokterm.run.recorded_task import RecordedTask, read, write
from grokterm.tasks.modular import modular


def addition(p: int = 5) -> RecordedTask:
    return modular(p=p, train_fraction=0.4).recorded()


def arrays(task: RecordedTask) -> dict[str, Any]:
    return {field.name: np.asarray(getattr(task, field.name)) for field in fields(task)}


def stored(path: Path, **changed: Any) -> Path:
    """A file with some of a good one's arrays changed; None leaves one out."""
    whole = {**arrays(addition()), **changed}
    content = io.BytesIO()
    np.savez(content, **{name: array for name, array in whole.items() if array is not None})
    path.write_bytes(content.getvalue())
    return path


def test_comes_back(tmp_path: Path) -> None:
    task = addition()
    write(tmp_path / "task.npz", task)
    found = read(tmp_path / "task.npz")
    for name, array in arrays(task).items():
        np.testing.assert_array_equal(getattr(found, name), array)
    assert (found.p, found.n_classes) == (5, 5)


def test_comes_back_without_sums(tmp_path: Path) -> None:
    write(tmp_path / "task.npz", replace(addition(), p=0, sums=None))
    found = read(tmp_path / "task.npz")
    assert found.sums is None
    assert not found.is_grid


def test_grid() -> None:
    task = addition()
    assert task.is_grid
    assert not replace(task, inputs=task.inputs[::-1]).is_grid
    assert not replace(task, inputs=task.inputs[:, :2]).is_grid


def test_missing_file_names_what_makes_it(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"has no task\.npz.*grokterm measure"):
        read(tmp_path / "task.npz")


def test_torn_anywhere(tmp_path: Path) -> None:
    path = tmp_path / "task.npz"
    write(path, addition())
    whole = path.read_bytes()
    for size in range(0, len(whole), 97):
        path.write_bytes(whole[:size])
        with pytest.raises(RunError, match=r"task\.npz"):
            read(path)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"labels": None}, "has no labels"),
        ({"labels": np.full(25, 5)}, "labels has values"),
        ({"labels": np.zeros(25)}, "labels holds no whole numbers"),
        ({"labels": np.zeros((25, 1), int)}, "do not fit together"),
        ({"inputs": np.zeros((24, 3), int)}, "do not fit together"),
        ({"inputs": np.full((25, 3), 1 << 63, np.uint64)}, "inputs has values"),
        ({"train": np.array([25])}, "train has values"),
        ({"test": np.array([-1])}, "test has values"),
        ({"test": np.zeros((2, 2), int)}, "test has the shape"),
        ({"sums": np.zeros(24, int)}, "sums has the shape"),
        ({"p": np.array([5, 5])}, "no size"),
        ({"n_classes": np.array(0)}, "no size"),
    ],
)
def test_other_content(tmp_path: Path, changed: dict[str, Any], said: str) -> None:
    with pytest.raises(RunError, match=said):
        read(stored(tmp_path / "task.npz", **changed))


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    class Harmful:
        def __reduce__(self) -> Any:
            return os.mkdir, (str(tmp_path / "harmed"),)

    content = io.BytesIO()
    np.savez(content, **{**arrays(addition()), "labels": np.array([Harmful()], dtype=object)})
    (tmp_path / "task.npz").write_bytes(content.getvalue())
    with pytest.raises(RunError, match="cannot be read as the task of a run"):
        read(tmp_path / "task.npz")
    assert not (tmp_path / "harmed").exists()


def test_content_larger_than_any_task_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "task.npz"
    content = io.BytesIO()
    np.savez_compressed(content, inputs=np.zeros((1 << 25) + 1000, np.int64))  # a few kB that claim 256 MB
    path.write_bytes(content.getvalue())
    with pytest.raises(RunError, match="claims more numbers"):
        read(path)


def test_any_damage_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "task.npz"
    for write_it in (lambda: write(path, addition()), lambda: stored(path)):
        write_it()
        whole = path.read_bytes()
        for seed in range(300):
            draw = random.Random(seed)
            damaged = bytearray(whole)
            for _ in range(draw.randint(1, 3)):
                damaged[draw.randrange(len(damaged))] = draw.randrange(256)
            path.write_bytes(damaged)
            with contextlib.suppress(RunError):
                read(path)


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '<i8', 'fortran_order': False, 'shape': (100000000000000,), }",
        "{'descr': '<i8', 'fortran_order': False, 'shape': (-1,), }",
        "{'descr': '<i8', 'fortran_order': False, 'shape': (" + "9" * 400 + ",), }",
        "{'descr': '<i8', 'fortran_order': False, 'shape': (25L,), }",
        "{'descr': '|O', 'fortran_order': False, 'shape': (25,), }",
        "{'descr': '<i8', 'fortran_order': False, 'shape': (25,), ",
        "(" * 3000,
        "",
    ],
)
def test_a_header_that_claims_anything(tmp_path: Path, header: str) -> None:
    path = stored(tmp_path / "task.npz")
    with zipfile.ZipFile(path) as file:
        entries = {entry.filename: file.read(entry) for entry in file.infolist()}
    text = header.encode() + b"\n"
    entries["labels.npy"] = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + bytes(25 * 8)
    with zipfile.ZipFile(path, "w") as file:
        for name, content in entries.items():
            file.writestr(name, content)
    with pytest.raises(RunError, match=r"task\.npz cannot be read as the task of a run"):
        read(path)


def test_an_encrypted_file(tmp_path: Path) -> None:
    path = stored(tmp_path / "task.npz")
    content = bytearray(path.read_bytes())
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        for begin in (found.start() for found in re.finditer(re.escape(mark), bytes(content))):
            content[begin + at] |= 1
    path.write_bytes(content)
    with pytest.raises(RunError, match=r"task\.npz cannot be read as the task of a run.*encrypted"):
        read(path)


def test_what_is_no_plain_file_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "task.npz"
    os.mkfifo(path)
    with pytest.raises(RunError, match=r"task\.npz cannot be read as the task of a run: it is no plain file"):
        read(path)
    path.unlink()
    path.symlink_to("/dev/zero")
    with pytest.raises(RunError, match=r"task\.npz cannot be read as the task of a run"):
        read(path)


def test_real_inputs_come_back_as_they_were(tmp_path: Path) -> None:
    inputs = np.array([[0.5, -1.25], [-0.0, 3e-8], [1, 2]], dtype=np.float32)
    labels, rows = np.array([0, 1, 1]), np.arange(3)
    write(tmp_path / "task.npz", RecordedTask(inputs, labels, rows[:2], rows[2:], n_classes=2))
    found = read(tmp_path / "task.npz")
    assert found.inputs.dtype == np.float32
    assert found.inputs.tobytes() == inputs.tobytes()
    assert not found.is_grid
