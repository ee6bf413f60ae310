"""Colours that stand for numbers: perceptually even, told apart by colour-blind people, in true colour and in 256.

Both maps are curves in OKLab (Björn Ottosson, "A perceptual color space for image processing", 2020), cut into levels
that are equally far apart in it. "map" goes from a dark blue to a light yellow and never gets darker, so that it reads
as light in print or for an eye without one of the three cones. "around" is dark in the middle, for zero, and gets
lighter towards blue below and orange above it.
"""

from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["map", "around"]
Floats = NDArray[np.float64]

LEVELS: dict[Kind, int] = {"map": 32, "around": 33}
"""How many colours each map has; the middle one of "around" is zero's."""

_TO_CONES = np.array(
    [[1, 0.3963377774, 0.2158037573], [1, -0.1055613458, -0.0638541728], [1, -0.0894841775, -1.291485548]]
)
_TO_LINEAR = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.707614701],
    ]
)
_SEQUENTIAL = ((0.20, 0.09, 285.0), (0.58, 0.15, 200.0), (0.96, 0.135, 105.0))
"""Lightness, chroma and hue (degrees) of a quadratic Bézier curve's three points."""
_MIDDLE, _BELOW, _ABOVE = (0.27, 0.0, 0.0), (0.80, 0.12, 235.0), (0.80, 0.145, 65.0)
_FINE = 2001
"""Points of the curve by which its length is measured."""
_OF_256: dict[Kind, tuple[int, ...]] = {
    "map": (17, 18, 19, 25, 31, 37, 79, 150, 186, 228),
    "around": (81, 74, 67, 60, 239, 237, 235, 237, 239, 95, 137, 173, 215),
}
"""The same maps in a terminal's 256 colours, chosen so that light and distance grow as evenly as these allow.

A terminal's own rounding of the true colours makes some levels darker than the one below.
"""
_CUBE = (0, 95, 135, 175, 215, 255)
"""The components of the colours 16 … 231; 232 … 255 are greys 8, 18 … 238."""


@cache
def colours(kind: Kind) -> tuple[str, ...]:
    """The levels of a map as "#rrggbb", lowest first."""
    linear = np.clip(_curve(kind)[0], 0, 1)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return tuple("#{:02x}{:02x}{:02x}".format(*rgb) for rgb in np.rint(encoded * 255).astype(int).tolist())


@cache
def colours_of_256(kind: Kind) -> tuple[str, ...]:
    """The same levels as numbers of the 256 colours, "color(17)"; neighbouring levels share some."""
    numbers = _OF_256[kind]
    lab = oklab(np.array([rgb_of_256(number) for number in numbers]))
    along = np.concatenate([[0.0], np.cumsum(np.sqrt(np.square(np.diff(lab, axis=0)).sum(axis=1)))])
    if kind == "around":  # zero stays in the middle
        middle = along[len(numbers) // 2]
        along = np.where(along < middle, along / middle - 1, (along - middle) / (along[-1] - middle))
    levels = np.linspace(along[0], along[-1], LEVELS[kind])
    nearest = np.abs(levels[:, None] - along).argmin(axis=1)
    return tuple(f"color({numbers[index]})" for index in nearest)


def rgb_of_256(number: int) -> tuple[int, int, int]:
    """What a terminal shows for one of the colours 16 … 255."""
    if number >= 232:
        return (8 + 10 * (number - 232),) * 3
    red, rest = divmod(number - 16, 36)
    return _CUBE[red], _CUBE[rest // 6], _CUBE[rest % 6]


def is_light(kind: Kind, level: int) -> bool:
    """Whether dark signs are read better than light ones on a level."""
    return bool(_curve(kind)[1][level, 0] > 0.6)


def oklab(rgb: NDArray[np.integer]) -> Floats:
    """sRGB (n, 3) of 0 … 255 → lightness and the two opponent axes, (n, 3); distances are what the eye sees."""
    parts = np.asarray(rgb) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    cones = np.cbrt(linear @ np.linalg.inv(_TO_LINEAR).T)
    lab: Floats = cones @ np.linalg.inv(_TO_CONES).T
    return lab


def _curve(kind: Kind) -> tuple[Floats, Floats]:
    """The levels as linear RGB and as OKLab, each (levels, 3)."""
    lab = _sequential(LEVELS[kind]) if kind == "map" else _around(LEVELS[kind])
    return (lab @ _TO_CONES.T) ** 3 @ _TO_LINEAR.T, lab


def _sequential(count: int) -> Floats:
    start, control, end = (_cartesian(point) for point in _SEQUENTIAL)

    def at(t: Floats) -> Floats:
        along: Floats = (1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * end
        return along

    fine = np.linspace(0, 1, _FINE)
    steps = np.sqrt(np.square(np.diff(at(fine[:, None]), axis=0)).sum(axis=1))
    length = np.concatenate([[0.0], np.cumsum(steps)])
    return at(np.interp(np.linspace(0, length[-1], count), length, fine)[:, None])


def _around(count: int) -> Floats:
    middle, below, above = (_cartesian(point) for point in (_MIDDLE, _BELOW, _ABOVE))
    t = np.linspace(-1, 1, count)[:, None]
    lab: Floats = middle + np.where(t < 0, (below - middle) * -t, (above - middle) * t)
    return lab


def _cartesian(point: tuple[float, float, float]) -> Floats:
    lightness, chroma, hue = point
    return np.array([lightness, chroma * np.cos(np.radians(hue)), chroma * np.sin(np.radians(hue))])
