"""RUN@STEP as people write it: which run, which checkpoint, and what is said where there is none."""

from pathlib import Path

import numpy as np
import pytest

from grokterm.errors import RunError, UsageError
from grokterm.run.checkpoint import write
from grokterm.run.directory import RunDirectory
from grokterm.run.place import checkpoint_meant, find_place
from tests.small_runs import STARTED, small_run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    runs = tmp_path / "runs"
    small_run(runs, "2027-01-15-080000-mod113", started=STARTED)
    small_run(runs, "2027-01-16-080000-a@home", started=STARTED + 1)
    small_run(runs, "2027-01-14-080000-odd@7", started=STARTED - 1)
    return runs


@pytest.mark.parametrize(
    ("place", "name", "step"),
    [
        ("-", "a@home", None),
        ("", "a@home", None),
        ("mod113", "mod113", None),
        ("mod113@600", "mod113", "600"),
        ("mod@40%", "mod113", "40%"),
        ("@12k", "a@home", "12k"),
        ("-@0", "a@home", "0"),
        ("a@home", "a@home", None),
        ("a@home@5", "a@home", "5"),
        ("mod113@soon", "mod113", "soon"),
        ("2027-01-14-080000-odd@7", "odd@7", None),
        ("odd@7@7", "odd@7", "7"),
    ],
)
def test_a_run_and_what_stands_behind_it(folder: Path, place: str, name: str, step: str | None) -> None:
    run, text = find_place(folder, place)
    assert (run.name[18:], text) == (name, step)


def test_a_path_may_have_an_at_sign(folder: Path) -> None:
    run, text = find_place(Path("elsewhere"), f"{folder}/2027-01-14-080000-odd@7")
    assert (run.name[18:], text) == ("odd@7", None)


@pytest.mark.parametrize("place", ["nobody", "nobody@600", "nobody@soon", "x" * 5000 + "@7"])
def test_no_run(folder: Path, place: str) -> None:
    with pytest.raises(RunError, match="there is no run"):
        find_place(folder, place)


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    run = RunDirectory(tmp_path / "mod113")
    run.checkpoints.mkdir(parents=True)
    for step in (0, 100, 12_000):
        write(run.checkpoints, step, {"model/w": np.zeros(2, np.float32)}, kind="weights")
    return run


@pytest.mark.parametrize(
    ("text", "step"),
    [(None, 12_000), ("100", 100), ("12k", 12_000), ("0", 0), ("100%", 12_000), ("0.9%", 100), ("40%", 100)],
)
def test_the_checkpoint_that_is_meant(run: RunDirectory, text: str | None, step: int) -> None:
    assert checkpoint_meant(run, text).step == step


@pytest.mark.parametrize(
    ("text", "nearest"),
    [("99", "0 and 100"), ("101", "100 and 12,000"), ("13k", "12,000"), ("11,999", "100 and 12,000")],
)
def test_a_step_without_a_checkpoint_names_the_nearest(run: RunDirectory, text: str, nearest: str) -> None:
    with pytest.raises(RunError, match=rf"mod113 has no checkpoint at step [\d,]+; the nearest: {nearest}$"):
        checkpoint_meant(run, text)


def test_what_is_no_step_and_a_run_without_checkpoints(run: RunDirectory, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="mod113@soon: 'soon' is no step and no percentage"):
        checkpoint_meant(run, "soon")
    with pytest.raises(UsageError, match="mod113@200%: '200%' is beyond the end"):
        checkpoint_meant(run, "200%")
    with pytest.raises(RunError, match=r"empty has no checkpoint$"):
        checkpoint_meant(RunDirectory(tmp_path / "empty"), None)
