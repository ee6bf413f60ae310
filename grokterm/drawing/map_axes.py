"""The axes of a map: which number belongs to which column or row, and which of them are written."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from grokterm.drawing.axes import Frame
from grokterm.drawing.blocks import Side
from grokterm.drawing.ticks import across, linear_ticks

KEY = "bar.key"
"""The style of highlighted numbers."""
LONGEST_KEYS = 8
"""Cells of several highlighted numbers that share a row; more are left out: "33,34…"."""


@dataclass(frozen=True, slots=True)
class Axis:
    """A side of a map: number n belongs to the index `stride` · n + `offset`. `keys` are numbers to point out."""

    name: str
    stride: int = 1
    offset: int = 0
    keys: tuple[int, ...] = ()

    def index(self, number: int) -> int:
        """The first index of a number."""
        return self.stride * number + self.offset

    def ends(self, count: int) -> tuple[float, float]:
        """The numbers, not whole ones, at which `count` indices begin and end."""
        return -self.offset / self.stride, (count - self.offset) / self.stride


@dataclass(frozen=True, slots=True)
class Label:
    """A number at a cell of an axis: a column, or a row counted from the top."""

    cell: int
    text: str
    style: str = "axis"


def labels_across(axis: Axis, side: Side) -> list[Label]:
    """Numbers along a horizontal axis, each beginning at its cell: the keys, and round ones where those leave room."""
    keys: list[Label] = []
    for number in sorted(axis.keys):
        index = axis.index(number)
        if not 0 <= index < side.count:
            continue
        start, text = side.first(index), str(number)
        if keys and start <= keys[-1].cell + len(keys[-1].text):
            keys[-1] = Label(keys[-1].cell, f"{keys[-1].text},{text}", KEY)
        else:
            keys.append(Label(start, text, KEY))
    keys = [label for label in keys if label.cell + len(label.text) <= side.cells]
    taken = [(label.cell - 2, label.cell + len(label.text) + 2) for label in keys]
    rounds = [
        Label(cell, text)
        for cell, text in across(*axis.ends(side.count), side.cells)
        if text.isdecimal()
        and 0 <= axis.index(int(text)) < side.count
        and not any(cell < end and cell + len(text) > start for start, end in taken)
    ]
    return sorted([*keys, *rounds], key=lambda label: label.cell)


def labels_down(axis: Axis, side: Side, per_row: int) -> list[Label]:
    """Numbers down a vertical axis with `per_row` of the side's cells in a row; keys that share a row are joined."""
    by_row: dict[int, list[int]] = {}
    for number in sorted(axis.keys):
        if 0 <= axis.index(number) < side.count:
            by_row.setdefault(side.cell(axis.index(number)) // per_row, []).append(number)
    labels = [Label(row, _joined(numbers), KEY) for row, numbers in by_row.items()]
    taken = {near for row in by_row for near in (row - 1, row, row + 1)}
    for most in range(side.cells // per_row // 3 + 1, 0, -1):
        ticks = [int(tick) for tick in linear_ticks(*axis.ends(side.count), most, whole=True)]
        ticks = [tick for tick in ticks if 0 <= axis.index(tick) < side.count]
        places = [side.cell(axis.index(tick)) // per_row for tick in ticks]
        if all(after - before > 1 for before, after in pairwise(places)):
            return labels + [Label(row, str(tick)) for row, tick in zip(places, ticks, strict=True) if row not in taken]
    return labels


def draw_across(frame: Frame, labels: Sequence[Label], name: str, end: int, pointer: int | None) -> None:
    """The floor under a map that ends at column `end`, its numbers, its name behind them; a pointer at the cursor."""
    if frame.axis_row is None:
        return
    canvas, row, left, glyphs = frame.canvas, frame.axis_row, frame.left, frame.glyphs
    canvas.write(row, left - 1, glyphs.corner + glyphs.floor * end, "axis")
    last = max((label.cell + len(label.text) for label in labels), default=0)
    name_at = end + 1 if end + 1 + len(name) <= frame.columns else end - len(name)
    for label in labels:
        if pointer is None or not label.cell <= pointer < label.cell + len(label.text):
            canvas.write(row, left + label.cell, label.text, label.style)
    if name_at > last and (pointer is None or not name_at - 1 <= pointer < name_at + len(name)):
        canvas.write(row, left + name_at - 1, f" {name}", "axis")
    if pointer is not None:
        canvas.write(row, left + pointer, glyphs.arrow, "cursor")


def draw_down(frame: Frame, labels: Sequence[Label], name: str, pointer: int | None) -> None:
    """The wall beside a map, its numbers, its name below them; a pointer at the cursor's row."""
    if frame.axis_row is None:
        return
    canvas, glyphs, left = frame.canvas, frame.glyphs, frame.left
    for row in range(frame.rows):
        canvas.write(row, left - 1, glyphs.wall, "axis")
    for label in labels:
        canvas.write(label.cell, left - 1 - len(label.text), label.text, label.style)
        canvas.write(label.cell, left - 1, glyphs.tick, "axis")
    if left > len(name):
        canvas.write(frame.axis_row, left - 1 - len(name), name, "axis")
    if pointer is not None:
        canvas.write(pointer, left - 1, glyphs.pointer, "cursor")


def _joined(numbers: Sequence[int]) -> str:
    """The numbers with commas, as many as there is room for."""
    for shown in range(len(numbers), 0, -1):
        text = ",".join(map(str, numbers[:shown])) + ("…" if shown < len(numbers) else "")
        if len(text) <= LONGEST_KEYS:
            return text
    return str(numbers[0])
