"""Checkpoints as files: whole or not there, named by step, never weaker than before."""

import errno
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from grokterm.errors import RunError
from grokterm.run.checkpoint import list_checkpoints, read, read_metadata, write

TENSORS = {
    "model/W_E": np.arange(12, dtype=np.float32).reshape(3, 4).T,
    "optimizer/W_E/exp_avg": np.array([np.nan, np.inf, -0.0]),
    "optimizer/W_E/step": np.array(17.0, np.float32),
    "random/torch": np.arange(5056, dtype=np.uint8),
}


def test_full_checkpoint_comes_back_bit_for_bit(tmp_path: Path) -> None:
    state = {"phase": "memorization", "best": math.inf, "knobs": {"lr": 0.001}, "seen": [1, 2]}
    path = write(tmp_path, 12_000, TENSORS, kind="full", state=state)
    assert path == tmp_path / "000012000.safetensors"
    checkpoint = read(path)
    assert (checkpoint.step, checkpoint.kind, checkpoint.state) == (12_000, "full", state)
    assert checkpoint.tensors.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert checkpoint.tensors[name].dtype == tensor.dtype
        assert checkpoint.tensors[name].shape == tensor.shape
        assert checkpoint.tensors[name].tobytes() == tensor.tobytes()
    metadata = read_metadata(path)
    assert (metadata.step, metadata.kind, metadata.state) == (12_000, "full", state)


def test_weights_never_replace_a_full_checkpoint(tmp_path: Path) -> None:
    weights = {"model/W_E": np.zeros(2)}
    write(tmp_path, 5, weights, kind="weights")
    write(tmp_path, 5, TENSORS, kind="full")
    path = write(tmp_path, 5, weights, kind="weights")
    assert read(path).kind == "full"
    assert read(path).tensors.keys() == TENSORS.keys()
    path.write_bytes(path.read_bytes()[:-1])
    write(tmp_path, 5, weights, kind="weights")
    assert read(path).kind == "weights"


def test_listing_is_sorted_and_ignores_leftovers(tmp_path: Path) -> None:
    for step in (999_999_999, 3, 1_000_000_000):
        write(tmp_path, step, {}, kind="weights")
    (tmp_path / ".000000004.safetensors.77.part").write_bytes(b"half")
    (tmp_path / "final.safetensors").write_bytes(b"")
    listed = list_checkpoints(tmp_path)
    assert [info.step for info in listed] == [3, 999_999_999, 1_000_000_000]
    assert [read_metadata(info.path).step for info in listed] == [3, 999_999_999, 1_000_000_000]
    assert list_checkpoints(tmp_path / "missing") == []


@pytest.mark.parametrize("kept", [0, 7, 100, -1])
def test_torn_checkpoint_is_named(tmp_path: Path, kept: int) -> None:
    path = write(tmp_path, 1, TENSORS, kind="full")
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(RunError, match=r"000000001\.safetensors cannot be read"):
        read(path)


def test_missing_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"000000009\.safetensors"):
        read(tmp_path / "000000009.safetensors")


@pytest.mark.parametrize(
    "metadata",
    [
        None,
        {"kind": "full"},
        {"step": "x", "kind": "full"},
        {"step": "1", "kind": "half"},
        {"step": "1", "kind": "full", "state": "["},
        {"step": "1", "kind": "full", "state": "[]"},
    ],
)
def test_safetensors_file_of_something_else_is_refused(tmp_path: Path, metadata: dict[str, str] | None) -> None:
    path = tmp_path / "000000001.safetensors"
    save_file({"x": np.zeros(2)}, path, metadata)
    with pytest.raises(RunError, match="is no checkpoint of a run"):
        read(path)


def test_failed_write_leaves_the_old_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, 1, TENSORS, kind="full", state={"old": True})

    def full_disk(file: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        write(tmp_path, 1, TENSORS, kind="full", state={"old": False})
    assert read(path).state == {"old": True}
    assert list(tmp_path.iterdir()) == [path]


def test_naming_and_listing_checkpoints_does_not_load_safetensors() -> None:
    code = "import sys, grokterm.history, grokterm.run.checkpoint; sys.exit('safetensors' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
