"""What the escape codes leave on a terminal is the picture, whatever was there before."""

import random
import re

import pyte
import pytest

from grokterm.drawing.cells import Row, Span, row_of
from grokterm.export.escapes import BEGIN, Colours, Painter, end

STYLES = ["", "train", "bar.key", "quiet", "problem", "test.faint", "frame", "frame.chosen", "strong"]
WIDTH, HEIGHT = 24, 6


class Played:
    """A terminal in memory that a painter writes to."""

    def __init__(self, colours: Colours = "256") -> None:
        self.painter = Painter(WIDTH, HEIGHT, colours)
        self.screen = pyte.Screen(WIDTH, HEIGHT)
        self.stream = pyte.Stream(self.screen)
        self.stream.feed("left over from before\r\n" * 3 + BEGIN)

    def paint(self, rows: list[Row]) -> str:
        written = self.painter.paint(rows)
        self.stream.feed(written)
        return written


def picture(dice: random.Random) -> list[Row]:
    def row() -> Row:
        spans = [Span("".join(dice.choices("ab ⣿─█", k=dice.randrange(9))), dice.choice(STYLES)) for _ in range(6)]
        return row_of(spans, WIDTH)

    return [row() for _ in range(HEIGHT)]


def texts(rows: list[Row]) -> list[str]:
    return ["".join(span.text for span in row) for row in rows]


def styles(rows: list[Row]) -> list[list[str]]:
    return [[span.style for span in row for _ in span.text] for row in rows]


def looks(played: Played) -> list[list[tuple[str, bool]]]:
    return [
        [(played.screen.buffer[y][x].fg, played.screen.buffer[y][x].bold) for x in range(WIDTH)] for y in range(HEIGHT)
    ]


@pytest.mark.parametrize("colours", ["none", "16", "256", "all"])
def test_after_any_pictures_the_last_one_stands_in_its_own_colours(colours: Colours) -> None:
    dice, played = random.Random(0), Played(colours)
    rows = picture(dice)
    for _ in range(200):
        change = dice.random()
        rows = [new if dice.random() < change else old for old, new in zip(rows, picture(dice), strict=True)]
        played.paint(rows)
        assert played.screen.display == texts(rows)
        fresh = Played(colours)
        fresh.paint(rows)
        same = [
            (one, other)
            for y in range(HEIGHT)
            for x, (one, other) in enumerate(zip(looks(played)[y], looks(fresh)[y], strict=True))
            if texts(rows)[y][x] != " "
        ]
        assert all(one == other for one, other in same)


def test_the_colours_are_those_of_the_palette() -> None:
    rows = [row_of([Span("a", "train"), Span("b", "problem"), Span("c", "frame"), Span("d", "")], WIDTH)]
    seen = {}
    depths: tuple[Colours, ...] = ("none", "16", "256", "all")
    for colours in depths:
        played = Played(colours)
        played.paint(rows)
        seen[colours] = looks(played)[0][:4]
    assert seen["all"] == [("56b4e9", False), ("d55e00", True), ("brightblack", False), ("default", False)]
    assert seen["256"] == [("5fafd7", False), ("d75f00", True), ("brightblack", False), ("default", False)]
    assert seen["16"] == [("brightcyan", False), ("brightred", True), ("brightblack", False), ("default", False)]
    assert seen["none"] == [("default", False), ("default", True), ("default", False), ("default", False)]


def test_only_what_changed_is_written() -> None:
    played = Played()
    rows = [row_of([Span("abcdefghijkl", "train")], WIDTH) for _ in range(HEIGHT)]
    played.paint(rows)
    assert played.paint(rows) == ""
    assert played.paint([*rows[:2], row_of([Span("abcdefXhijkl", "train")], WIDTH), *rows[3:]]) == "\x1b[3;7HX"


@pytest.mark.parametrize("smuggled", ["\x1b[31mred", "\x9b2J", "\x07bell", "a\r\nb", "e\u0301", "wide漢字", "\ud800"])
def test_no_text_brings_its_own_codes_or_breaks_the_cells(smuggled: str) -> None:
    played = Played()
    written = played.paint([(Span(smuggled, "train"), Span("·" * 30, "quiet"))])
    assert re.fullmatch(r"(\x1b\[[0-9;]*[mHC]|[^\x00-\x1f\x7f-\x9f])*", written)
    assert written.count("\x1b[") == 3
    assert played.screen.display[0] == "".join(c if c in "[31mred2Jabellbwide" else "?" for c in smuggled) + "·" * (
        WIDTH - len(smuggled)
    )


def test_the_end_leaves_a_plain_terminal_with_its_cursor_on_the_last_line() -> None:
    played = Played()
    assert played.screen.cursor.hidden
    played.paint([row_of([Span("a", "problem")], WIDTH)])
    played.stream.feed(end(HEIGHT) + "$")
    assert not played.screen.cursor.hidden
    assert played.screen.display[-1].startswith("$ ")
    assert looks(played)[HEIGHT - 1][0] == ("default", False)
