"""Where a playhead goes: by time, by steps, by rows, to what a person wrote."""

import math

import numpy as np
import pytest

from grokterm.tui.replay.playhead import SPEEDS, Playhead, Timeline, comfortable_speed


def timeline(steps: int = 100, rate: float = 20.0, *, last: int | None = None) -> Timeline:
    at = np.arange(steps)
    return Timeline.of(at, 1.8e9 + at / rate, steps if last is None else last)


def test_by_time_a_second_is_a_recorded_second() -> None:
    head = Playhead(playing=True).advanced(1.0, timeline())
    assert head.step == 20
    assert Playhead(playing=True, speed=2.0).advanced(1.0, timeline()).step == 40
    assert Playhead(playing=True, speed=0.25).advanced(1.0, timeline()).step == 5


def test_by_steps_a_second_is_ten_steps() -> None:
    assert Playhead(playing=True, by_time=False).advanced(1.5, timeline()).step == 15
    assert Playhead(playing=True, by_time=False, speed=5.0).advanced(1.0, timeline()).step == 50


def test_small_moves_add_up() -> None:
    head = Playhead(playing=True, by_time=False, speed=0.25)
    for _ in range(100):
        head = head.advanced(0.05, timeline())
    assert head.position == pytest.approx(12.5)


def test_it_stops_at_the_newest_step() -> None:
    head = Playhead(playing=True, speed=1000.0).advanced(1.0, timeline())
    assert (head.position, head.playing) == (100.0, False)


def test_standing_still_it_does_not_move() -> None:
    assert Playhead(position=5).advanced(9.0, timeline()) == Playhead(position=5)


def test_a_night_of_pause_is_cut_short() -> None:
    steps = np.arange(10)
    times = np.asarray(1.8e9 + steps * 0.05, np.float64)
    times[5:] += 8 * 3600
    line = Timeline.of(steps, times, 10)
    assert line.seconds[-1] < 4
    assert Playhead(position=4.0, playing=True).advanced(2.5, line).step >= 5


def test_a_clock_that_went_back_or_was_nan_does_no_harm() -> None:
    times = np.array([10.0, -1.7e308, 1.7e308, math.nan, math.inf, 7.0])
    line = Timeline.of(np.arange(6), times, 6)
    assert np.isfinite(line.seconds).all()
    assert (np.diff(line.seconds) >= 0).all()
    assert Playhead(playing=True).advanced(100.0, line).step == 6


def test_without_recorded_times_steps_set_the_pace() -> None:
    line = Timeline.of(np.arange(50), np.zeros(0), 50)
    assert not line.has_times
    assert Playhead(playing=True).advanced(1.0, line).step == 10


def test_a_run_without_rows_has_a_place_too() -> None:
    line = Timeline.of(np.zeros(0, np.int64), np.zeros(0), 0)
    assert (line.last, Playhead(playing=True).advanced(1.0, line).step) == (0, 0)
    assert Playhead().row(1, line).step == Playhead().row(-1, line).step == 0


def test_rows_are_the_recorded_steps() -> None:
    line = Timeline.of(np.array([0, 10, 20]), np.zeros(0), 30)
    walked = [head := Playhead(), head := head.row(1, line), head := head.row(1, line), head := head.row(1, line)]
    assert [each.step for each in walked] == [0, 10, 20, 30]
    assert head.row(1, line).step == 30
    assert [head.row(-1, line).step, Playhead(position=15).row(-1, line).step, Playhead().row(-1, line).step] == [
        20,
        10,
        0,
    ]
    assert Playhead(position=15, playing=True).row(1, line) == Playhead(position=20)


def test_the_ladder_of_speeds() -> None:
    head = Playhead(speed=0.25)
    climbed = [head.speed] + [(head := head.faster(1)).speed for _ in SPEEDS[1:]]
    assert tuple(climbed) == SPEEDS
    assert head.faster(1).speed == 1000
    assert Playhead(speed=0.25).faster(-1).speed == 0.25
    assert (Playhead(speed=3.0).faster(1).speed, Playhead(speed=3.0).faster(-1).speed) == (5.0, 2.0)


@pytest.mark.parametrize(("steps", "speed"), [(100, 0.25), (16_000, 50.0), (1_000_000, 1000.0)])
def test_a_comfortable_speed_shows_the_run_in_half_a_minute(steps: int, speed: float) -> None:
    assert comfortable_speed(timeline(steps), by_time=True) == speed


def test_going_to_a_place_stays_inside_the_run() -> None:
    assert [Playhead().at(step, timeline()).position for step in (-5, 50, 1e9)] == [0.0, 50.0, 100.0]
