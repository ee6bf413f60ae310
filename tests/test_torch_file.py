"""Files of torch.save made of NumPy's arrays, and a disk that is full."""

from pathlib import Path

import numpy as np
import pytest
import torch

from grokterm.torch_file import save


def test_arrays_and_dtypes_become_torchs_and_all_else_stays(tmp_path: Path) -> None:
    values = {
        "model": {
            "w": np.arange(6, dtype=np.float32).reshape(2, 3),
            "mask": np.array([True, False]),
            "one": np.array(-np.inf),
        },
        "checkpoints": [{"w": np.zeros((0, 2))}, {}],
        "losses": [1.5, float("nan"), float("inf")],
        "config": {"dtype": np.dtype(np.float64), "name": None, "seed": 3, "betas": (0.9, 0.98)},
    }
    save(values, tmp_path / "file")
    loaded = torch.load(tmp_path / "file", weights_only=True)
    assert loaded["model"]["w"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert [loaded["model"][name].dtype for name in ("w", "mask", "one")] == [torch.float32, torch.bool, torch.float64]
    assert loaded["model"]["one"].shape == ()
    assert loaded["checkpoints"][0]["w"].shape == (0, 2)
    assert loaded["losses"][0] == 1.5
    assert np.isnan(loaded["losses"][1])
    assert loaded["config"] == {"dtype": torch.float64, "name": None, "seed": 3, "betas": (0.9, 0.98)}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("size", [3, 1_000_000])
def test_a_full_disk_is_an_os_error(size: int) -> None:
    with pytest.raises(OSError, match="No space left"):
        save({"w": np.zeros(size)}, Path("/dev/full"))
