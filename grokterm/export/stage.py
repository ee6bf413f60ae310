"""An animation as shapes on a sheet, in pixels from the upper left corner: what `gif.py` and `svg.py` draw alike. Pure.

The spectrum stands on the left, the tokens on the circle on the right, the losses with a playhead below. What does not
change has one row in `places`, what moves one for each picture; NaN is not drawn.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grokterm.charts import Line
from grokterm.circuit.embedding import Floats, around
from grokterm.drawing.axes import Limits, linear_limits, log_limits
from grokterm.drawing.envelope import envelope
from grokterm.drawing.ticks import linear_ticks, log_labels, log_ticks, step_labels, value_labels
from grokterm.export.choices import STANDS, Choices, standing
from grokterm.export.scenes import FRAMES, Scenes
from grokterm.tui.panels.fourier import MOST_NAMED

INK, QUIET, FAINT, PAPER = "#1a1b1c", "#6b6b6b", "#c4c4c4", "#ffffff"
BAR, KEY, SHOWN = "#56b4e9", "#e69f00", "#d55e00"
"""Okabe–Ito: a frequency, a key frequency, the one whose circle is shown, and its tokens."""
LOSSES = ("#56b4e9", "#e69f00")
"""Train and test, as everywhere."""
WIDTH, HEIGHT = 860.0, 478.0
BARS_ALONE = 792.0
LABELLED = 12
"""Tokens with their number beside them, where there are more."""
MOST_LABELLED = 31
LARGEST = 1e150
"""Numbers beyond are drawn here, so that their squares stay finite."""
ROUND, FEW, SLOWEST = 9.6, 5.0, 0.5
"""Seconds of a round with many pictures and with few, and of a picture at most, where nobody says how long."""


@dataclass(frozen=True)
class Box:
    """A place on the sheet."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """Its lower edge."""
        return self.top + self.height


@dataclass(frozen=True, eq=False)
class Bars:
    """Upright bars: `places` (pictures, bars, 2) are their upper ends, `base` is where they stand."""

    colour: str
    width: float
    base: float
    places: Floats


@dataclass(frozen=True, eq=False)
class Dots:
    """Points of a diameter: `places` (pictures, dots, 2)."""

    colour: str
    width: float
    places: Floats


@dataclass(frozen=True, eq=False)
class Curve:
    """A line through `places` (pictures, points, 2), back to its start if it is closed."""

    colour: str
    width: float
    places: Floats
    closed: bool = False
    dashed: bool = False


@dataclass(frozen=True, eq=False)
class Words:
    """Text at `places` (pictures, 1, 2), the left or right end or the middle of its baseline; a text for each picture,
    or one.
    """

    texts: tuple[str, ...]
    places: Floats
    colour: str = INK
    size: float = 12.0
    anchor: str = "start"
    bold: bool = False


Shape = Bars | Dots | Curve | Words


@dataclass(frozen=True, eq=False)
class Stage:
    """The whole sheet and its clock: every picture stands for `delay` seconds, the last one `stands` longer."""

    title: str
    pictures: int
    delay: float
    stands: float
    still: tuple[Shape, ...]
    moving: tuple[Shape, ...]

    @property
    def seconds(self) -> float:
        """Of a round."""
        return self.pictures * self.delay + self.stands

    def colours(self) -> tuple[str, ...]:
        """Every colour on it, each once."""
        return tuple(dict.fromkeys([PAPER, INK, *(shape.colour for shape in (*self.still, *self.moving))]))


def stage_of(scenes: Scenes, choices: Choices) -> Stage:
    """Lay the scenes out. Takes seconds of `choices`: how long a round takes."""
    pictures = len(scenes.steps)
    delay, stands = round(min(max(FEW / pictures, ROUND / FRAMES), SLOWEST), 2), STANDS
    if choices.seconds is not None:
        moving = choices.seconds - standing(choices.seconds)
        delay = int(moving / pictures * 100 + 1e-6) / 100  # a GIF counts hundredths
        stands = choices.seconds - pictures * delay
    with_circle = scenes.circle is not None
    spectrum = Box(52, 66, 442 if with_circle else BARS_ALONE, 268)
    parts = [_title(scenes), _spectrum(scenes, spectrum), _losses(scenes, Box(52, 388, BARS_ALONE, 62))]
    if with_circle:
        parts.append(_circle(scenes, Box(542, 66, 302, 302)))
    shapes = [shape for part in parts for shape in part]
    moves = [_moves(shape) for shape in shapes]
    still = tuple(shape for shape, moving in zip(shapes, moves, strict=True) if not moving)
    return Stage(
        title=f"{scenes.name}: the embedding's Fourier spectrum over training",
        pictures=pictures,
        delay=delay,
        stands=stands,
        still=still,
        moving=tuple(shape for shape, moving in zip(shapes, moves, strict=True) if moving),
    )


def _moves(shape: Shape) -> bool:
    return len(shape.places) > 1 or (isinstance(shape, Words) and len(shape.texts) > 1)


def _title(scenes: Scenes) -> Iterator[Shape]:
    yield Words((scenes.name,), _at(16, 28), size=13, colour=QUIET)
    steps = zip(scenes.steps.tolist(), scenes.phases, strict=True)
    texts = tuple(f"step {step:,}{f' · {phase}' if phase else ''}" for step, phase in steps)
    yield Words(texts, _at(WIDTH - 16, 28), size=16, anchor="end", bold=True)


def _spectrum(scenes: Scenes, box: Box) -> Iterator[Shape]:
    heights = np.where(np.isfinite(scenes.norms), np.clip(scenes.norms, 0, LARGEST), np.nan)
    count = heights.shape[1]
    largest = float(np.nanmax(heights, initial=0.0)) or 1.0
    top = max(linear_limits(0.0, largest)[1], largest * 1.09)
    x = box.left + 4 + (np.arange(count) + 0.5) * (box.width - 4) / count
    y = box.bottom - heights / top * box.height
    places = np.stack([np.broadcast_to(x, y.shape), y], axis=2)
    keys = " ".join(map(str, scenes.keys))
    said = f" · key at the end: {keys}" if scenes.keys and len(keys) < 40 else ""
    yield Words((f"Fourier norms of W_E{said}",), _at(box.left, box.top - 14))
    yield from _upward(box, Limits(0.0, top), 6)
    ticks = sorted({1.0, *(tick for tick in linear_ticks(1, count, 8, whole=True) if tick >= 1)})
    for tick in ticks:
        yield Words((f"{tick:.0f}",), _at(x[int(tick) - 1], box.bottom + 16), QUIET, 11, "middle")
    yield Words(("frequency k",), _at(box.right, box.bottom + 31), QUIET, 11, "end")
    yield _line(box.left, box.bottom, box.right, box.bottom)
    frequencies = np.arange(1, count + 1)
    is_shown = (frequencies == scenes.frequency) & (scenes.circle is not None)
    is_key = np.isin(frequencies, scenes.keys) & ~is_shown
    for colour, chosen in ((BAR, ~is_key & ~is_shown), (KEY, is_key), (SHOWN, is_shown)):
        if chosen.any():
            yield Bars(colour, box.width / count * 0.8, box.bottom, places[:, chosen])
    named = sorted(np.flatnonzero(is_key), key=lambda k: -np.nan_to_num(heights[-1, k]))[:MOST_NAMED]
    for index in [*named, *np.flatnonzero(is_shown)]:
        colour = SHOWN if is_shown[index] else KEY
        yield Words((f"{index + 1}",), places[:, [index]] - [0, 4], colour, 10.5, "middle", bold=True)


def _circle(scenes: Scenes, box: Box) -> Iterator[Shape]:
    if scenes.circle is None:
        return
    seen = np.where(np.isfinite(scenes.circle).all(axis=2, keepdims=True), scenes.circle, np.nan)
    seen = np.clip(seen, -LARGEST, LARGEST)
    reach = float(np.nanmax(np.abs(seen), initial=0.0)) * 1.1 or 1.0
    x, y = box.left + box.width / 2, box.top + box.height / 2
    scale = box.width / 2 / reach
    places = [x, y] + seen * [scale, -scale]
    for ends in ((box.left, y, box.right, y), (x, box.top, x, box.bottom)):
        yield _line(*ends, colour="#e4e4e4")
    radius = float(np.sqrt(np.nanmean(np.square(seen[-1]).sum(axis=1)))) * scale if np.isfinite(seen[-1]).any() else 0.0
    angles = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    ring = np.stack([x + radius * np.cos(angles), y + radius * np.sin(angles)], axis=1)
    yield Curve(FAINT, 1, ring[None], closed=True, dashed=True)
    titles = tuple(f"circle of frequency {scenes.frequency}{text}" for text in _circle_notes(scenes))
    yield Words(titles if len(set(titles)) > 1 else titles[:1], _at(box.left, box.top - 14))
    yield Words(("cos",), _at(box.right, y - 5), QUIET, 11, "end")
    yield Words(("sin",), _at(x + 5, box.top + 11), QUIET, 11)
    order = around(scenes.p, scenes.frequency)
    yield Curve("#d9d9d9", 1, places[:, order], closed=True)
    yield Dots(SHOWN, 5, places)
    labelled = scenes.p if scenes.p <= MOST_LABELLED else LABELLED
    for token in order[np.arange(labelled) * scenes.p // labelled].tolist():
        away = places[:, [token]] - [x, y]
        far = np.maximum(np.sqrt(np.square(away).sum(axis=2, keepdims=True)), 1e-9)
        yield Words((f"{token}",), places[:, [token]] + away / far * 15 + [0, 4], INK, 10.5, "middle")


def _circle_notes(scenes: Scenes) -> Iterator[str]:
    """Where the tokens are not those of the picture's own step: of which."""
    for step, saved in zip(scenes.steps.tolist(), scenes.circle_steps.tolist(), strict=True):
        yield "" if step == saved else f" · step {saved:,}" if saved >= 0 else " · no checkpoint yet"


def _losses(scenes: Scenes, box: Box) -> Iterator[Shape]:
    begin, end = scenes.span
    over = Limits(float(begin), float(max(end, begin + 1)))
    columns = int(box.width)
    edges = np.linspace(over.low, over.high, columns + 1)
    drawn = [(line, *envelope(line.steps, line.values, edges, log_y=True)) for line in scenes.losses]
    heights = np.concatenate([np.zeros(0), *(part for _, low, high in drawn for part in (low, high))])
    heights = heights[np.isfinite(heights)]
    yield _line(box.left, box.bottom, box.right, box.bottom)
    ticks = linear_ticks(over.low, over.high, 9, whole=True)
    for tick, text in zip(ticks, step_labels(ticks), strict=True):
        at = box.left + over.part(tick) * box.width
        yield Words((text,), _at(at, box.bottom + 15), QUIET, 11, "middle")
    if heights.size:
        within = Limits(*log_limits(float(heights.min()), float(heights.max())), log=True)
        yield from _upward(box, within, 3)
        yield from _curves(drawn, box, within)
    now = [box.left + over.part(step) * box.width for step in scenes.steps.tolist()]
    yield Curve(INK, 1.5, np.array([[[x, box.top - 4], [x, box.bottom]] for x in now]))


def _curves(drawn: Sequence[tuple[Line, Floats, Floats]], box: Box, within: Limits) -> Iterator[Shape]:
    """A curve for each loss, through the lowest and the highest of every column, and its name."""
    said = box.right
    for (line, low, high), colour in reversed(list(zip(drawn, LOSSES, strict=False))):
        x = box.left + np.arange(len(low)) + 0.5
        y = [box.bottom - (part - within.low) / (within.high - within.low) * box.height for part in (low, high)]
        middle = np.where(np.abs(y[0] - y[1]) < 1, (y[0] + y[1]) / 2, np.nan)
        both = np.where(np.isnan(middle)[:, None], np.stack(y, axis=1), middle[:, None])
        points = np.stack([np.repeat(x, 2), both.ravel()], axis=1)
        keep = np.ones(len(points), bool)
        keep[1::2] = ~np.isfinite(middle)  # one point will do
        yield Curve(colour, 1.3, _straightened(points[keep])[None])
        yield Words((f"{line.label} loss",), _at(said, box.top - 8), colour, 11, "end", bold=True)
        said -= 72


def _straightened(points: Floats) -> Floats:
    """The points without those that lie on a level line between their neighbours."""
    y = points[:, 1]
    level = np.zeros(len(y), bool)
    with np.errstate(invalid="ignore"):
        level[1:-1] = (np.abs(y[1:-1] - y[:-2]) < 0.05) & (np.abs(y[1:-1] - y[2:]) < 0.05)
    level[1:-1] |= np.isnan(y[1:-1]) & np.isnan(y[:-2]) & np.isnan(y[2:])
    return points[~level]


def _upward(box: Box, within: Limits, most: int) -> Iterator[Shape]:
    """The ticks of a vertical axis."""
    ticks = (log_ticks if within.log else linear_ticks)(within.low, within.high, most)
    for tick, text in zip(ticks, (log_labels if within.log else value_labels)(ticks), strict=True):
        y = box.bottom - within_part(tick, within) * box.height
        yield Words((text,), _at(box.left - 8, y + 4), QUIET, 11, "end")
        yield _line(box.left - 4, y, box.left, y)
    yield _line(box.left, box.top, box.left, box.bottom)


def within_part(tick: float, within: Limits) -> float:
    """Where a tick lies on its axis, 0 to 1; ticks of a log axis are exponents already."""
    return (tick - within.low) / (within.high - within.low)


def _line(x0: float, y0: float, x1: float, y1: float, colour: str = QUIET) -> Curve:
    return Curve(colour, 1, np.array([[[x0, y0], [x1, y1]]]))


def _at(x: float, y: float) -> NDArray[np.float64]:
    return np.array([[[x, y]]], dtype=np.float64)
