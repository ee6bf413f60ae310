"""The pure parts of the microscope: which checkpoint, what is looked at, what g understands, layout, pace, header."""

import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from grokterm.circuit.circuit import Circuit
from grokterm.circuit.losses import Losses
from grokterm.drawing.cells import Row
from grokterm.run.checkpoint import write
from grokterm.tui.microscope.about import About, AboutLens
from grokterm.tui.microscope.checkpoints import Checkpoints, Saved
from grokterm.tui.microscope.going import Goal, understand
from grokterm.tui.microscope.header import Stand, header, strip
from grokterm.tui.microscope.layout import arrange_page
from grokterm.tui.microscope.lens import Subject
from grokterm.tui.microscope.looking import Looking, Sizes
from grokterm.tui.microscope.pace import Pace
from grokterm.tui.microscope.workshop import Opened
from tests.random_circuit import grid_task, random_circuit, random_network
from tests.small_lenses import SmallLens, small_lenses

SIZES = Sizes(neurons=512, heads=4, frequencies=56)
KEYS = tuple("1234567890w")


# -- checkpoints


def newest(checkpoints: Checkpoints) -> int | None:
    return None if checkpoints.newest is None else checkpoints.newest.step


def save(folder: Path, *steps: int) -> None:
    folder.mkdir(exist_ok=True)
    for step in steps:
        write(folder, step, {"model/x": np.zeros(1)}, kind="weights")


def test_the_nearest_checkpoint_is_found_and_the_next_ones(tmp_path: Path) -> None:
    save(tmp_path, 100, 200, 500)
    checkpoints = Checkpoints(tmp_path)
    assert checkpoints.nearest(7) is None
    assert checkpoints.moved(7, 1) is None
    assert checkpoints.poll()
    nearest = {step: checkpoints.nearest(step).step for step in (0, 149, 150, 151, 340, 360, 10_000)}  # type: ignore[union-attr]
    assert nearest == {0: 100, 149: 100, 150: 100, 151: 200, 340: 200, 360: 500, 10_000: 500}
    assert [checkpoints.moved(200, by).step for by in (-10, -1, 0, 1, 10)] == [100, 100, 200, 500, 500]  # type: ignore[union-attr]
    assert [checkpoints.place(step) for step in (100, 200, 500)] == [1, 2, 3]
    assert len(checkpoints) == 3


def test_checkpoints_come_and_go(tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints"
    checkpoints = Checkpoints(folder)
    assert not checkpoints.poll()
    assert newest(checkpoints) is None
    save(folder, 100)
    assert checkpoints.poll()
    assert not checkpoints.poll()
    save(folder, 200)
    assert checkpoints.poll()
    assert newest(checkpoints) == 200
    (folder / "000000200.safetensors").unlink()
    assert checkpoints.poll()
    assert newest(checkpoints) == 100


def test_a_directory_at_rest_is_not_listed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path, 100)
    os.utime(tmp_path, (1e9, 1e9))
    checkpoints = Checkpoints(tmp_path)
    checkpoints.poll()
    monkeypatch.setattr("grokterm.tui.microscope.checkpoints.list_checkpoints", lambda _: pytest.fail("listed"))
    assert not checkpoints.poll()


def test_a_file_in_the_place_of_another_is_another(tmp_path: Path) -> None:
    save(tmp_path, 100)
    checkpoints = Checkpoints(tmp_path)
    checkpoints.poll()
    info = checkpoints.newest
    assert info is not None
    before = Saved.seen(info)
    assert before == Saved.seen(info)
    save(tmp_path, 100)
    assert Saved.seen(info) != before
    info.path.unlink()
    assert Saved.seen(info) is None


# -- what is looked at


def test_the_one_that_is_shown_stays_among_those_there_are() -> None:
    looking = Looking("1")
    assert looking.at("neuron", 700, SIZES).subject.neuron == 511
    assert looking.at("neuron", -3, SIZES).subject.neuron == 0
    assert looking.at("head", 9, SIZES).subject.head == 3
    assert looking.at("frequency", 0, SIZES).subject.frequency == 1
    assert looking.at("frequency", 99, SIZES).subject.frequency == 56
    assert looking.at("", 3, SIZES) == looking


def test_every_picture_has_its_own_cursor_within_its_extent() -> None:
    looking = Looking("1").moved(10, 0, (4, 3))
    assert looking.sight("1").cursor == (0, 0)
    looking = looking.moved(10, 0, (4, 3)).moved(0, 1, (4, 3))
    assert looking.sight("1").cursor == (3, 1)
    assert looking.sight("2").cursor is None
    assert looking.moved(-1, -9, (4, 3)).sight("1").cursor == (2, 0)
    assert looking.without_cursor().sight("1").cursor is None


def test_the_scale_is_that_of_one_picture() -> None:
    looking = Looking("1").with_flipped_scale()
    assert looking.sight("1").flipped
    assert not looking.sight("2").flipped
    assert not looking.with_flipped_scale().sight("1").flipped


# -- g


@pytest.mark.parametrize(
    ("text", "shown", "goal"),
    [
        ("17", "neuron", Goal("neuron", 17)),
        ("17", "frequency", Goal("frequency", 17)),
        ("neuron 17", "head", Goal("neuron", 17)),
        ("n17", "", Goal("neuron", 17)),
        (" k = 14 ", "neuron", Goal("frequency", 14)),
        ("freq=56", "neuron", Goal("frequency", 56)),
        ("head 3", "", Goal("head", 3)),
        ("step 17", "neuron", Goal("step", 17)),
        ("12k", "neuron", Goal("step", 12_000)),
        ("40%", "neuron", Goal("step", 400)),
        ("12,000", "neuron", Goal("step", 12_000)),
    ],
)
def test_what_g_understands(text: str, shown: str, goal: Goal) -> None:
    assert understand(text, shown, SIZES, 1000) == goal  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("neuron 512", "there is no neuron 512: they go from 0 to 511"),
        ("frequency 0", "there is no frequency 0: they go from 1 to 56"),
        ("57", "there is no frequency 57: they go from 1 to 56"),
        ("neurn 3", "there is no 'neurn' to go to; did you mean 'neuron'?"),
        ("head", "'' is no number of a head; write head 2"),
        ("neuron ٣", "is no number of a neuron"),
        ("head " + "9" * 5000, "is no number of a head"),
        ("-3", "'-3' is no step"),
        ("", "'' is no step"),
        ("[red]x", "no step"),
    ],
)
def test_what_g_does_not_understand(text: str, expected: str) -> None:
    goal = understand(text, "frequency", SIZES, 1000)
    assert goal.what == ""
    assert expected in goal.problem


def test_a_number_alone_is_asked_about_where_it_could_be_anything() -> None:
    assert understand("14", "", SIZES, 1000) == Goal(
        problem="14 of what? Write step 14, neuron 14, head 14 or frequency 14"
    )


def test_before_sizes_are_known_any_number_will_do() -> None:
    assert understand("neuron 4000", "", None, 0) == Goal("neuron", 4000)


# -- layout


@pytest.mark.parametrize("width", range(1, 320, 13))
@pytest.mark.parametrize("height", range(1, 100, 7))
def test_a_page_fits_any_terminal_and_shows_the_chosen_picture(width: int, height: int) -> None:
    for chosen in KEYS:
        for zoomed in (False, True):
            page = arrange_page(width, height, KEYS, chosen, zoomed=zoomed)
            left = height - page.header - page.strip - page.footer
            assert left >= len(page.grid) >= 1
            assert chosen in page.keys
            assert len(page.keys) == len(set(page.keys))
            assert len(page.keys) == 1 or (width >= 60 and not zoomed)


def test_how_many_pictures_there_are_at_usual_sizes() -> None:
    def grid(width: int, height: int, chosen: str = "1") -> list[str]:
        return ["".join(row) for row in arrange_page(width, height, KEYS, chosen, zoomed=False).grid]

    assert grid(80, 24) == ["1"]
    assert grid(80, 50) == ["1", "2"]
    assert grid(124, 40) == ["12", "34"]
    assert grid(200, 50) == ["123", "456"]
    assert grid(200, 50, "7") == grid(200, 50, "w") == ["678", "90w"]
    assert grid(250, 62) == ["1234", "5678", "90w"]
    assert grid(400, 100) == ["1234", "5678", "90w"]


# -- pace


def test_a_page_is_paid_for_before_the_next_is_followed() -> None:
    pace = Pace(0.03, lost=3.0)
    assert pace.may_go_on(0.0, training=True)
    pace.took(10.0, 0.15, 0.05)
    assert not pace.may_go_on(19.9, training=True)
    assert pace.may_go_on(19.9, training=False)
    assert pace.may_go_on(20.0, training=True)


def test_a_small_page_does_not_forgive_a_large_one() -> None:
    pace = Pace(0.03, lost=3.0)
    pace.took(0.0, 0.5, 0.0)
    pace.took(1.0, 0.01, 0.0)
    assert not pace.may_go_on(16.0, training=True)
    assert pace.may_go_on(16.7, training=True)


def test_without_a_share_nothing_is_followed() -> None:
    pace = Pace(0.0)
    pace.took(10.0, 0.3, 0.0)
    assert not pace.may_go_on(1e9, training=True)


# -- header


def text(row: Row) -> str:
    return "".join(span.text for span in row)


LOSSES = Losses(2.0, 1.66e-7, 0.15, 0.5, 1.0, 0.954)
ABOUT = About(LOSSES, (7, 23, 47), (5, 1, 4), np.array([0, 23, 0, 0, 47, 7]))
STAND = Stand("2027-03-04-113000-mod113", 15_500, 31, 50, True, Opened("full", SIZES), ABOUT, False, "training", 15_620)


def test_the_header_tells_which_checkpoint_and_what_it_is() -> None:
    first, second = (text(row) for row in header(STAND, 124, 2, "braille"))
    assert first.strip() == (
        "microscope mod113   step 15,500   checkpoint 31 of 50   full   following   training at step 15,620"
    )
    assert second.strip() == "key 7 23 47   train 1.66e-07   test 0.15   accuracy 100.0% train, 95.4% test"


@pytest.mark.parametrize("width", range(1, 200))
def test_the_header_fits(width: int) -> None:
    for row in header(STAND, width, 2, "ascii"):
        assert len(text(row)) == width
        assert text(row).isascii()
    first = text(header(STAND, width, 1, "braille")[0])
    assert "15,500" in first or width < 7
    assert {*re.findall(r"[\d,]+", first.replace("mod113", ""))} <= {"15,500", "31", "50", "15,620"}
    assert "training 15,620" in first or width < 44 or "training at step 15,620" in first


def test_what_is_known_of_another_checkpoint_is_quiet() -> None:
    late = replace(STAND, is_late=True)
    styles = {span.text: span.style for span in header(late, 124, 2, "braille")[1]}
    assert styles["7 23 47"] == "quiet"
    of_another = header(replace(late, about_step=15_400), 124, 2, "braille")[1]
    assert text(of_another).startswith(" of step 15,400   key 7 23 47   train")
    assert {span.text: span.style for span in header(STAND, 124, 2, "braille")[1]}["7 23 47"] == "bar.key"


def test_the_names_of_all_pictures_or_their_keys() -> None:
    lenses = small_lenses()
    assert text(strip(lenses, "2", "12", 100, "braille")).split() == (
        ["1", "Neuron", "2", "Attention", "of", "head", "3", "Circle", "of", "frequency", "w", "Weights"]
    )
    assert text(strip(lenses, "2", "2", 33, "braille")).split() == ["1", "2", "Attention", "of", "head", "3", "w"]
    styles = {span.text[0]: span.style for span in strip(lenses, "2", "12", 100, "braille") if span.text.strip()}
    assert styles == {"1": "", "2": "key", "3": "quiet", "w": "quiet"}


def test_stranger_names_are_shown_literally() -> None:
    assert "\x1b" not in text(strip([SmallLens("1", "x\x1b[31m")], "1", "1", 40, "braille"))
    stand = Stand("\x1b[31m[red]", 1, 1, 1, False, None, None, True)
    assert "?[31m[red]" in text(header(stand, 80, 1, "braille")[0])


# -- what the header tells of a checkpoint


def test_leading_neurons_and_key_frequencies_are_found() -> None:
    circuit = random_circuit()  # its keys, 1 and 3, are given
    about = AboutLens().look(circuit, Subject())
    assert about.keys == (1, 3)
    assert about.losses == circuit.losses
    assert about.leaders == tuple(circuit.neuron_fve[:, [0, 2]].argmax(axis=0))


def test_losses_are_told_where_there_are_no_frequencies() -> None:
    circuit = Circuit(random_network(12), grid_task(12))
    about = AboutLens().look(circuit, Subject())
    assert about.losses == circuit.losses
    assert "p = 12 is even" in about.trouble
    second = text(header(replace(STAND, about=about), 124, 2, "braille")[1])
    assert second.startswith(f" train {about.losses.train:.4g}   test ")


def test_one_goes_from_key_frequency_to_key_frequency() -> None:
    assert [ABOUT.next_key(at, 1) for at in (1, 7, 30, 47)] == [7, 23, 47, None]
    assert [ABOUT.next_key(at, -1) for at in (1, 7, 30, 47)] == [None, None, 23, 23]
    assert ABOUT.next_leader(5, 1) == 1  # neuron 5 belongs to 7, the next key is 23
    assert ABOUT.next_leader(1, 1) == 4
    assert ABOUT.next_leader(4, 1) is None
    assert ABOUT.next_leader(4, -1) == 1
    assert ABOUT.next_leader(99, 1) is None
