"""The colours that stand for numbers: even steps, for every eye, on every terminal."""

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray
from rich.style import Style

from grokterm.drawing.colour_map import LEVELS, Kind, colours, colours_of_256, is_light, oklab, rgb_of_256
from grokterm.drawing.colours import Palette

KINDS: tuple[Kind, ...] = ("map", "around")
DICHROMATS = {  # Machado, Oliveira & Fernandes 2009, severity 1, on linear RGB
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def rgb_of(kind: Kind) -> NDArray[np.int64]:
    return np.array([[int(colour[at : at + 2], 16) for at in (1, 3, 5)] for colour in colours(kind)])


def rgb_of_terminal(kind: Kind) -> NDArray[np.int64]:
    return np.array([rgb_of_256(int(name.removeprefix("color(").removesuffix(")"))) for name in colours_of_256(kind)])


def seen_by(rgb: NDArray[np.int64], eye: str) -> NDArray[np.float64]:
    """What an eye without one kind of cone sees, in OKLab."""
    parts = rgb / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    left = np.clip(linear @ np.array(DICHROMATS[eye]).T, 0, 1)
    encoded = np.where(left <= 0.0031308, 12.92 * left, 1.055 * left ** (1 / 2.4) - 0.055)
    return oklab(np.rint(encoded * 255).astype(int))


def steps(lab: NDArray[np.float64]) -> NDArray[np.float64]:
    far: NDArray[np.float64] = np.sqrt(np.square(np.diff(lab, axis=0)).sum(axis=1))
    return far


def test_oklab_of_known_colours() -> None:
    found = oklab(np.array([[255, 255, 255], [0, 0, 0], [255, 0, 0]]))
    np.testing.assert_allclose(found, [[1.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.6280, 0.2249, 0.1258]], atol=2e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_levels_are_equally_far_apart(kind: Kind) -> None:
    lab = oklab(rgb_of(kind))
    assert len(lab) == LEVELS[kind]
    far = steps(lab)
    assert far.min() > 0.88 * far.mean()  # a step is some 8 of 255: rounding shows
    assert far.max() < 1.12 * far.mean()


def test_a_larger_number_is_never_darker() -> None:
    assert (np.diff(oklab(rgb_of("map"))[:, 0]) > 0).all()
    assert (np.diff(oklab(rgb_of_terminal("map"))[:, 0]) >= 0).all()


def test_zero_is_darkest_and_both_signs_get_lighter_alike() -> None:
    light = oklab(rgb_of("around"))[:, 0]
    middle = len(light) // 2
    assert light.argmin() == middle
    np.testing.assert_allclose(light[:middle], light[:middle:-1], atol=0.01)
    on_terminal = oklab(rgb_of_terminal("around"))[:, 0]
    assert (np.diff(on_terminal[middle:]) >= 0).all()
    assert (np.diff(on_terminal[: middle + 1]) <= 0).all()


@pytest.mark.parametrize("eye", DICHROMATS)
def test_a_colour_blind_person_sees_the_order_and_the_sign(eye: str) -> None:
    seen = seen_by(rgb_of("map"), eye)
    assert (np.diff(seen[:, 0]) > 0).all()
    assert steps(seen).min() > 0.4 * steps(oklab(rgb_of("map"))).mean()
    around = seen_by(rgb_of("around"), eye)
    signs = np.sqrt(np.square(around - around[::-1]).sum(axis=1))
    assert signs[0] > 0.09  # the two ends: blue and orange


@pytest.mark.parametrize("kind", KINDS)
def test_256_colours_leave_enough_levels(kind: Kind) -> None:
    names = colours_of_256(kind)
    assert len(names) == LEVELS[kind]
    assert len(set(names)) >= 10
    far = steps(oklab(rgb_of_terminal(kind)))
    assert far[far > 0].max() < 0.18


def test_the_palette_knows_levels() -> None:
    deep, terminal = Palette(colours=1 << 24), Palette(colours=256)
    low, high = colours("map")[3], colours("map")[31]
    assert deep.style("map3.31") == Style(color=low, bgcolor=high)
    assert deep.style("map3") == Style(color=low)
    assert deep.style("map31.here").bgcolor == Style(bgcolor=high).bgcolor
    assert deep.style("map31.here").color != deep.style("map3.here").color
    assert terminal.style("around0.32") == Style(
        color=colours_of_256("around")[0], bgcolor=colours_of_256("around")[32]
    )
    assert deep.style("map3.31") is deep.style("map3.31")


def test_nothing_has_colour_without_colours() -> None:
    palette = Palette(colours=0)
    for name in ("map3.31", "around2", "map3.here", "here"):
        assert palette.style(name).color is None
        assert palette.style(name).bgcolor is None


def test_dark_signs_on_light_levels() -> None:
    light = [is_light("map", level) for level in range(LEVELS["map"])]
    assert light == sorted(light)
    assert {*light} == {False, True}


def test_neighbours_can_be_told_apart_on_256_colours() -> None:
    names = [name for name, _ in itertools.groupby(colours_of_256("map"))]
    assert len(names) == len(set(names))  # a colour never comes back
