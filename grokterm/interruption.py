"""Being asked to end, or losing the terminal, as an exception: whoever is writing removes what is half written."""

import contextlib
import signal
import threading
from collections.abc import Collection, Iterator
from types import FrameType

ASKED_BY = (signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def signals_raise(asked_by: Collection[int] = ASKED_BY) -> Iterator[None]:
    """Let SIGTERM and SIGHUP, or those given, raise SystemExit(128 + number) in here, as Ctrl+C a KeyboardInterrupt.

    One that the program was started to ignore stays ignored: under nohup it outlives its terminal.
    """

    def leave(number: int, _: FrameType | None) -> None:
        raise SystemExit(128 + number)

    if threading.current_thread() is not threading.main_thread():  # Python lets nobody else have signal handlers
        yield
        return
    before = {number: signal.getsignal(number) for number in asked_by}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, leave)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
