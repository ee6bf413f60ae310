"""Every part that the catalog names can be read, loaded and explained; a person's own parts come first."""

import inspect
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from grokterm.catalog import REQUIRED, Catalog, Kind
from grokterm.errors import UsageError

KINDS: tuple[Kind, ...] = get_args(Kind)
TRAINED: tuple[Kind, ...] = ("tasks", "models", "optimizers", "measures")
PARTS = [(kind, name) for kind in KINDS for name in Catalog().names(kind)]
every_part = pytest.mark.parametrize(("kind", "name"), PARTS, ids=lambda part: str(part))


def own(tmp_path: Path, kind: str, name: str, source: str) -> Catalog:
    folder = tmp_path / "parts"
    (folder / kind).mkdir(parents=True, exist_ok=True)
    (folder / kind / f"{name}.py").write_text(source)
    return Catalog(folder)


def test_packaged_names() -> None:
    catalog = Catalog()
    assert "modular" in catalog.names("tasks")
    assert "transformer" in catalog.names("models")
    assert "adamw" in catalog.names("optimizers")
    assert {"restricted_loss", "excluded_loss", "weight_norm"} <= set(catalog.names("measures"))
    assert all(catalog.names(kind) == tuple(sorted(catalog.names(kind))) for kind in KINDS)


@every_part
def test_part_loads_and_is_documented(kind: Kind, name: str) -> None:
    loaded = Catalog().load(kind, name)
    assert callable(loaded)
    for documented in (loaded, inspect.getmodule(loaded)):
        first_line = (inspect.getdoc(documented) or "").partition("\n")[0]
        assert len(first_line) > 20, f"{kind}/{name}: {documented} needs a sentence"


@every_part
def test_settings_are_those_of_the_signature(kind: Kind, name: str) -> None:
    """What is read from the source text is what Python sees, and every default is itself allowed."""
    catalog = Catalog()
    settings = catalog.settings(kind, name)
    signature = inspect.signature(catalog.load(kind, name))
    keywords = {key: given for key, given in signature.parameters.items() if given.kind is given.KEYWORD_ONLY}
    assert [setting.name for setting in settings] == list(keywords)
    for setting in settings:
        assert setting.default is not REQUIRED, f"{kind}/{name}: {setting.name} needs a default"
        assert setting.default == keywords[setting.name].default
        assert setting.annotation == keywords[setting.name].annotation
        assert setting.check(setting.default) == setting.default


def test_names_and_settings_import_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from grokterm.catalog import Catalog\n"
        "catalog = Catalog()\n"
        "for kind in ('tasks', 'models', 'optimizers', 'measures'):\n"
        "    assert [catalog.settings(kind, name) for name in catalog.names(kind)]\n"
        "print(*{'torch', 'textual', 'numpy', 'grokterm.tasks.modular'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "\n"


def test_unknown_name_is_refused_with_the_nearest() -> None:
    for use in (Catalog().load, Catalog().settings):
        with pytest.raises(UsageError, match=r"there is no optimizer 'adamW2'; did you mean 'adamw'\?"):
            use("optimizers", "adamW2")


OWN = '''"""A task of one's own, written down here for the test."""
from grokterm.catalog import part
from grokterm.values import Count


def helper():
    raise AssertionError


@part
def mine(*, width: Count = 3, names: tuple[str, ...] = ("a",), offset: int = -1, other: Count | None = None):
    """Return what it was given."""
    return width
'''


def test_own_part_is_found_read_and_loaded(tmp_path: Path) -> None:
    catalog = own(tmp_path, "tasks", "mine", OWN)
    assert {"mine", "modular"} <= set(catalog.names("tasks"))
    defaults = {setting.name: setting.default for setting in catalog.settings("tasks", "mine")}
    assert defaults == {"width": 3, "names": ("a",), "offset": -1, "other": None}
    assert catalog.load("tasks", "mine")(width=5) == 5
    assert catalog.load("tasks", "mine") is catalog.load("tasks", "mine")
    with pytest.raises(UsageError):
        Catalog().load("tasks", "mine")


def test_own_part_comes_before_the_packaged_one(tmp_path: Path) -> None:
    catalog = own(tmp_path, "tasks", "modular", OWN)
    assert catalog.names("tasks").count("modular") == 1
    assert catalog.load("tasks", "modular")() == 3
    assert catalog.load("tasks", "modular") is not Catalog().load("tasks", "modular")


def test_two_folders_do_not_mix(tmp_path: Path) -> None:
    first = own(tmp_path / "first", "tasks", "mine", OWN)
    second = own(tmp_path / "second", "tasks", "mine", OWN.replace("return width", "return -width"))
    assert [catalog.load("tasks", "mine")(width=2) for catalog in (first, second)] == [2, -2]


def test_own_part_may_build_on_a_packaged_one(tmp_path: Path) -> None:
    source = '''"""A model of one's own, on top of the packaged one."""
from grokterm.catalog import part
from grokterm.models.transformer import Transformer


class Between(Transformer):
    pass


@part
class Mine(Between):
    """The transformer with nothing changed."""
'''
    assert own(tmp_path, "models", "mine", source).load("models", "mine").__name__ == "Mine"


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("def mine(:", r"mine\.py: line 1: "),
        ("x = 1", r"mine\.py: has no function or class decorated with @part"),
        (
            "from grokterm.catalog import part\n@part\ndef mine(*, width=3): ...",
            r"mine\.py: argument 'width' needs a type",
        ),
        (
            "from grokterm.catalog import part\n@part\ndef mine(*, width: Width = 3): ...",
            r"mine\.py: argument 'width': name 'Width' is not defined; use the names of grokterm\.values",
        ),
        (
            "from grokterm.catalog import part\n@part\ndef mine(*, width: int = len('abc')): ...",
            r"mine\.py: argument 'width': .*; use the names of grokterm\.values",
        ),
    ],
)
def test_own_part_that_cannot_be_read_is_named(tmp_path: Path, source: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        own(tmp_path, "tasks", "mine", source).settings("tasks", "mine")


def test_reading_settings_runs_nothing(tmp_path: Path) -> None:
    source = "raise SystemExit('run')\n" + OWN
    assert len(own(tmp_path, "tasks", "mine", source).settings("tasks", "mine")) == 4


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("import nowhere_at_all", r"mine\.py: cannot be imported: ModuleNotFoundError"),
        (OWN + "\n@part\ndef second(): ...\n", "needs exactly one function or class decorated with @part, has 2"),
        ("from grokterm.tasks.modular import modular", "decorated with @part, has 0"),
    ],
)
def test_own_part_that_cannot_be_loaded_is_named(tmp_path: Path, source: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        own(tmp_path, "tasks", "mine", source).load("tasks", "mine")


def test_missing_parts_folder_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--parts .*nowhere: there is no such folder"):
        Catalog(tmp_path / "nowhere")
