"""The pure parts around the panels: layout, cursor and zoom, frame budget, header, edit line, colours."""

import pytest

from grokterm.drawing.colours import Palette
from grokterm.tui.knob_line import is_big_jump, understand
from grokterm.tui.layout import NARROW, arrange
from grokterm.tui.live.budget import LOST_HERE, PURSE, FrameBudget
from grokterm.tui.looks import Looks
from grokterm.tui.status import duration, hints
from grokterm.tui.terminal import markers_for

KNOBS = {"lr": 1e-3, "weight_decay": 1.0, "beta1": 0.9}


@pytest.mark.parametrize("width", range(1, 260, 7))
@pytest.mark.parametrize("height", range(1, 80, 5))
def test_layout_fits_any_terminal_and_shows_the_chosen_panel(width: int, height: int) -> None:
    for chosen in range(1, 9):
        for zoomed in (False, True):
            layout = arrange(width, height, chosen, zoomed=zoomed, log_digit=7)
            digits = [digit for row in layout.grid for digit in row]
            left = height - layout.header - layout.footer - layout.log
            assert left >= len(layout.grid)
            assert len(digits) == len(set(digits))
            assert chosen in digits or (chosen == 7 and layout.log)
            assert len({len(row) for row in layout.grid}) == 1
            assert len(digits) == 1 or (width >= NARROW and not zoomed)


def test_panels_with_something_to_show_take_the_places_of_those_without() -> None:
    def places(*filled: int, chosen: int = 1) -> list[int]:
        layout = arrange(124, 40, chosen, zoomed=False, log_digit=7, filled=filled)
        return [digit for row in layout.grid for digit in row]

    assert places(1, 2, 3, 4, 5, 6, 8, 9) == [1, 4, 3, 2]
    assert places(1, 2, 3, 8, 9) == [1, 3, 2, 9]
    assert places(1, 2, 3) == [1, 3, 2, 4]
    assert places() == [1, 4, 3, 2]
    assert places(1, 2, 3, 8, 9, chosen=8) == [1, 3, 2, 8]


def test_cursor_moves_by_cells_and_stays_inside() -> None:
    looks = Looks().moved(-1, 100, 1000)
    assert looks.cursor == 990
    assert looks.moved(-10, 100, 1000).cursor == 890
    assert looks.moved(+5, 100, 1000).cursor == 1000
    assert Looks(cursor=3).moved(-1, 100, 1000).cursor == 0
    assert Looks(cursor=5, span=(0, 20)).moved(1, 100, 1000).cursor == 6  # never less than a step


def test_cursor_on_a_log_axis_moves_by_ratio() -> None:
    looks = Looks(cursor=100, log_x=True).moved(10, 30, 1000)
    assert looks.cursor == 1000
    assert looks.moved(-10, 30, 1000).cursor == 100


def test_zoom_keeps_the_cursor_in_view_and_ends_with_everything() -> None:
    looks = Looks(cursor=900)
    for _ in range(5):
        looks = looks.zoomed(0.5, 1000)
        assert looks.span is not None
        assert looks.span[0] <= 900 <= looks.span[1]
    for _ in range(5):
        looks = looks.zoomed(2.0, 1000)
    assert looks.span is None


def test_following_slides_a_zoomed_view() -> None:
    assert Looks(span=(100, 200)).followed(250).span == (150, 250)
    assert Looks(span=(100, 200), cursor=150).followed(250).span == (100, 200)


def test_moving_out_of_a_zoomed_view_takes_it_along() -> None:
    assert Looks(span=(100, 200)).at(250).span == (150, 250)
    assert Looks(span=(100, 200)).at(50).span == (50, 150)


def test_budget_spends_no_more_than_its_share() -> None:
    budget, spent, frames = FrameBudget(0.03), 0.0, 0
    for tick in range(1000):
        now = tick * 0.1
        budget.pay(now, spent, training=True)
        if budget.may_draw(now, training=True):
            spent += 0.02
            frames += 1
            budget.drew(now)
    assert spent * LOST_HERE <= 0.03 * 100 + PURSE + 0.02 * LOST_HERE
    assert spent * LOST_HERE >= 0.9 * 0.03 * 100


def test_budget_is_not_charged_while_nothing_trains() -> None:
    budget, spent = FrameBudget(0.03), 0.0
    for tick in range(50):
        budget.pay(tick * 0.11, spent, training=False)
        assert budget.may_draw(tick * 0.11, training=False)
        budget.drew(tick * 0.11)
        spent += 0.05
    assert budget.purse == PURSE
    assert not budget.may_draw(49 * 0.11 + 0.05, training=False)  # ten frames a second at most


@pytest.mark.parametrize(
    ("text", "knob", "value"),
    [
        ("lr=2e-3", "lr", 2e-3),
        ("lr 2e-3", "lr", 2e-3),
        (" wd = 0.5 ", "weight_decay", 0.5),
        ("beta1 .95", "beta1", 0.95),
    ],
)
def test_edit_line_understands(text: str, knob: str, value: float) -> None:
    typed = understand(text, KNOBS)
    assert (typed.knob, typed.value, typed.problem) == (knob, value, "")


@pytest.mark.parametrize(
    ("text", "problem"),
    [("", "type a knob"), ("lrr 2", "did you mean 'lr'"), ("lr", "lr is 0.001"), ("lr x", "no number")],
)
def test_edit_line_says_what_is_missing(text: str, problem: str) -> None:
    assert problem in understand(text, KNOBS).problem


def test_big_jumps() -> None:
    assert is_big_jump(1e-3, 1e-2)
    assert is_big_jump(1.0, 0.0)
    assert is_big_jump(0.0, 0.1)
    assert not is_big_jump(1e-3, 5e-3)
    assert not is_big_jump(0.0, 0.0)


def test_hints_never_cut_a_key_in_half() -> None:
    for width in range(1, 100):
        text = "".join(span.text for span in hints([("space", "pause"), ("q", "quit")], width, "braille"))
        assert len(text) == width
        assert text.strip() in ("", "space pause", "space pause  q quit")


def test_durations() -> None:
    assert [duration(s) for s in (5, 65, 3661, 1e6)] == ["0:05", "1:05", "1:01:01", "11 d"]


def test_series_have_different_colours_on_every_terminal() -> None:
    series = ("train", "test", "restricted", "excluded", "norm", "fifth", "sixth")
    for colours in (16, 256, 1 << 24):
        assert len({str(Palette(colours=colours).style(name).color) for name in series}) == len(series)
    assert all(Palette(colours=0).style(name).color is None for name in series)


def test_markers_fall_back() -> None:
    assert markers_for("utf-8", "xterm-256color") == "braille"
    assert markers_for("UTF-8", "linux") == "block"
    assert markers_for("ANSI_X3.4-1968", "xterm") == "ascii"
