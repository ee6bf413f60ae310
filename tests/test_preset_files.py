"""Which file a preset is, and what it says of itself."""

import subprocess
import sys
from pathlib import Path

import pytest

from grokterm.errors import UsageError
from grokterm.preset_files import COSTS, About, about, find, packaged, read_raw


def test_packaged_presets_are_files_by_their_names() -> None:
    there = packaged()
    assert {"mod113", "mod113-quick", "mod113-95pct", "mod113-wd0.1"} <= there.keys()
    assert list(there) == sorted(there)
    assert all(path.is_file() and path.name == f"{name}.toml" for name, path in there.items())


@pytest.mark.parametrize("reference", ["mod113", "mod113.toml", "presets/mod113", "presets/mod113.toml"])
def test_packaged_preset_is_found_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reference: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert find(reference) == packaged()["mod113"]


def test_file_of_ones_own_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mod113.toml").touch()
    assert find("mod113") == Path("mod113.toml")
    assert find(str(tmp_path / "mod113")) == tmp_path / "mod113.toml"


@pytest.mark.parametrize(
    "reference", ["mod114", "nowhere/mod113", ".", "x" * 5000], ids=lambda reference: reference[:20]
)
def test_unknown_preset_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reference: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=f"there is no preset '{reference}'; (did you mean|valid names)"):
        find(reference)


def test_what_a_preset_says_of_itself() -> None:
    assert about({}, "mine.toml") == About("", "", None)
    raw = {"description": "grows", "paper": " Barak et al. 2022 ", "cost": "B", "task": 3}
    assert about(raw, "mine.toml") == About("grows", "Barak et al. 2022", "B")


@pytest.mark.parametrize("paper", [3, "", "  ", "two\nlines", "\x1b[31mred", ["Nanda"]])
def test_a_paper_is_text_on_one_line(paper: object) -> None:
    with pytest.raises(UsageError) as caught:
        about({"paper": paper}, "mine.toml")
    how = 'must be text on one line, for instance "Nanda et al. 2023"'
    assert str(caught.value) == f"mine.toml: paper = {paper!r} {how}"


@pytest.mark.parametrize("cost", ["F", "a", "AB", "", 1, ["A"], True])
def test_a_cost_is_one_of_the_classes(cost: object) -> None:
    with pytest.raises(UsageError) as caught:
        about({"cost": cost}, "mine.toml")
    assert str(caught.value) == f"mine.toml: cost = {cost!r} must be 'A', 'B', 'C', 'D' or 'E'"
    assert all(about({"cost": right}, "mine.toml").cost == right for right in COSTS)


@pytest.mark.parametrize(("content", "said"), [(b"a = ", "is not valid TOML"), (b"\xff", "is not valid TOML")])
def test_a_file_that_is_no_preset_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "mine.toml"
    with pytest.raises(UsageError, match=r"mine\.toml cannot be read: No such file"):
        read_raw(path)
    path.write_bytes(content)
    with pytest.raises(UsageError, match=rf"mine\.toml {said}"):
        read_raw(path)


def test_it_is_imported_without_what_checks_the_rest() -> None:
    heavy = {"grokterm.catalog", "grokterm.values", "pydantic", "numpy", "rich", "torch"}
    code = f"import sys, grokterm.preset_files; print({heavy!r} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
