"""`grokterm presets` as a person and a script meet it: the list, the JSON, a preset's file, the sentences."""

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from grokterm.cli import app
from grokterm.commands.presets import Listed, in_order, list_lines
from grokterm.errors import UsageError
from grokterm.preset_files import COSTS, About, Cost, about, packaged, read_raw

ROOT = Path(__file__).parents[2]
QUICK = packaged()["mod113-quick"]


def presets(*arguments: object, expected: int = 0) -> Result:
    result = CliRunner().invoke(app, ["presets", *map(str, arguments)])
    assert result.exit_code == expected, result.output
    return result


def refused(*arguments: object) -> str:
    """The one sentence that is said instead."""
    command = [sys.executable, "-m", "grokterm", "presets", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("grokterm: ")
    assert done.stderr.count("\n") == 1
    return done.stderr.removeprefix("grokterm: ").rstrip()


def listed(name: str, paper: str = "", cost: Cost | None = None, description: str = "") -> Listed:
    return Listed(name, Path(f"{name}.toml"), About(description, paper, cost))


def on_a_terminal(*arguments: object, columns: int, **environment: str) -> str:
    """What is written to a pseudo-terminal."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    without = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "COLUMNS", "FORCE_COLOR")}
    command = [sys.executable, "-m", "grokterm", "presets", *map(str, arguments)]
    environment = {**without, "TERM": "xterm-256color", **environment}
    process = subprocess.Popen(command, cwd=ROOT, stdin=slave, stdout=slave, stderr=slave, env=environment)
    os.close(slave)
    said = b""
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:  # how Linux says that the other side was closed
            piece = b""
        if not piece:
            break
        said += piece
    os.close(master)
    assert process.wait(60) == 0
    return said.decode().replace("\r\n", "\n")


def test_the_list_is_by_paper_then_cost_then_name() -> None:
    given = [
        listed("own"),
        listed("a-slow", "Nanda et al. 2023", "E"),
        listed("b", "Nanda et al. 2023", "C"),
        listed("unmeasured", "Nanda et al. 2023"),
        listed("a", "Nanda et al. 2023", "C"),
        listed("z", "Barak et al. 2022", "A"),
    ]
    assert [preset.name for preset in in_order(given)] == ["z", "a", "b", "a-slow", "unmeasured", "own"]
    assert list_lines(in_order(given), 80) == [
        "Barak et al. 2022",
        "  z           A",
        "",
        "Nanda et al. 2023",
        "  a           C",
        "  b           C",
        "  a-slow      E",
        "  unmeasured  -",
        "",
        "no paper",
        "  own         -",
        "",
        "One CPU core takes: A under 5 s, B to 30 s, C to 5 min, D to an hour, E hours",
    ]


def test_a_description_goes_on_below_itself_and_is_harmless() -> None:
    long = listed("quick", "Gromov 2023", "A", "one two three four\nfive two-part six \x1b[31mseven eight nine")
    assert list_lines([long], 36)[:5] == [
        "Gromov 2023",
        "  quick  A  one two three four five",
        "            two-part six [31mseven",
        "            eight nine",
        "",
    ]


@pytest.mark.parametrize("width", [50, 80, 200])
def test_every_line_of_the_packaged_list_fits(width: int) -> None:
    there = [Listed(name, file, about(read_raw(file), str(file))) for name, file in packaged().items()]
    lines = list_lines(in_order(there), width)
    assert max(map(len, lines)) <= width
    for preset in there:
        assert preset.about.description in re.sub(r"\s+", " ", "\n".join(lines))


def test_in_a_pipe_the_list_is_plain_and_80_wide() -> None:
    said = presets().stdout
    assert "\x1b" not in said
    assert 60 < max(map(len, said.splitlines())) <= 80
    papers = re.findall(r"^\S.*$", said, re.MULTILINE)
    assert {"Nanda et al. 2023", "Nanda & Lieberum 2022"} <= set(papers)
    assert len(papers) == len(set(papers))
    assert sorted(re.findall(r"^  (\S+) +[A-E] ", said, re.MULTILINE)) == sorted(packaged())
    assert all(f"{cost} {time}" in said.splitlines()[-1] for cost, time in COSTS.items())


def test_on_a_terminal_the_list_is_as_wide_as_that() -> None:
    narrow = on_a_terminal(columns=60).splitlines()
    assert 50 < max(map(len, narrow)) <= 60


def test_json_is_one_strict_array_in_the_order_of_the_list() -> None:
    told = json.loads(presets("--json").stdout, parse_constant=pytest.fail)
    assert {preset["name"]: Path(preset["file"]) for preset in told} == packaged()
    assert [preset["name"] for preset in told] == re.findall(r"^  (\S+) +[A-E] ", presets().stdout, re.MULTILINE)
    (mainline,) = [preset for preset in told if preset["name"] == "mod113"]
    assert (mainline["paper"], mainline["cost"]) == ("Nanda et al. 2023", "D")
    assert mainline["description"].startswith("a + b mod 113")


def test_what_a_preset_does_not_say_is_null(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "bare.toml"
    file.touch()
    monkeypatch.setattr("grokterm.preset_files.packaged", lambda: {"bare": file})
    (told,) = json.loads(presets("--json").stdout)
    assert told == {"name": "bare", "paper": None, "cost": None, "description": "", "file": str(file)}


def test_the_list_imports_nothing_heavy() -> None:
    heavy = {"torch", "numpy", "grokterm.catalog", "textual", "rich", "plotext", "safetensors"}
    code = f"""
import sys
from grokterm.cli import app
app(["presets"], standalone_mode=False)
print(sorted({heavy!r} & sys.modules.keys()), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    assert "mod113-quick" in done.stdout


@pytest.mark.parametrize("arguments", [["mod113-quick"], ["show", "mod113-quick"], ["show", str(QUICK)]])
def test_in_a_pipe_a_file_is_shown_byte_for_byte(arguments: list[str]) -> None:
    assert presets(*arguments).stdout_bytes == QUICK.read_bytes()


def test_a_file_of_ones_own_is_shown_byte_for_byte_too(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_bytes(b"# caf\xe9 \x1b[31m\r\n\tno TOML")
    assert presets("show", tmp_path / "own").stdout_bytes == own.read_bytes()


def test_on_a_terminal_a_file_is_in_colour_and_nothing_else_changes() -> None:
    coloured = on_a_terminal("mod113-quick", columns=60)
    assert "\x1b[2m# The same network" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == QUICK.read_text()


@pytest.mark.parametrize("setting", [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_on_a_terminal_without_colours_it_is_plain(setting: tuple[str, str]) -> None:
    assert on_a_terminal("show", "mod113-quick", columns=60, **dict([setting])) == QUICK.read_text()


@pytest.mark.parametrize("no_color", ["", "1"])
def test_on_a_terminal_a_strangers_file_is_harmless(tmp_path: Path, no_color: str) -> None:
    own = tmp_path / "own.toml"
    own.write_bytes(b"# caf\xe9 \x1b]0;pwned\x07 [bold]x[/bold]\r\na\t= 1\n")
    said = on_a_terminal(own, columns=60, NO_COLOR=no_color)
    assert re.sub(r"\x1b\[[0-9;]*m", "", said) == "# caf� ]0;pwned [bold]x[/bold]\na   = 1\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["mod131"], "there is no preset 'mod131'; did you mean 'mod113'?"),
        (["show", "mod113-quik"], "there is no preset 'mod113-quik'; did you mean 'mod113-quick'?"),
        (["show"], "presets show needs a preset, for instance: grokterm presets show mod113"),
        (["mod113", "--json"], "--json belongs to the list of presets; the file of one is TOML already"),
        (
            ["mod113-quick", "mod113"],
            "presets mod113-quick mod113: one preset is printed at a time, for instance: grokterm presets show mod113",
        ),
    ],
)
def test_what_cannot_be_meant_is_one_sentence(arguments: list[str], said: str) -> None:
    assert refused(*arguments) == said


def test_a_packaged_preset_with_a_wrong_cost_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "odd.toml"
    file.write_text('cost = "F"')
    monkeypatch.setattr("grokterm.preset_files.packaged", lambda: {"odd": file})
    result = CliRunner().invoke(app, ["presets"])
    assert isinstance(result.exception, UsageError)
    assert str(result.exception) == f"{file}: cost = 'F' must be 'A', 'B', 'C', 'D' or 'E'"


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("grokterm presets ", ["show", *packaged()]),
        ("grokterm presets show ", list(packaged())),
        ("grokterm presets show mod113-q", ["mod113-quick"]),
        ("grokterm presets sho", ["show"]),
    ],
)
def test_the_shell_completes_show_and_names(line: str, offered: list[str]) -> None:
    place = str(line.count(" "))
    environment = {"_GROKTERM_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": place}
    result = CliRunner().invoke(app, [], prog_name="grokterm", env=environment)
    assert result.output.split() == offered
