"""The bar is on stderr of a terminal, gone when it is done, and nothing anywhere else."""

import io
import sys

import pytest

from grokterm.progress import Bar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(monkeypatch: pytest.MonkeyPatch, stderr: io.StringIO) -> str:
    monkeypatch.setattr(sys, "stderr", stderr)
    with Bar("[bold]mine to csv") as bar:
        bar.begin(200)
        bar.advance(50)
        bar.advance(50)
    return stderr.getvalue()


def test_a_terminal_sees_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    text = shown(monkeypatch, Terminal())
    assert "[bold]mine to csv" in text
    assert "50%" in text
    assert text.endswith("\x1b[2K")  # the line is cleared


def test_what_people_count_is_counted_with_what_was_there_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr(sys, "stderr", stderr := Terminal())
    with Bar("measuring", counted=True) as bar:
        bar.begin(196, before=16)
        bar.advance(1)
    assert "measuring, 16 were there already" in stderr.getvalue()
    assert "17/196" in stderr.getvalue()


@pytest.mark.parametrize("term", ["dumb", "xterm"])
def test_a_pipe_and_a_dumb_terminal_see_nothing(monkeypatch: pytest.MonkeyPatch, term: str) -> None:
    monkeypatch.setenv("TERM", term)
    assert shown(monkeypatch, Terminal() if term == "dumb" else io.StringIO()) == ""


def test_what_is_counted_has_no_bar_before_it_is_known_how_many_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr(sys, "stderr", stderr := Terminal())
    with Bar("measuring", counted=True):
        pass
    assert "?" not in stderr.getvalue().replace("\x1b[?", "")
    assert "measuring" not in stderr.getvalue()
