"""An animated GIF as Pillow reads it."""

import sys
from pathlib import Path

import pytest
from PIL import Image
from PIL.GifImagePlugin import GifImageFile

from grokterm.errors import UsageError
from grokterm.export.choices import Choices
from grokterm.export.gif import write
from grokterm.export.stage import BAR, KEY, SHOWN
from grokterm.run.directory import RunDirectory
from tests.odd_run import Counted
from tests.recorded import record
from tests.saved_circuit import record_circuit


def exported(run: RunDirectory, **choices: object) -> Path:
    progress = Counted()
    path = run.path.parent / "out.part"  # its name does not say what it is
    write(run, path, progress, Choices(**choices))  # type: ignore[arg-type]
    assert progress.is_complete
    return path


def pictures(path: Path) -> list[Image.Image]:
    with GifImageFile(path) as gif:
        assert gif.format == "GIF"
        found = []
        for number in range(gif.n_frames):
            gif.seek(number)
            found.append(gif.convert("RGB"))
    return found


def colours(picture: Image.Image) -> set[str]:
    counted = picture.getcolors(1 << 24)
    assert counted is not None
    return {"#{:02x}{:02x}{:02x}".format(*colour) for _, colour in counted if isinstance(colour, tuple)}


def test_pictures_durations_and_size(tmp_path: Path) -> None:
    path = exported(record_circuit(tmp_path), frames=6, seconds=1.5)
    with GifImageFile(path) as gif:
        assert (gif.n_frames, gif.size, gif.info["loop"]) == (6, (860, 478), 0)
        durations = []
        for number in range(6):
            gif.seek(number)
            durations.append(gif.info["duration"])
    assert durations == [120, 120, 120, 120, 120, 900]
    assert sum(durations) == 1500
    assert path.stat().st_size < 150_000


def test_the_colours_are_exactly_those_that_colour_blind_people_tell_apart(tmp_path: Path) -> None:
    shown = pictures(exported(record_circuit(tmp_path), frames=4))
    for picture in shown:
        assert {"#ffffff", BAR, KEY, SHOWN} <= colours(picture)
        assert picture.getpixel((2, 2)) == (255, 255, 255)


def test_the_bars_grow_and_the_tokens_move(tmp_path: Path) -> None:
    first, *_, last = pictures(exported(record_circuit(tmp_path), first="100", frames=5))

    def count(picture: Image.Image, colour: str, box: tuple[int, int, int, int]) -> int:
        wanted = tuple(bytes.fromhex(colour[1:]))
        return sum(n for n, found in picture.crop(box).getcolors(1 << 24) or [] if found == wanted)

    spectrum, circle = (52, 66, 494, 334), (542, 66, 844, 368)
    assert count(last, KEY, spectrum) > 2 * count(first, KEY, spectrum)
    assert first.crop(circle).tobytes() != last.crop(circle).tobytes()
    assert count(last, SHOWN, circle) > 200


def test_without_checkpoints_it_shows_the_spectrum(tmp_path: Path) -> None:
    shown = pictures(exported(record(tmp_path), frames=3))
    assert len(shown) == 3
    assert SHOWN not in colours(shown[-1])


def test_a_name_that_no_font_has_is_no_warning(tmp_path: Path) -> None:
    run = record(tmp_path)
    renamed = RunDirectory(run.path.rename(tmp_path / "学习 $x$ \x1b[31m"))
    assert len(pictures(exported(renamed, frames=2))) == 2


@pytest.mark.parametrize("package", ["matplotlib", "PIL"])
def test_a_missing_package_is_named_with_how_to_get_it(
    package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in [module for module in sys.modules if module.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UsageError, match=rf"--to gif needs the package {package}; `pip install 'grokterm\[export\]'`"):
        write(record(tmp_path), tmp_path / "out", Counted(), Choices())
