"""A signal to end is an exception in whoever writes, unless the program was told to ignore it."""

import os
import signal
import threading

import pytest

from grokterm.interruption import ASKED_BY, signals_raise


@pytest.mark.parametrize("number", ASKED_BY)
def test_a_signal_to_end_is_raised_and_its_handler_comes_back(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with pytest.raises(SystemExit) as ended, signals_raise():
        os.kill(os.getpid(), number)
    assert ended.value.code == 128 + number
    assert signal.getsignal(number) == before


@pytest.mark.parametrize("number", ASKED_BY)
def test_what_is_ignored_stays_ignored(number: signal.Signals) -> None:
    before = signal.signal(number, signal.SIG_IGN)
    try:
        with signals_raise():
            os.kill(os.getpid(), number)
        assert signal.getsignal(number) == signal.SIG_IGN
    finally:
        signal.signal(number, before)


def test_another_thread_leaves_the_handlers_alone() -> None:
    before, during = [signal.getsignal(number) for number in ASKED_BY], list[object]()

    def write() -> None:
        with signals_raise():
            during.extend(signal.getsignal(number) for number in ASKED_BY)

    thread = threading.Thread(target=write)
    thread.start()
    thread.join()
    assert during == before
