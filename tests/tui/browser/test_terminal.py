"""The browser in a real pseudo-terminal: what is typed is seen while it is typed."""

from pathlib import Path

import pytest

from tests.small_runs import small_run
from tests.terminal import Terminal
from tests.waiting import wait_for


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40), (20, 8)])
def test_a_filter_and_a_tag_are_seen_while_they_are_typed(tmp_path: Path, width: int, height: int) -> None:
    small_run(tmp_path, "first-of-all")
    with Terminal(tmp_path, [], command="runs", width=width, height=height) as terminal:
        terminal.see("first-of-all")
        terminal.press("/")
        terminal.see("filter: state:done")
        terminal.press("lr>0")
        terminal.see("filter: lr>0")
        terminal.press("\r")
        wait_for(lambda: "filter: " not in terminal.text, 60, "the end of the typing")
        terminal.press("t")
        terminal.see("Tags of")
        terminal.press("seen")
        terminal.see("seen")
        terminal.press("\x1b")
