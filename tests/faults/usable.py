"""What a terminal must be like for the shell, when a program with a screen has left it."""

import termios

from tests.terminal import Terminal

_LEFT_AS_FOUND = {
    "the main screen": (b"\x1b[?1049l", b"\x1b[?1049h"),
    "a cursor": (b"\x1b[?25h", b"\x1b[?25l"),
    "plain pasting": (b"\x1b[?2004l", b"\x1b[?2004h"),
    "no reports of its focus": (b"\x1b[?1004l", b"\x1b[?1004h"),
}
"""What is said last, and what only before it."""


def assert_usable(terminal: Terminal) -> None:
    """Its settings are those from before, with an echo; it shows the main screen and the cursor. AssertionError."""
    settings = termios.tcgetattr(terminal.worker)
    assert settings == terminal.before
    assert settings[3] & termios.ECHO
    for what, (left, found) in _LEFT_AS_FOUND.items():
        assert terminal.raw.rfind(left) >= terminal.raw.rfind(found), f"the terminal is left without {what}"
    assert b"\x1b[?1049h" in terminal.raw, "there was no screen at all"
    assert b"\x1b[?1000h" not in terminal.raw, "the mouse was taken"
