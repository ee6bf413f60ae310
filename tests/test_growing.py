"""Columns that keep only the latest rows."""

from pathlib import Path

import numpy as np

from grokterm.growing import Column, Table
from grokterm.run.table import TableWriter


def test_column_forgets_what_is_old_and_leaves_views_alone() -> None:
    column = Column(np.float64, (), most=10)
    seen = column.view()
    for value in range(1000):
        column.extend(np.array([float(value)]), 0)
        if value == 15:
            seen = column.view()
    assert 10 <= len(column.view()) <= 21
    assert column.view()[-10:].tolist() == list(range(990, 1000))
    assert seen.tolist() == list(range(16))


def test_column_without_a_limit_keeps_everything() -> None:
    column = Column(np.float64, ())
    for value in range(5000):
        column.extend(np.array([float(value)]), 0)
    assert len(column.view()) == 5000


def test_table_of_the_latest_rows(tmp_path: Path) -> None:
    path = tmp_path / "steps.npy"
    with TableWriter(path, [("step", "<i8"), ("loss", "<f8")]) as writer:
        table = Table(path, most=100)
        for step in range(3000):
            writer.append(step, step / 2)
            if step % 30 == 29:
                writer.flush()
                table.poll()
                steps, losses = table.steps(), table.columns["loss"].view()
                assert len(steps) == len(losses) <= 231
                assert steps[-1] == step
                np.testing.assert_array_equal(losses, steps / 2)
