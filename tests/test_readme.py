"""The Python in README.md runs as it stands, in a folder with a run like those it speaks of."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from grokterm.run import checkpoint
from tests.recorded import record

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
STEPS = 400


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.strip().splitlines()[0][:40])
def test_its_python_runs(
    block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = record(tmp_path / "runs", STEPS)
    for step in (0, STEPS):
        weights = np.zeros((23, 8), np.float32)
        checkpoint.write(run.checkpoints, step, {"model/W_E": weights}, kind="weights")
    for name in set(re.findall(r"\bruns/([\w.-]+)", block)):
        shutil.copytree(run.path, tmp_path / "runs" / name, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GROKTERM_RUNS", raising=False)
    exec(compile(block, "README.md", "exec"), {"__name__": "readme"})
    assert capsys.readouterr().out  # it shows something


def test_there_is_python_to_run() -> None:
    assert len(BLOCKS) == README.count("```python") > 0
