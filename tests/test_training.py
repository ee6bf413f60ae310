"""Training beside a screen: how a thread that fails tells why, and what it leaves behind."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from grokterm.catalog import Catalog
from grokterm.errors import RunError, TrainingError, UsageError
from grokterm.preset import read
from grokterm.run.directory import Lock, RunDirectory, create, is_alive
from grokterm.run.table import read_table
from grokterm.training import TrainingThread

TINY = """
[task]
name = "modular"
p = 5
train_fraction = 0.5
[model]
name = "transformer"
d_model = 4
n_heads = 2
d_mlp = 4
[optimizer]
name = "adamw"
[training]
steps = 3
threads = 1
device = "cpu"
"""


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    (tmp_path / "tiny.toml").write_text(TINY)
    return create(tmp_path / "runs", "tiny")


def trained(run: RunDirectory, *overrides: str, parts: Path | None = None) -> TrainingThread:
    """Train in a thread, and wait for its end."""
    catalog = Catalog(parts)
    thread = TrainingThread(run, read(run.path.parent.parent / "tiny.toml", overrides, catalog), catalog)
    thread.start()
    thread.join(60)
    assert not thread.is_alive()
    return thread


def test_run_is_locked_and_recorded(run: RunDirectory) -> None:
    assert trained(run).error is None
    assert len(read_table(run.steps_path)) == 3
    assert run.lock_path.exists()
    assert not is_alive(run)


def test_failure_is_one_sentence_and_a_traceback_in_the_log(run: RunDirectory, tmp_path: Path) -> None:
    (tmp_path / "parts" / "measures").mkdir(parents=True)
    (tmp_path / "parts" / "measures" / "odd.py").write_text(
        "from grokterm.catalog import part\n@part\ndef odd(labels):\n    raise KeyError('odd')\n"
    )
    error = trained(run, parts=tmp_path / "parts").error
    assert isinstance(error, TrainingError)
    assert str(error) == f"training failed: KeyError: 'odd' (see {run.log_path})"
    assert "def odd" not in str(error)
    assert "raise KeyError('odd')" in run.log_path.read_text()
    assert run.config_path.exists()


def test_run_that_could_not_begin_is_removed(run: RunDirectory) -> None:
    error = trained(run, "task.train_fraction=0.01").error
    assert isinstance(error, UsageError)
    assert "train_fraction = 0.01 leaves 0 of 25 pairs" in str(error)
    assert not run.path.exists()


def test_run_that_somebody_else_trains_is_left_alone(run: RunDirectory) -> None:
    run.write_config({"format": 1})
    with Lock(run):
        assert isinstance(trained(run).error, RunError)
    assert not run.steps_path.exists()
