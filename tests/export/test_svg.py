"""An animated SVG as a browser reads it: well-formed, alone in the world, in step with itself."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from grokterm.export.choices import Choices
from grokterm.export.scenes import scenes_of
from grokterm.export.stage import SHOWN, Bars, Dots, Stage, Words, stage_of
from grokterm.export.svg import write
from grokterm.run.directory import RunDirectory
from grokterm.run.events import EventLog
from tests.odd_run import Counted
from tests.recorded import record
from tests.saved_circuit import record_circuit

GOLDEN = Path(__file__).parents[1] / "golden" / "spectrum.svg"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return record_circuit(tmp_path)


def exported(run: RunDirectory, **choices: object) -> ET.Element:
    progress = Counted()
    path = run.path.parent / "out.svg"
    write(run, path, progress, Choices(**choices))  # type: ignore[arg-type]
    assert progress.is_complete
    return ET.parse(path).getroot()


def stage(run: RunDirectory) -> Stage:
    return stage_of(scenes_of(run, Choices(), Counted()), Choices())


def at(root: ET.Element, picture: int, delay: float) -> None:
    """Turn every element into what it is in the middle of a picture, as SMIL defines discrete animation."""
    for element in root.iter():
        for animation in element.findall(f"{SVG}animate"):
            values = animation.attrib["values"].split(";")
            begins = [float(part) for part in animation.attrib["keyTimes"].split(";")]
            duration = float(animation.attrib["dur"].removesuffix("s"))
            part = (picture + 0.5) * delay / duration
            now = max(index for index, begin in enumerate(begins) if begin <= part)
            element.set(animation.attrib["attributeName"], values[now])


def test_every_animation_is_as_smil_wants_it_and_all_have_one_clock(run: RunDirectory) -> None:
    root = exported(run)
    animations = list(root.iter(f"{SVG}animate"))
    assert len(animations) > 50
    assert {(one.attrib["dur"], one.attrib["calcMode"]) for one in animations} == {("7.04s", "discrete")}
    for one in animations:
        assert one.attrib["repeatCount"] == "indefinite"
        values, begins = one.attrib["values"].split(";"), [float(p) for p in one.attrib["keyTimes"].split(";")]
        assert len(values) == len(begins) > 1
        assert begins[0] == 0
        assert begins == sorted(set(begins))
        assert begins[-1] < 1
        assert all(values)


@pytest.mark.parametrize("picture", [0, 4, 5, 12, 20])
def test_every_picture_shows_the_stage(run: RunDirectory, picture: int) -> None:
    root, expected = exported(run), stage(run)
    at(root, picture, expected.delay)
    paths = {path.attrib["stroke-width"] + path.attrib["stroke"]: path.attrib["d"] for path in root.iter(f"{SVG}path")}
    shown = next(shape for shape in expected.moving if isinstance(shape, Bars) and shape.colour == SHOWN)
    x, y = shown.places[picture, 0]
    bar = next(d for key, d in paths.items() if key.endswith(SHOWN) and "V" in d)
    assert np.allclose([float(number) for number in re.findall(r"[\d.]+", bar)], [x, shown.base, y], atol=0.051)
    dots = next(shape for shape in expected.moving if isinstance(shape, Dots)).places[picture]
    drawn = [tuple(map(float, place)) for place in re.findall(r"M([\d.]+) ([\d.]+)h0", paths[f"5{SHOWN}"])]
    assert np.allclose(drawn, dots, atol=0.051) if np.isfinite(dots).all() else drawn == []
    visible = [text.text for text in root.iter(f"{SVG}text") if text.attrib.get("visibility") == "visible"]
    for words in expected.moving:
        if isinstance(words, Words) and len(words.texts) > 1:
            assert words.texts[picture] in visible
    assert len(visible) == 2


def test_what_is_not_animated_is_the_last_picture(run: RunDirectory) -> None:
    still, last = exported(run), exported(run)
    at(last, 20, stage(run).delay)
    assert ET.tostring(still) == ET.tostring(last)
    visible = [text.text for text in still.iter(f"{SVG}text") if text.attrib.get("visibility") == "visible"]
    assert "step 400 · circuit formation" in visible


def test_it_needs_nothing_else_and_runs_nothing(run: RunDirectory) -> None:
    root = exported(run)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        "svg", "title", "desc", "rect", "path", "text", "animate",
    }  # fmt: skip
    names = {name for element in root.iter() for name in element.attrib}
    assert not {name for name in names if name.startswith("on") or "href" in name}
    assert "url(" not in (run.path.parent / "out.svg").read_text()


def test_names_of_a_run_are_text(tmp_path: Path) -> None:
    run = record_circuit(tmp_path)
    renamed = RunDirectory(run.path.rename(tmp_path / 'a<b>&"c\x1b[31m'))
    root = exported(renamed)
    assert next(root.iter(f"{SVG}text")).text == 'a<b>&"c[31m'


def test_names_of_phases_are_text(run: RunDirectory) -> None:
    EventLog(run.events_path).write("phase", 300, phase="<b>&\x1b[31m", at=300, why="")
    texts = [text.text for text in exported(run).iter(f"{SVG}text")]
    assert "step 400 · <b>&[31m" in texts


def test_the_text_is_as_ever(tmp_path: Path) -> None:
    run = record(tmp_path / "runs", 60)
    path = tmp_path / "out.svg"
    said = write(RunDirectory(run.path.rename(tmp_path / "small")), path, Counted(), Choices())
    assert said == "3 pictures from step 0 to 40, 3.5 s a round; no circle, as no checkpoint holds model/W_E"
    assert path.read_text(encoding="utf-8") == GOLDEN.read_text(encoding="utf-8")


def test_it_says_since_when_the_circle_is_shown(run: RunDirectory) -> None:
    said = write(run, run.path.parent / "out.svg", Counted(), Choices())
    assert said == (
        "21 pictures from step 0 to 400, 7.04 s a round; circle of frequency 3 from its first checkpoint on, step 100"
    )


def test_a_usual_one_is_small(tmp_path: Path) -> None:
    run = record_circuit(tmp_path, steps=1200, every=10)
    root = exported(run)
    size = (tmp_path / "out.svg").stat().st_size
    assert len(root.findall(f".//{SVG}animate")) > 50
    assert size < 600_000
