"""A screen that only looks, as the whole program: nothing trains beside it, and no run is written to."""

import signal
import sys
import tempfile
from pathlib import Path
from types import FrameType
from typing import Any

from textual.app import App

from grokterm.errors import GroktermError
from grokterm.tui.terminal import terminal_to_itself


def show_alone(app: App[Any]) -> None:
    """Run the app until the person leaves or SIGTERM comes. Raises GroktermError when the screen fails.

    What anything prints meanwhile is kept off the screen and told afterwards. SIGHUP ends the process, as it does by
    default: the terminal is gone, and there is nothing to save.
    """

    def leave(number: int, _: FrameType | None) -> None:
        app.exit(return_code=128 + number)

    with tempfile.TemporaryDirectory(prefix="grokterm-") as folder:
        log = Path(folder) / "screen.log"
        before = signal.signal(signal.SIGTERM, leave)
        try:
            with terminal_to_itself(log):
                app.run(mouse=False)
        finally:
            signal.signal(signal.SIGTERM, before)
        printed = log.read_text(errors="replace")
    sys.stderr.write(printed)
    if app.return_code == 128 + signal.SIGTERM:
        raise SystemExit(app.return_code)
    if app.return_code:
        raise GroktermError("the screen failed, for the reason above; nothing in the run was touched")
