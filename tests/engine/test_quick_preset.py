"""The packaged quick preset does what its file promises: it groks within 600 steps."""

import subprocess
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
SECONDS = 400
"""About a minute on two quiet cores; a busy machine gets more."""


def test_quick_preset_groks(tmp_path: Path) -> None:
    arguments = ["run", "presets/mod113-quick", "--headless", "--seed=0", "--steps=600", f"--runs={tmp_path}"]
    subprocess.run(
        [sys.executable, "-m", "grokterm", *arguments], cwd=ROOT, stdin=subprocess.DEVNULL, timeout=SECONDS, check=True
    )
    (tests,) = tmp_path.glob("*/tests.npy")
    rows = np.load(tests)
    assert rows["step"].max() <= 600
    assert rows["test_accuracy"].max() >= 0.99
