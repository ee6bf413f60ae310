"""What the screen does to its terminal before it draws: signs that an encoding lacks, and the wish for no colours."""

import os

import pytest

from grokterm.tui.terminal import SIGNS, heed_no_color


def test_signs_that_an_encoding_lacks_have_a_stand_in() -> None:
    assert "a … b ← c 漢 é".encode("ascii", SIGNS) == b"a ~ b < c ? ?"
    assert "é …".encode("latin-1", SIGNS) == b"\xe9 ~"


@pytest.mark.parametrize(("value", "kept"), [("", False), ("1", True)])
def test_an_empty_wish_for_no_colours_is_none(monkeypatch: pytest.MonkeyPatch, value: str, kept: bool) -> None:
    monkeypatch.setenv("NO_COLOR", value)
    heed_no_color()
    assert ("NO_COLOR" in os.environ) is kept
