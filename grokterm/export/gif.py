"""An animated GIF: the embedding's spectrum and circle over training, drawn by matplotlib, written by Pillow.

Every picture has the same colours: those of the shapes, and their shades towards white that smooth edges need. A
GIF's own choice among thousands would make a colour-blind person's colours into others.
"""

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from grokterm.circuit.embedding import Floats
from grokterm.export.choices import Choices
from grokterm.export.scenes import scenes_of
from grokterm.export.stage import HEIGHT, WIDTH, Bars, Curve, Dots, Shape, Stage, Words, stage_of
from grokterm.export.svg import said
from grokterm.extras import load
from grokterm.progress import Progress
from grokterm.run.directory import RunDirectory

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from PIL.Image import Image

DOTS_PER_INCH = 100.0
POINT = 72 / DOTS_PER_INCH
"""Points in a pixel: matplotlib counts widths and letters in points."""
SHADES = 9
"""Of each colour. More make smoother edges and a larger file: 36 add a sixth."""
WHITE = 0xFFFFFF

Update = Callable[[int], None]


def write(run: RunDirectory, path: Path, progress: Progress, choices: Choices) -> str:
    """Write the file `path`. Takes first, last, frames, frequency and seconds of `choices`."""
    for package in ("matplotlib", "PIL"):
        load(package, "--to gif")
    from grokterm.figures.style import papers_look

    scenes = scenes_of(run, choices, progress)
    stage = stage_of(scenes, choices)
    with papers_look(text_as_shapes=True), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)  # a run may have any name
        _save(path, _pictures(stage, progress), stage)
    return said(scenes, stage)


def _save(path: Path, pictures: "Iterator[Image]", stage: Stage) -> None:
    """Write the pictures one after the other, for ever."""
    delay = round(stage.delay * 1000)
    durations = [delay] * (stage.pictures - 1) + [round((stage.delay + stage.stands) * 1000)]
    first = next(pictures)
    first.save(
        path, "GIF", save_all=True, append_images=pictures, duration=durations, loop=0, optimize=False, disposal=1
    )


def _pictures(stage: Stage, progress: Progress) -> "Iterator[Image]":
    """Draw what stands still once, and every picture over a copy of that."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH / DOTS_PER_INCH, HEIGHT / DOTS_PER_INCH), dpi=DOTS_PER_INCH)
    canvas: Any = FigureCanvasAgg(figure)  # its stubs know no types
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, WIDTH)
    axes.set_ylim(HEIGHT, 0)
    for shape in stage.still:
        _drawn(axes, shape)
    canvas.draw()
    empty = canvas.copy_from_bbox(figure.bbox)
    moving = [_drawn(axes, shape) for shape in stage.moving]
    palette = _Palette(stage)
    for number in range(stage.pictures):
        canvas.restore_region(empty)
        for artist, update in moving:
            update(number)
            axes.draw_artist(artist)
        yield palette.picture(np.asarray(canvas.buffer_rgba())[..., :3])
        progress.advance(1)


def _drawn(axes: "Axes", shape: Shape) -> "tuple[Artist, Update]":
    """A shape as matplotlib has it, at its first picture, and what puts it where another picture has it."""
    match shape:
        case Words():
            return _text(axes, shape)
        case Bars():
            return _bars(axes, shape)
        case Dots():
            look: dict[str, Any] = {"linestyle": "", "marker": "o", "markeredgewidth": 0}
            look["markersize"] = shape.width * POINT
        case Curve():
            look = {"linewidth": shape.width * POINT, "dashes": (3, 4) if shape.dashed else (None, None)}
    (line,) = axes.plot([], [], color=shape.colour, **look)

    def update(number: int) -> None:
        places = shape.places[number]
        if isinstance(shape, Curve) and shape.closed:
            places = np.concatenate([places, places[:1]])
        line.set_data(places[:, 0], places[:, 1])

    update(0)
    return line, update


def _bars(axes: "Axes", bars: Bars) -> "tuple[Artist, Update]":
    from matplotlib.collections import PolyCollection

    corners = PolyCollection([], facecolors=bars.colour, edgecolors="none")
    axes.add_collection(corners, autolim=False)

    def update(number: int) -> None:
        corners.set_verts([*_corners(bars, bars.places[number])])

    update(0)
    return corners, update


def _corners(bars: Bars, ends: Floats) -> NDArray[np.float64]:
    """Rectangles, (bars, 4, 2), without those that are not there."""
    x, y = ends[np.isfinite(ends).all(axis=1)].T
    left, right, base = x - bars.width / 2, x + bars.width / 2, np.full_like(x, bars.base)
    return np.stack([np.stack([left, left, right, right], axis=1), np.stack([base, y, y, base], axis=1)], axis=2)


def _text(axes: "Axes", words: Words) -> "tuple[Artist, Update]":
    sides = {"start": "left", "middle": "center", "end": "right"}
    weight = "bold" if words.bold else "normal"
    text = axes.text(0, 0, "", color=words.colour, fontsize=words.size * POINT, ha=sides[words.anchor], weight=weight)

    def update(number: int) -> None:
        x, y = words.places[number if len(words.places) > 1 else 0, 0]
        text.set_visible(bool(np.isfinite(x + y)))
        text.set_position((x, y) if text.get_visible() else (0.0, 0.0))
        text.set_text(words.texts[number if len(words.texts) > 1 else 0])

    update(0)
    return text, update


class _Palette:
    """The colours of the shapes and their shades towards white."""

    def __init__(self, stage: Stage) -> None:
        from matplotlib.colors import to_rgb

        full = np.array([to_rgb(colour) for colour in stage.colours()])
        parts = np.linspace(1.0, 0.0, SHADES, endpoint=False)[:, None, None]
        shades = ((1 - parts) + parts * full).reshape(-1, 3)
        self._colours = np.unique((shades * 255).round().astype(np.int64), axis=0)
        self._numbers: dict[int, int] = {}

    def picture(self, pixels: NDArray[np.uint8]) -> "Image":
        """Pixels (height, width, 3) in the nearest of these colours; Pillow's own search takes only near ones."""
        from PIL import Image

        packed = pixels.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
        numbers = np.full(packed.shape, self._number(WHITE), np.uint8)
        drawn = packed != WHITE  # one pixel in ten: what is left is quick to sort
        seen, places = np.unique(packed[drawn], return_inverse=True)
        numbers[drawn] = np.array([self._number(colour) for colour in seen.tolist()], np.uint8)[places]
        height, width = packed.shape
        picture = Image.frombytes("P", (width, height), numbers.tobytes())
        picture.putpalette(self._colours.astype(np.uint8).tobytes())
        return picture

    def _number(self, colour: int) -> int:
        if colour not in self._numbers:
            wanted = np.array([colour >> 16, colour >> 8 & 255, colour & 255])
            self._numbers[colour] = int(np.square(self._colours - wanted).sum(axis=1).argmin())
        return self._numbers[colour]
