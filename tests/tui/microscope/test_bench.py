"""What lies under the microscope is paid for: what was computed of it, and what drawing it took."""

import time
from pathlib import Path

import pytest

from grokterm.history import History
from grokterm.tui.microscope import bench as module
from grokterm.tui.microscope.bench import Bench
from grokterm.tui.microscope.lens import Subject
from grokterm.tui.microscope.pace import Pace
from tests.recorded_networks import record_networks
from tests.small_lenses import SmallLens
from tests.waiting import wait_for


class Clock:
    """Time as it is, and processor time as the test says."""

    def __init__(self) -> None:
        self.processor = 100.0
        self.monotonic = time.monotonic

    def thread_time(self) -> float:
        return self.processor


def test_what_was_computed_is_paid_for_and_what_was_drawn_since_the_wish(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, pace, lens = Clock(), Pace(0.5, lost=3.0), SmallLens("1", "one", "neuron")
    monkeypatch.setattr(module, "time", clock)
    bench = Bench(History(record_networks(tmp_path)), pace, lambda: "training")
    bench.begin(None)
    for neuron, drawing, computing in ((0, 0.25, 0.5), (1, 0.125, 2.0)):
        bench.wish([lens], Subject(neuron=neuron))
        wait_for(lambda: not bench.workshop.is_busy)
        clock.processor += drawing
        now = 1000.0 * (neuron + 1)
        with monkeypatch.context() as known:
            known.setattr(bench.workshop, "spent", lambda seconds=computing: seconds)
            bench.pay(now)
        assert pace.free == now + (computing + 3 * drawing) / 0.5
        clock.processor += 50.0  # nobody wished for what the thread does meanwhile
    bench.workshop.spent()
    bench.pay(3000.0)
    assert pace.free < 3000.0  # nothing was computed
    bench.workshop.close()
