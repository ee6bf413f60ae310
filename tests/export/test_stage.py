"""The sheet: bars as high as the norms, tokens where they lie, the playhead at the step."""

from pathlib import Path

import numpy as np
import pytest

from grokterm.export.choices import Choices
from grokterm.export.scenes import Scenes, scenes_of
from grokterm.export.stage import BAR, HEIGHT, KEY, SHOWN, WIDTH, Bars, Curve, Dots, Stage, Words, stage_of
from tests.odd_run import Counted
from tests.recorded import record
from tests.saved_circuit import record_circuit


@pytest.fixture
def scenes(tmp_path: Path) -> Scenes:
    return scenes_of(record_circuit(tmp_path), Choices(), Counted())


def bars(stage: Stage) -> dict[str, Bars]:
    return {shape.colour: shape for shape in (*stage.still, *stage.moving) if isinstance(shape, Bars)}


def words(stage: Stage) -> list[Words]:
    return [shape for shape in (*stage.still, *stage.moving) if isinstance(shape, Words)]


def test_bars_are_as_high_as_the_norms_and_key_ones_have_their_colour_and_name(scenes: Scenes) -> None:
    stage = stage_of(scenes, Choices())
    by_colour = bars(stage)
    assert {colour: shape.places.shape[1] for colour, shape in by_colour.items()} == {BAR: 9, KEY: 1, SHOWN: 1}
    heights = {colour: shape.base - shape.places[..., 1] for colour, shape in by_colour.items()}
    unit = heights[SHOWN][0, 0] / scenes.norms[0, 2]
    assert np.allclose(heights[SHOWN][:, 0], scenes.norms[:, 2] * unit)
    assert np.allclose(heights[KEY][:, 0], scenes.norms[:, 6] * unit)
    others = [k for k in range(11) if k not in (2, 6)]
    assert np.allclose(heights[BAR], scenes.norms[:, others] * unit)
    names = {shape.texts[0]: shape for shape in words(stage) if shape.bold and len(shape.texts) == 1}
    assert {"3", "7"} <= names.keys()
    assert np.allclose(names["3"].places[:, 0], by_colour[SHOWN].places[:, 0] - [0, 4])


def test_tokens_lie_around_the_middle_in_one_unit(scenes: Scenes) -> None:
    (dots,) = (shape for shape in stage_of(scenes, Choices()).moving if isinstance(shape, Dots))
    assert scenes.circle is not None
    middle = np.array([542 + 151, 66 + 151])
    seen = ~np.isnan(scenes.circle)
    ratio = ((dots.places - middle) * [1, -1])[seen] / scenes.circle[seen]
    assert np.ptp(ratio) < 1e-9
    assert np.nanmax(np.abs(dots.places - middle)) < 151


def test_everything_is_on_the_sheet(scenes: Scenes) -> None:
    stage = stage_of(scenes, Choices())
    for shape in (*stage.still, *stage.moving):
        places = shape.places[~np.isnan(shape.places).any(axis=2)]
        assert (places >= 0).all()
        assert (places <= [WIDTH, HEIGHT]).all()


def test_the_step_and_the_phase_stand_above_and_the_playhead_goes_from_end_to_end(scenes: Scenes) -> None:
    stage = stage_of(scenes, Choices())
    title = next(shape for shape in words(stage) if shape.size == 16)
    assert (title.texts[0], title.texts[-1]) == ("step 0 · memorization", "step 400 · circuit formation")
    playhead = next(shape for shape in stage.moving if isinstance(shape, Curve) and not shape.closed)
    assert playhead.places[[0, -1], 0, 0].tolist() == [52, 844]
    assert np.allclose(playhead.places[:, 0, 0], 52 + scenes.steps / 400 * 792)


def test_a_picture_of_older_tokens_says_so(scenes: Scenes) -> None:
    texts = next(shape.texts for shape in words(stage_of(scenes, Choices())) if "circle" in shape.texts[0])
    said = dict(zip(scenes.steps.tolist(), texts, strict=True))
    assert said[80] == "circle of frequency 3 · no checkpoint yet"
    assert said[100] == "circle of frequency 3"
    assert said[380] == "circle of frequency 3 · step 300"


def test_few_tokens_are_all_numbered(scenes: Scenes) -> None:
    moving = {shape.texts[0] for shape in stage_of(scenes, Choices()).moving if isinstance(shape, Words)}
    assert {str(token) for token in range(23)} <= moving


def test_without_a_circle_the_spectrum_has_its_room_and_keeps_its_key_colours(tmp_path: Path) -> None:
    stage = stage_of(scenes_of(record(tmp_path), Choices(), Counted()), Choices())
    assert {colour: shape.places.shape[1] for colour, shape in bars(stage).items()} == {BAR: 9, KEY: 2}
    assert bars(stage)[BAR].places[..., 0].max() > 700
    assert not [shape for shape in stage.moving if isinstance(shape, Dots)]
    assert not [shape for shape in words(stage) if "circle" in shape.texts[0]]


def test_the_losses_are_straight_lines_on_a_log_axis_where_they_fall_exponentially(scenes: Scenes) -> None:
    train = next(s for s in stage_of(scenes, Choices()).still if isinstance(s, Curve) and s.colour == "#56b4e9")
    x, y = train.places[0].T
    early = (x - 52) * 400 / 792 < 300
    assert np.std(np.diff(y[early]) / np.diff(x[early])) < 0.05
    assert np.nanmax(y) == y[np.isfinite(y)][-1] > y[0]


@pytest.mark.parametrize(
    ("choices", "delay"), [(Choices(), 0.24), (Choices(seconds=2.0), 0.04), (Choices(seconds=600.0), 28.47)]
)
def test_how_long_a_picture_stands(scenes: Scenes, choices: Choices, delay: float) -> None:
    stage = stage_of(scenes, choices)
    assert (stage.pictures, stage.delay) == (21, delay)
    assert stage.seconds == pytest.approx(choices.seconds or 21 * delay + 2)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e300])
def test_weights_that_diverged_leave_out_what_cannot_be_drawn(scenes: Scenes, bad: float) -> None:
    assert scenes.circle is not None
    scenes.norms[5:] = bad
    scenes.circle[5:] = bad
    scenes.norms[-1, 0] = scenes.circle[-1, 0, 0] = -bad
    stage = stage_of(scenes, Choices())
    for shape in (*stage.still, *stage.moving):
        assert not np.isinf(shape.places).any()
