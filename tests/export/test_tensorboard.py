"""The event file as TensorBoard's own reader sees it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from grokterm.export.contents import contents_of
from grokterm.export.tensorboard import write
from grokterm.run.directory import RunDirectory
from grokterm.run.table import read_table
from tests.odd_run import BEGAN, EVENTS, ODD_NAME, Counted, record_odd


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return record_odd(tmp_path)


@pytest.fixture
def exported(tmp_path: Path, run: RunDirectory) -> Any:
    path = tmp_path / "exported"
    path.mkdir()
    progress = Counted()
    said = write(run, path, progress)
    assert said == "5 scalars, 7 events; 2 vectors and matrices are left out, --to npz has them"
    assert progress.is_complete
    events = EventAccumulator(str(path), size_guidance={"scalars": 0, "tensors": 0})
    return events.Reload()


def test_every_scalar_at_its_step_in_single_precision(exported: Any, run: RunDirectory) -> None:
    expected = {
        "steps/train_loss",
        "steps/lr",
        "tests/test_loss",
        "measures/weight_norm_sq/W_E",
        f"measures/{ODD_NAME}",
    }
    assert set(exported.Tags()["scalars"]) == expected
    for table in contents_of(run).tables[:3]:
        recorded = read_table(table.path)
        for name in table.scalars:
            found = exported.Scalars(f"{table.name}/{name}")
            assert [event.step for event in found] == recorded["step"].tolist()
            with np.errstate(over="ignore", under="ignore"):
                single = recorded[name].astype(np.float32)
            np.testing.assert_array_equal(np.array([event.value for event in found], np.float32), single)


def test_times_are_those_recorded(exported: Any) -> None:
    assert [event.wall_time for event in exported.Scalars("steps/train_loss")] == [
        BEGAN,
        BEGAN + 1 / 3,
        BEGAN + 2 / 3,
        BEGAN + 1,
    ]
    assert exported.Scalars("tests/test_loss")[-1].wall_time == BEGAN + 3  # after the last update: the run's end
    assert [event.wall_time for event in exported.Tensors("events/note")] == [BEGAN + 1, BEGAN + 1]


def test_what_happened_is_text_that_is_shown_to_the_letter(exported: Any) -> None:
    assert set(exported.Tags()["tensors"]) == {"config", *(f"events/{event['event']}" for event in EVENTS)}
    texts = {tag: [_text(event) for event in exported.Tensors(tag)] for tag in exported.Tags()["tensors"]}
    assert texts["events/edit"] == ["    knob lr, old 0.001, new inf, moments kept"]
    assert texts["events/note"] == ['    a "b",\n    <i>é ∎</i> \x1b[31m', "    nan"]
    assert texts["events/phase"] == ["    memorization, at 0, why training begins"]
    assert texts["events/state"][1:] == ["    finished"]
    assert "    seed = 3" in texts["config"][0].splitlines()
    assert [event.step for event in exported.Tensors("events/edit")] == [2]
    assert exported.SummaryMetadata("events/edit").plugin_data.plugin_name == "text"


def _text(event: Any) -> str:
    (content,) = event.tensor_proto.string_val
    return str(content.decode())
