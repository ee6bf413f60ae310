"""What an animation shows at each step is what was recorded last, and nothing else."""

from pathlib import Path

import numpy as np
import pytest

from grokterm.circuit.embedding import on_circle
from grokterm.circuit.waves import component_norms, paired, waves
from grokterm.errors import RunError, UsageError
from grokterm.export.choices import Choices
from grokterm.export.scenes import Scenes, scenes_of
from grokterm.run.checkpoint import write
from grokterm.run.directory import RunDirectory
from grokterm.run.table import read_table
from tests.odd_run import Counted
from tests.recorded import P, record
from tests.saved_circuit import embedding, record_circuit


def scenes(run: RunDirectory, **choices: object) -> Scenes:
    return scenes_of(run, Choices(**choices), Counted())  # type: ignore[arg-type]


def test_with_few_checkpoints_every_row_is_a_picture_and_tokens_stay_until_the_next_one(tmp_path: Path) -> None:
    run = record_circuit(tmp_path)
    shown = scenes(run)
    rows = read_table(run.arrays / "fourier_embedding.npy")
    assert shown.steps.tolist() == sorted({*range(0, 400, 20), 100, 200, 300, 400})
    assert shown.circle is not None
    for number, step in enumerate(shown.steps.tolist()):
        saved = step // 100 * 100
        if step % 100:
            recorded = paired(rows["value"][rows["step"] == step])[0]
            assert np.array_equal(shown.norms[number], recorded)
        if not saved:
            assert shown.circle_steps[number] == -1
            assert np.isnan(shown.circle[number]).all()
            continue
        W_E = embedding(saved).astype(np.float32)[:P].astype(np.float64)
        assert shown.circle_steps[number] == saved
        assert np.allclose(shown.circle[number], on_circle(W_E, waves(P)[shown.frequency - 1]))
        if step == saved:
            assert np.allclose(shown.norms[number], paired(component_norms(W_E)))


def test_with_many_checkpoints_every_picture_is_one(tmp_path: Path) -> None:
    shown = scenes(record_circuit(tmp_path, every=10))
    assert shown.steps.tolist() == list(range(10, 401, 10))
    assert shown.circle_steps.tolist() == shown.steps.tolist()


def test_the_circle_is_that_of_the_largest_frequency_at_the_end_unless_one_is_asked_for(tmp_path: Path) -> None:
    run = record_circuit(tmp_path)
    assert (scenes(run).frequency, scenes(run).keys) == (3, (3, 7))
    seventh = scenes(run, frequency=7)
    assert seventh.frequency == 7
    assert seventh.circle is not None
    radii = np.sqrt(np.square(seventh.circle[-1]).sum(axis=1))
    assert np.allclose(radii, 5 * np.sqrt(2 / P), atol=0.15)
    with pytest.raises(UsageError, match=r"--frequency 12: the frequencies of p = 23 are 1 to 11"):
        scenes(run, frequency=12)


def test_the_circle_grows(tmp_path: Path) -> None:
    circle = scenes(record_circuit(tmp_path, every=10)).circle
    assert circle is not None
    size = np.sqrt(np.square(circle).sum(axis=2).mean(axis=1))
    assert size[-1] > 5 * size[0]


def test_a_range_of_steps_shows_what_still_held_at_its_beginning(tmp_path: Path) -> None:
    shown = scenes(record_circuit(tmp_path), first="230", last="75%")
    assert shown.steps.tolist() == [240, 260, 280, 300]
    assert shown.circle_steps.tolist() == [200, 200, 200, 300]
    assert (shown.span, shown.phases[0]) == ((230, 300), "circuit formation")


@pytest.mark.parametrize(("choices", "most"), [({"frames": 7}, 7), ({"seconds": 0.4}, 5), ({"frames": 2}, 2)])
def test_pictures_are_spread_evenly_where_there_are_more_than_wanted(
    tmp_path: Path, choices: dict[str, float], most: int
) -> None:
    steps = scenes(record_circuit(tmp_path, every=10), **choices).steps
    assert len(steps) == most
    assert (steps[0], steps[-1]) == (10, 400)
    assert np.ptp(np.diff(steps)) <= 10


def test_more_pictures_than_usual_are_given_to_those_who_ask(tmp_path: Path) -> None:
    run = record_circuit(tmp_path, steps=400, every=2)
    assert len(scenes(run).steps) == 120
    assert len(scenes(run, frames=1000).steps) == 200


def test_without_checkpoints_there_is_no_circle(tmp_path: Path) -> None:
    shown = scenes(record(tmp_path))
    assert shown.circle is None
    assert shown.steps.tolist() == list(range(0, 400, 20))
    assert shown.frequency in (3, 7)


def test_checkpoints_alone_are_enough(tmp_path: Path) -> None:
    run = record_circuit(tmp_path)
    for path in run.arrays.iterdir():
        path.unlink()
    with pytest.raises(RunError, match=r"no odd p in the \[task\] of its run\.toml and no array fourier_embedding, so"):
        scenes(run)
    run.config_path.write_text(run.config_path.read_text() + "\n[task]\np = 23\n")
    shown = scenes(run)
    assert shown.steps.tolist() == [100, 200, 300, 400]
    assert (shown.p, shown.keys) == (23, ())


def test_a_run_without_either_is_refused(tmp_path: Path) -> None:
    run = record(tmp_path)
    (run.arrays / "fourier_embedding.npy").unlink()
    with pytest.raises(RunError, match=r"has no model/W_E in a checkpoint and no array fourier_embedding"):
        scenes(run)
    write(run.checkpoints, 100, {"model/other": np.zeros(3, np.float32)}, kind="weights")
    with pytest.raises(RunError, match=r"has no model/W_E in a checkpoint and no array fourier_embedding"):
        scenes(run)


def test_an_embedding_of_another_size_is_refused_by_name(tmp_path: Path) -> None:
    run = record_circuit(tmp_path)
    write(run.checkpoints, 250, {"model/W_E": np.zeros((9, 4), np.float32)}, kind="weights")
    with pytest.raises(RunError, match=r"000000250\.safetensors holds no model/W_E of 23 tokens"):
        scenes(run)


def test_one_state_does_not_move(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="at fewer than two steps from step 370 to 390: nothing would move"):
        scenes(record(tmp_path), first="370", last="390")


def test_too_long_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--seconds 601: an animation takes at most 600"):
        scenes(record(tmp_path), seconds=601.0)
