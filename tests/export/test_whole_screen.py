"""The picture of a recording is the one that the replay screen paints, cell for cell."""

from pathlib import Path

import pyte
import pytest
from rich.segment import Segment
from textual.pilot import Pilot

from grokterm.catalog import Catalog
from grokterm.drawing.cells import Markers, row_of
from grokterm.export.escapes import Painter
from grokterm.export.whole_screen import framed, whole_screen
from grokterm.history import History
from grokterm.run.directory import RunDirectory
from grokterm.tui.app import load_panels
from grokterm.tui.looks import Looks
from grokterm.tui.replay.app import ReplayApp
from grokterm.tui.rows import RowsView
from grokterm.tui.screens.panels import PanelView
from tests.recorded import record

TRANSPORT = "‖ 20× time"
MARKERS: tuple[Markers, ...] = ("braille", "ascii")
COLOURS = ("black", "red", "green", "brown", "blue", "magenta", "cyan", "white")
PYTE = {name: number for number, name in enumerate((*COLOURS, *(f"bright{colour}" for colour in COLOURS)))}
"""What pyte calls the sixteen colours."""


def history_of(run: RunDirectory) -> History:
    history = History(run)
    history.poll()
    return history


def texts(rows: object) -> list[str]:
    return ["".join(span.text for span in row) for row in rows]  # type: ignore[attr-defined]


def painted(app: ReplayApp) -> list[str]:
    """What the terminal shows, borders and all."""
    width, height = app.size
    strips = app.screen._compositor.render_strips()
    assert len(strips) == height
    return [strip.text.ljust(width) for strip in strips]


async def drawn(app: ReplayApp, pilot: Pilot[None]) -> list[str]:
    for _ in range(500):
        if any(view.text.strip() for view in app.replay.query(PanelView)):
            break
        await pilot.pause(0.01)
    app.replay.draw_everything()
    await pilot.pause()
    assert app.replay.query_one("#header", RowsView).text
    return painted(app)


@pytest.mark.parametrize("size", [(100, 30), (120, 40), (80, 24), (200, 50), (101, 31), (40, 12), (30, 12), (30, 9)])
@pytest.mark.parametrize("step", [0, 210, 400])
async def test_it_is_the_replay_screen_without_its_key_hints(tmp_path: Path, size: tuple[int, int], step: int) -> None:
    history = history_of(record(tmp_path, 400))
    app = ReplayApp(history, Catalog(), markers="braille", start=step, speed=20, playing=False)
    async with app.run_test(size=size) as pilot:
        on_screen = await drawn(app, pilot)
    rows = whole_screen(history.at(step), load_panels(Catalog()), Looks(), *size, transport=TRANSPORT)
    assert texts(rows)[:-1] == on_screen[:-1]
    assert texts(rows)[-1] == " " * size[0]


async def test_ascii_markers_make_ascii_frames(tmp_path: Path) -> None:
    history = history_of(record(tmp_path, 400))
    app = ReplayApp(history, Catalog(), markers="ascii", start=210, speed=20, playing=False)
    async with app.run_test(size=(120, 40)) as pilot:
        on_screen = await drawn(app, pilot)
    looks = Looks(markers="ascii")
    rows = whole_screen(history.at(210), load_panels(Catalog()), looks, 120, 40, transport=TRANSPORT)
    assert texts(rows)[:-1] == on_screen[:-1]
    assert "".join(texts(rows)).isascii()


async def test_its_colours_are_those_on_the_screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("COLORTERM", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    history = history_of(record(tmp_path, 400))
    app = ReplayApp(history, Catalog(), markers="braille", start=210, speed=20, playing=False)
    async with app.run_test(size=(120, 40)) as pilot:
        await drawn(app, pilot)
        strips = app.screen._compositor.render_strips()
    on_screen = [[(char, number_of(segment)) for segment in strip for char in segment.text] for strip in strips]
    rows = whole_screen(history.at(210), load_panels(Catalog()), Looks(), 120, 40, transport=TRANSPORT)
    played = pyte.Screen(120, 40)
    pyte.Stream(played).feed(Painter(120, 40, "16").paint(rows))
    for y, line in enumerate(on_screen[:-1]):
        for x, (char, number) in enumerate(line):
            cell = played.buffer[y][x]
            assert char == " " or (cell.data, PYTE.get(cell.fg)) == (char, number), (x, y)
    assert {number for line in on_screen[:-1] for _, number in line} >= {None, 3, 6, 8, 14}


def number_of(segment: Segment) -> int | None:
    colour = segment.style.color if segment.style else None
    return colour.number if colour else None


@pytest.mark.parametrize("width", range(2, 14))
def test_a_frame_keeps_its_width_whatever_its_title(width: int) -> None:
    for title in ("", "1 a", "a longer title than fits", "\x1b[31m漢"):
        for markers in MARKERS:
            rows = framed(title, [row_of((), width - 2)], width, 4, markers=markers)
            assert [len(text) for text in texts(rows)] == [width] * 4
