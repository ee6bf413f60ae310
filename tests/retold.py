"""A run whose trainer dies again and again and is resumed: its files, and what must be read of them then."""

import copy
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import numpy as np

from grokterm.run.directory import RunDirectory, create
from grokterm.run.events import EventLog
from grokterm.run.table import TableWriter, cut_after

SCALAR = "<f8"
COLUMNS = {
    "train_loss": np.dtype([("step", "<i8"), ("time", SCALAR), ("train_loss", SCALAR), ("lr", SCALAR)]),
    "test_loss": np.dtype([("step", "<i8"), ("test_loss", SCALAR)]),
    "weight_norm": np.dtype([("step", "<i8"), ("weight_norm", SCALAR)]),
    "spectrum": np.dtype([("step", "<i8"), ("value", "<f4", (2,))]),
}
BEGAN = 1_800_000_000.0
FIRST_LR = 1e-3

Told = tuple[str, int, dict[str, object]]


@dataclass
class Known:
    """What a run is, as its trainer knows: events that hold, rows of every table, the last values of what is told."""

    step: int = 0
    evaluated: int = -1
    lr: float = FIRST_LR
    events: list[Told] = field(default_factory=list)
    rows: dict[str, list[tuple[int, float]]] = field(
        default_factory=lambda: {"train_loss": [], "test_loss": [], "weight_norm": [], "spectrum": []}
    )


@dataclass
class Saved:
    """A checkpoint: what was known, and how many events the file held."""

    known: Known
    keeps: int


class Retold:
    """Trains by formula. No number is ever written twice, so a row that is left over from an earlier life is found."""

    def __init__(self, runs: Path) -> None:
        self.run: RunDirectory = create(runs, "retold")
        self.run.write_config({"format": 1, "preset": "retold", "training": {"steps": 1000}})
        self.now = Known()
        self.saved: list[Saved] = []
        self.log = EventLog(self.run.events_path)
        self._written = 0
        self._asked = 0
        self._files = {
            "train_loss": self.run.steps_path,
            "test_loss": self.run.tests_path,
            "weight_norm": self.run.measures_path,
            "spectrum": self.run.arrays / "spectrum.npy",
        }
        self.tell("state", state="training", device="cpu", threads=1, knobs={"lr": FIRST_LR, "steps": 1000})
        self.save()

    def tell(self, kind: str, **data: object) -> None:
        """Write an event of this step."""
        self.log.write(kind, self.now.step, **data)
        self.now.events.append((kind, self.now.step, data))

    def has(self, name: str) -> bool:
        """Whether there is a file for these rows, perhaps of none."""
        return self._files[name].exists()

    def train(self, updates: int) -> None:
        """Evaluate and update; test data at every second step, measures at every third."""
        for _ in range(updates):
            step = self.now.step
            if step > self.now.evaluated:
                if step % 2 == 0:
                    self._row("test_loss")
                if step % 3 == 0:
                    self._row("weight_norm")
                    self._row("spectrum")
                self.now.evaluated = step
            self._row("train_loss")
            self.now.step += 1

    def edit(self) -> None:
        """Obey a request to turn a knob."""
        self._asked += 1
        old, self.now.lr = self.now.lr, FIRST_LR / (1 + self._asked)
        self.tell("edit", knob="lr", old=old, new=self.now.lr, moments="kept", request=f"r{self._asked}")

    def phase(self) -> None:
        """Enter a phase, or be certain of a mark."""
        self._asked += 1
        name, what = ("mark", "grokked_at") if self._asked % 3 == 0 else ("phase", f"phase {self._asked}")
        self.tell("phase", at=max(self.now.step - 1, 0), why="a test", **{name: what})

    def save(self) -> None:
        """Write a checkpoint."""
        self.saved.append(Saved(copy.deepcopy(self.now), self.log.count))

    def die(self, torn: bytes) -> None:
        """End in the middle of a line and of a row."""
        with self.run.events_path.open("ab") as file:
            file.write(torn)
        if self.run.steps_path.exists():
            with self.run.steps_path.open("ab") as file:
                file.write(b"torn")

    def resume(self, which: int = -1) -> None:
        """Go on from a checkpoint; later ones cannot be read any more."""
        passed_over = len(self.saved) - 1 - (which % len(self.saved))
        del self.saved[len(self.saved) - passed_over :]
        place = self.saved[-1]
        self.now = copy.deepcopy(place.known)
        for name, path in self._files.items():
            cut_after(path, self.now.step - 1 if name == "train_loss" else self.now.evaluated)
        self.log = EventLog(self.run.events_path)
        knobs = {"lr": self.now.lr, "steps": 1000}
        why = f"{passed_over} passed over" if passed_over else ""
        told = {"keeps": place.keeps, "checkpoint": f"checkpoints/{self.now.step:09d}.safetensors", "why": why}
        self.tell("state", state="resumed", **told, device="cpu", threads=1, knobs=knobs)

    def act(self, random: Random) -> None:
        """Do something that trainers do."""
        match random.choices(["train", "edit", "phase", "note", "save", "resume"], [6, 2, 2, 1, 2, 2])[0]:
            case "train":
                self.train(random.randint(1, 7))
            case "edit":
                self.edit()
            case "phase":
                self.phase()
            case "note":
                self.tell("note", text="nan")
            case "save":
                self.save()
            case _:
                line = b'{"event": "note", "step": 3, "time": 1.5, "text": "torn"}'
                self.die(line[: random.randint(0, len(line) - 1)])
                self.resume(random.randrange(-min(3, len(self.saved)), 0))

    def _row(self, name: str) -> None:
        self._written += 1
        value = float(np.float32(self._written / 64))
        self.now.rows[name].append((self.now.step, value))
        with TableWriter(self._files[name], COLUMNS[name]) as table:
            match name:
                case "train_loss":
                    table.append(self.now.step, BEGAN + self._written, value, self.now.lr)
                case "spectrum":
                    table.append(self.now.step, [value, -value])
                case _:
                    table.append(self.now.step, value)
