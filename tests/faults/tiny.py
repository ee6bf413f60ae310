"""The run that everything is done to: tiny, and all that can happen in a run happens in it.

What a person does is asked before training begins, each for a step, so that every trainer does it at the same place.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path

from grokterm.run.directory import RunDirectory, create
from grokterm.run.events import ask

PRESET = """
description = "a tiny task"
[task]
name = "modular"
p = 7
train_fraction = 0.5
[model]
name = "transformer"
d_model = 8
n_heads = 2
d_mlp = 12
[optimizer]
name = "adamw"
lr = 1e-2
weight_decay = 5.0
[training]
steps = STEPS
seed = 3
warmup_steps = 10
test_every = 3
measure_every = 4
checkpoint_every = 5
threads = 1
device = "cpu"
measure_on_end = false
[[interventions]]
at = 3
set = { weight_decay = 2.0 }
[[interventions]]
when = "test_loss < 100"
set = { beta2 = 0.95 }
[[interventions]]
when = "train_loss <= 1.9"
set = { lr = 5e-3 }
moments = "reset"
"""
ASKED: tuple[tuple[str, Mapping[str, object]], ...] = (
    ("set", {"knob": "eps", "value": 1e-7, "at": 2}),
    ("note", {"text": "inf", "at": 2}),
    ("snapshot", {"note": "half", "at": 5}),
    ("set", {"knob": "lr", "value": 0.02, "moments": "reset", "at": 5}),
    ("set", {"knob": "no such knob", "value": 1}),
)


def make(folder: Path, steps: int, *, asked: bool = True, also: int = 0) -> RunDirectory:
    """Make the directory of a tiny run in a folder of its own, with its preset and its requests; nothing is trained.

    also: so many edits, notes and snapshots more, spread over the steps.
    """
    write_preset(folder, steps)
    run = create(folder / "runs", "tiny")
    for do, data in ASKED if asked else ():
        ask(run.path, do, **data)
    for number in range(also):
        at = 6 + number * (steps - 8) // max(also, 1)
        do, data = _more(number)
        ask(run.path, do, **data, at=at)
    return run


def write_preset(folder: Path, steps: int) -> Path:
    """Make a folder with a preset, beside which its runs are to lie."""
    folder.mkdir(parents=True)
    path = folder / "tiny.toml"
    path.write_text(PRESET.replace("STEPS", str(steps)))
    return path


def preset_of(run: RunDirectory) -> Path:
    """Where the preset of a run lies."""
    return run.path.parent.parent / "tiny.toml"


def copy_of(run: RunDirectory, folder: Path) -> RunDirectory:
    """The run and its preset once more, in a folder of their own."""
    made = RunDirectory(folder / "runs" / run.name)
    shutil.copytree(run.path, made.path)
    shutil.copy(preset_of(run), preset_of(made))
    return made


def _more(number: int) -> tuple[str, Mapping[str, object]]:
    match number % 3:
        case 0:
            return "set", {"knob": "weight_decay", "value": 1.0 + number % 5, "moments": "kept"}
        case 1:
            return "note", {"text": f"note {number}: ä “nan”"}
    return "snapshot", {"note": f"snapshot {number}"}
