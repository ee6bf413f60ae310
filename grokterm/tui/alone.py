"""A screen that only looks, as the whole program: nothing trains beside it, and no run is written to."""

import os
import signal
import sys
import tempfile
import threading
from types import FrameType
from typing import Any

from textual.app import App

from grokterm.errors import GroktermError
from grokterm.tui.terminal import terminal_to_itself

ENDED_BY = (signal.SIGTERM, signal.SIGHUP)
GONE_SECONDS = 1.0
"""How long a screen may take to put a terminal in order that has perhaps gone away: writing to it may never end."""


def show_alone(app: App[Any]) -> None:
    """Run the app until the person leaves or a signal ends it. Raises GroktermError when the screen fails.

    What anything prints meanwhile is kept off the screen and told afterwards.
    """

    def leave(number: int, _: FrameType | None) -> None:
        if number == signal.SIGHUP:
            last = threading.Timer(GONE_SECONDS, os._exit, (128 + number,))
            last.daemon = True
            last.start()
        app.exit(return_code=128 + number)

    before = {number: signal.signal(number, leave) for number in ENDED_BY}
    with tempfile.TemporaryFile() as printed:  # without a name: nothing is left however the process ends
        try:
            with terminal_to_itself(printed.fileno()):
                app.run(mouse=False)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        printed.seek(0)
        sys.stderr.write(printed.read().decode(errors="replace"))
    if (app.return_code or 0) > 128:
        raise SystemExit(app.return_code)
    if app.return_code:
        raise GroktermError("the screen failed, for the reason above; nothing in the run was touched")
