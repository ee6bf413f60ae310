"""What recording costs: steps per second with everything written against steps with nothing written, side by side.

    .venv/bin/python tests/benchmarks/recording.py [PRESET] [ROUNDS]

Two trainers of the same preset in one process take turns, a few steps each; both compute the same losses and measures.
One writes rows, events and checkpoints into a run directory on this disk, the other's recorder throws everything away.
Turns are short, so that both see the same moods of the machine; what counts is the sum over all of them.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[2]))

from grokterm.catalog import Catalog
from grokterm.engine.launch import build
from grokterm.engine.recorder import Recorder
from grokterm.engine.trainer import Trainer
from grokterm.preset import read
from grokterm.preset_files import find
from grokterm.run.directory import create
from tests.hosts import alone

STEPS = 10
"""A turn."""
ROUNDS = 120
"""Turns of each: enough for every cadence of the recording to come round many times."""


class Nothing(Recorder):
    """A recorder that writes nothing."""

    def tell(self, kind: str, step: int, /, **data: object) -> None:
        pass

    def step(self, step: int, *values: float) -> None:
        pass

    def test(self, step: int, loss: float, accuracy: float) -> None:
        pass

    def measures(self, step: int, seconds: float, share: float, numbers: Mapping[str, float]) -> None:
        pass

    def array(self, step: int, name: str, value: "np.ndarray[Any, Any]") -> None:
        pass

    def flush(self, *, now: bool = False) -> None:
        pass

    def save(self, step: int, *_: object) -> str:
        return ""


def turn(trainer: Trainer) -> float:
    """Seconds of one turn, as the trainer's own loop takes its steps."""
    trainer.cadence.steps = trainer.step + STEPS
    begun = time.perf_counter()
    while trainer.step < trainer.cadence.steps:
        trainer.inbox.obey()
        trainer.advance()
        trainer.look_at_the_clock()
    return time.perf_counter() - begun


def main() -> None:
    name, rounds = (sys.argv[1:2] or ["mod113-quick"])[0], int((sys.argv[2:3] or [str(ROUNDS)])[0])
    preset = read(find(name), ["training.steps=1000000000"], Catalog())
    cpu = torch.device("cpu")
    with tempfile.TemporaryDirectory() as folder:
        written = build(create(Path(folder), "written"), preset, Catalog(), cpu, alone())
        thrown = build(create(Path(folder), "thrown"), preset, Catalog(), cpu, alone())
        written.recorder.open()
        thrown.recorder.__class__ = Nothing
        for trainer in (written, thrown):
            trainer.begin()
            turn(trainer)
        seconds: dict[Trainer, list[float]] = {written: [], thrown: []}
        for number in range(rounds):
            for trainer in (written, thrown) if number % 2 else (thrown, written):
                seconds[trainer].append(turn(trainer))
        written.recorder.close()
    for trainer, what in ((written, "with recording"), (thrown, "without")):
        middle = statistics.median(seconds[trainer])
        print(
            f"{what:>15}: {STEPS * rounds / sum(seconds[trainer]):.2f} steps/s; {STEPS / middle:.2f} in the median turn"
        )
    share = sum(seconds[thrown]) / sum(seconds[written])
    print(f"{name}: with recording {share:.1%} of the throughput without, over {rounds} turns of {STEPS} steps each")


if __name__ == "__main__":
    main()
