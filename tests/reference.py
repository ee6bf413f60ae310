"""Two checkpoints that other people trained, as grokterm models, and what somebody else's code measured on them.

The files lie beside the checkout, not in it; where they are missing, the tests that need them are skipped.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from torch import Tensor

from grokterm.engine.task import Task
from grokterm.importers.layouts import weights
from grokterm.models.transformer import Transformer
from grokterm.tasks.modular import modular

FOLDER = Path(__file__).parents[2] / "shared" / "reference"
TRANSFORMER_LENS = "tl_layout_seed1.pt"
NANDA = "nanda_layout_float32_loss.pth"
NAMES = (TRANSFORMER_LENS, NANDA)

Form = Literal["fast", "reference"]
FORMS: tuple[Form, ...] = ("fast", "reference")

needed = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"the reference checkpoints are not there: {FOLDER}")


@dataclass(frozen=True)
class Reference:
    """One checkpoint: its task with its own split, its float32 weights by our names, and expected.json's entry."""

    task: Task
    weights: dict[str, Tensor]
    expected: dict[str, Any]
    dropped_sq: float
    """Σ w² of the column of `=` in W_U, which our model does not have."""

    def model(self, form: Form, dtype: torch.dtype) -> Transformer:
        """The checkpoint as a model of that form and precision."""
        model = Transformer(self.task, exact=form)
        model.load_state_dict(self.weights)
        return model.to(dtype)


@cache
def load(name: str) -> Reference:
    """Read one of the two checkpoints."""
    stored = torch.load(FOLDER / name, weights_only=True, map_location="cpu")
    expected = json.loads((FOLDER / "expected.json").read_text())[name]
    if name == TRANSFORMER_LENS:
        return Reference(modular(split="torch", split_seed=1), weights(stored).copied(), expected, 0.0)
    model = stored["model"]
    dropped_sq = float(model["unembed.W_U"][:, -1].double().square().sum())
    return Reference(modular(split="python", split_seed=1), weights(model).copied(), expected, dropped_sq)
