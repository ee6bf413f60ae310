"""run.toml read in pieces is run.toml read whole, whatever is in it."""

import tomllib
from pathlib import Path

import pytest

from grokterm.errors import RunError
from grokterm.run.configuration import parse, read_configuration, setting, setting_names
from tests.small_runs import small_run

ODD = {
    "a list that begins a line": "a = [\n[1, 2],\n[3]\n]\nb = 1\n",
    "a section inside a text": 'a = """\n[task]\nx = 1\n"""\n[b]\nc = 2\n',
    "a literal text": "a = '''\n[task]\n'''\n",
    "parts of a section": "[a]\nx = 1\n[b]\ny = 2\n[a.c]\nz = 3\n",
    "a list of tables": "[[a]]\nx = 1\n[[a]]\nx = 2\n",
    "dotted keys": "a.b = 1\na.c = 2\n[d]\ne.f = 3\n",
    "a comment with a section": "a = 1 # [b]\n# [c]\n[d]\nx = 1\n",
    "line ends of another system": "a = 1\r\n[b]\r\nx = 2\r\n",
    "a line separator in a comment": "a = 1 # x\u2028b = 2\n",
    "a list over lines in a section": "[a]\nb = [\n    0.9,\n    0.98,\n]\n",
    "nothing": "",
    "a date": "a = 2027-01-15\n",
    "quoted keys": '["a.b"]\n"c d" = 1\n',
}
BROKEN = [
    "[a]\nx = 1\n[a]\ny = 2\n",
    "a = 1\na = 2\n",
    "a.b = 1\n[a]\nc = 2\n",
    "[task\n",
    "a = [\n",
    "a = 1\r",
    "a = {\n}\n",
    '[a]\nb = "x\n[c]\n"\n',
]


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_pieces_mean_what_the_whole_means(text: str) -> None:
    assert parse(text) == tomllib.loads(text)


@pytest.mark.parametrize("text", BROKEN)
def test_what_is_no_toml_stays_none(text: str) -> None:
    with pytest.raises(tomllib.TOMLDecodeError):
        tomllib.loads(text)
    with pytest.raises(tomllib.TOMLDecodeError):
        parse(text)


def test_a_run_is_read_as_the_run_directory_reads_it(tmp_path: Path) -> None:
    run = small_run(tmp_path, "a")
    assert read_configuration(run.config_path) == run.read_config()
    assert read_configuration(tmp_path / "missing" / "run.toml") is None


def test_a_configuration_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_bytes(b"a = \xff\n")
    with pytest.raises(RunError, match=r"run\.toml is not valid TOML: "):
        read_configuration(path)
    with pytest.raises(RunError, match=r"cannot be read: Is a directory"):
        read_configuration(tmp_path)


def test_settings_are_named_by_their_dotted_paths(tmp_path: Path) -> None:
    configurations = [parse("device = 'cpu'\n[task]\np = 3\n[a]\nb.c = 1\n"), parse("[task]\np = 3\nq = 4\n")]
    assert setting_names(configurations) == {"device", "task.p", "task.q", "a.b.c"}
    assert setting(configurations[0], "a.b.c") == 1
    assert setting(configurations[0], "task.q") is None
    assert setting(configurations[0], "device.x") is None


def test_tables_inside_tables_without_end_do_no_harm() -> None:
    text = ".".join("a" * 3000) + " = 1\n"
    (name,) = setting_names([parse(text)])
    assert setting(parse(text), name) == 1
