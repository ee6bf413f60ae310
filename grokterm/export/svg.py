"""An animated SVG: the embedding's spectrum and circle over training, in one file that needs nothing else.

It is animated by SMIL alone, without scripts, so it also moves where an `<img>` shows it. Shapes that move are paths
whose whole outline changes from picture to picture. Where nothing is animated, the last picture stands.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import TextIO
from xml.sax.saxutils import escape

import numpy as np

from grokterm.circuit.embedding import Floats
from grokterm.export.choices import Choices
from grokterm.export.earlier import SVG_MARK
from grokterm.export.scenes import Scenes, scenes_of
from grokterm.export.stage import HEIGHT, PAPER, WIDTH, Bars, Curve, Dots, Shape, Stage, Words, stage_of
from grokterm.progress import Progress
from grokterm.run.directory import RunDirectory

NOTHING = "M0 0"
"""A path that draws nothing: an empty one would be no value of an animation."""


def write(run: RunDirectory, path: Path, progress: Progress, choices: Choices) -> str:
    """Write the file `path`. Takes first, last, frames, frequency and seconds of `choices`."""
    scenes = scenes_of(run, choices, progress)
    stage = stage_of(scenes, choices)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        _write(file, stage)
    progress.advance(stage.pictures)
    return said(scenes, stage)


def said(scenes: Scenes, stage: Stage) -> str:
    """In words what an animation shows, and what it cannot show."""
    first, last = scenes.steps[[0, -1]].tolist()
    circle = f"circle of frequency {scenes.frequency}"
    if scenes.circle is None:
        circle = "no circle, as no checkpoint holds model/W_E"
    elif not (scenes.circle_steps >= 0).all():
        circle += f" from its first checkpoint on, step {scenes.circle_steps[scenes.circle_steps >= 0][0]:,}"
    return f"{stage.pictures} pictures from step {first:,} to {last:,}, {stage.seconds:g} s a round; {circle}"


def _write(file: TextIO, stage: Stage) -> None:
    size = f'width="{WIDTH:g}" height="{HEIGHT:g}" viewBox="0 0 {WIDTH:g} {HEIGHT:g}"'
    fonts = "font-family=\"'DejaVu Sans', Verdana, Arial, sans-serif\""
    lines = 'fill="none" stroke-linejoin="round"'
    file.write(f'<svg xmlns="http://www.w3.org/2000/svg" {size} {fonts} {lines}>\n')
    file.write(f"<title>{escape(stage.title)}</title>\n{SVG_MARK}\n")
    file.write(f'<rect width="100%" height="100%" fill="{PAPER}"/>\n')
    clock = _Clock(stage)
    for shape in (*stage.still, *stage.moving):
        file.writelines(f"{line}\n" for line in _element(shape, clock))
    file.write("</svg>\n")


class _Clock:
    """When each picture of a stage begins, as parts of a round."""

    def __init__(self, stage: Stage) -> None:
        self.pictures = stage.pictures
        self._duration = f'dur="{stage.seconds:g}s" repeatCount="indefinite"'
        self._begins = [_number(number * stage.delay / stage.seconds, 5) for number in range(stage.pictures)]

    def animate(self, attribute: str, values: Sequence[str]) -> str:
        """Animate an attribute by one value for each picture; values that stay are said once."""
        begins: list[str] = []
        told: list[str] = []
        for begin, value in zip(self._begins, values, strict=True):
            if not told or told[-1] != value:
                begins.append(begin)
                told.append(value)
        times = f'calcMode="discrete" keyTimes="{";".join(begins)}"'
        return f'<animate attributeName="{attribute}" values="{";".join(told)}" {times} {self._duration}/>'


def _element(shape: Shape, clock: _Clock) -> Iterator[str]:
    if isinstance(shape, Words):
        yield from _words(shape, clock)
        return
    outlines = [_outline(shape, places) for places in shape.places]
    look = f'stroke="{shape.colour}" stroke-width="{_number(shape.width)}"'
    if isinstance(shape, Dots):
        look += ' stroke-linecap="round"'
    if isinstance(shape, Curve) and shape.dashed:
        look += ' stroke-dasharray="3 4"'
    path = f'<path {look} d="{outlines[-1]}"'
    yield f"{path}/>" if len(set(outlines)) == 1 else f"{path}>{clock.animate('d', outlines)}</path>"


def _words(words: Words, clock: _Clock) -> Iterator[str]:
    """Text that moves, or several texts that take turns."""
    look = f'fill="{words.colour}" font-size="{_number(words.size)}"'
    look += f' text-anchor="{words.anchor}"' if words.anchor != "start" else ""
    look += ' font-weight="bold"' if words.bold else ""
    there = np.isfinite(words.places[:, 0]).all(axis=1)
    x, y = ([_number(value) for value in np.where(there, words.places[:, 0, axis], -99.0)] for axis in (0, 1))
    moving = "".join(clock.animate(name, values) for name, values in (("x", x), ("y", y)) if len(set(values)) > 1)
    if len(words.texts) == 1:
        yield f'<text {look} x="{x[-1]}" y="{y[-1]}">{escape(words.texts[0])}{moving}</text>'
        return
    numbered = groupby(enumerate(words.texts), key=lambda numbered: numbered[1])
    for text, group in numbered:
        numbers = {number for number, _ in group}
        visible = ["visible" if number in numbers else "hidden" for number in range(clock.pictures)]
        turn = f'visibility="{visible[-1]}">{escape(text)}{clock.animate("visibility", visible)}'
        yield f'<text {look} x="{x[-1]}" y="{y[-1]}" {turn}{moving}</text>'


def _outline(shape: Bars | Dots | Curve, places: Floats) -> str:
    """The path of one picture, to a tenth of a pixel."""
    points = [(_number(x), _number(y)) if x == x and y == y else None for x, y in places.tolist()]
    match shape:
        case Bars():
            base = _number(shape.base)
            path = "".join(f"M{point[0]} {base}V{point[1]}" for point in points if point and point[1] != base)
        case Dots():
            path = "".join(f"M{point[0]} {point[1]}h0" for point in points if point)
        case Curve():
            path = _through(points)
            path += "Z" if shape.closed and path else ""
    return path or NOTHING


def _through(points: Sequence[tuple[str, str] | None]) -> str:
    """A line through points, broken where one is missing."""
    text, pen = [], False
    for point in points:
        if point is not None:
            text.append(f"{'L' if pen else 'M'}{point[0]} {point[1]}")
        pen = point is not None
    return "".join(text)


def _number(value: float, digits: int = 1) -> str:
    """A coordinate as short as it can be written."""
    text = f"{value:.{digits}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text
