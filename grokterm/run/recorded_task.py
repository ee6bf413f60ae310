"""What a run was trained on, beside its checkpoints: task.npz, so that a saved state can be asked questions later.

The split of the inputs is drawn by the training side; who looks at a run should not have to draw it again.
"""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grokterm.errors import RunError
from grokterm.run.durable import write_whole
from grokterm.run.number_archive import BROKEN, TooLargeError, arrays_in
from grokterm.run.plain_file import opened

MOST_BYTES = 1 << 28
"""Of one array in the file: no task of ours comes near, and a file from a stranger may claim anything."""
_MOST_TOKENS = 1 << 31
_ARRAYS = ("inputs", "labels", "train", "test", "sums")

Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class RecordedTask:
    """A finite data set: every input with its label, and which of them train and which test.

    inputs (n, n_ctx) tokens, int64, or real numbers, float32; labels (n,) classes; train, test: row numbers, disjoint;
    sums (n,): the residue mod p in whose waves the answer to every input is expected, none where there is none. p: the
    modulus, 0 for none.
    """

    inputs: Integers | NDArray[np.float32]
    labels: Integers
    train: Integers
    test: Integers
    n_classes: int
    p: int = 0
    sums: Integers | None = None

    @property
    def is_grid(self) -> bool:
        """Whether the inputs are all p² pairs (a, b), row a·p + b, each with one more token that is always the same."""
        p = self.p
        if not p or self.inputs.dtype.kind == "f" or self.inputs.shape != (p * p, 3):
            return False
        a, b, last = self.inputs.T
        pairs = np.arange(p * p)
        return bool((a == pairs // p).all() and (b == pairs % p).all() and (last == last[0]).all())


def write(path: Path, task: RecordedTask) -> None:
    """Write task.npz, whole and durably. Raises OSError."""
    arrays = {name: getattr(task, name) for name in _ARRAYS if getattr(task, name) is not None}
    content = io.BytesIO()
    np.savez_compressed(content, n_classes=np.int64(task.n_classes), p=np.int64(task.p), **arrays)
    write_whole(path, content.getvalue())


def read(path: Path) -> RecordedTask:
    """Load task.npz. Raises RunError, naming the file, when it is missing, torn or no task."""
    try:
        with opened(path) as file:
            found = arrays_in(file, (*_ARRAYS, "n_classes", "p"), MOST_BYTES)
    except FileNotFoundError as error:
        raise RunError(
            f"{path.parent} has no {path.name}, which says what was learned: `grokterm measure` makes it"
        ) from error
    except TooLargeError as error:
        raise RunError(f"{path} is no task of a run: it claims more numbers than any task has") from error
    except BROKEN as error:
        raise RunError(f"{path} cannot be read as the task of a run: {error}") from error
    wrong = _wrong(found)
    if wrong:
        raise RunError(f"{path} is no task of a run: {wrong}")
    real = found["inputs"].dtype.kind == "f"
    whole: dict[str, Any] = {
        name: array.astype(np.float32 if real and name == "inputs" else np.int64) for name, array in found.items()
    }
    n_classes, p = int(whole.pop("n_classes")), int(whole.pop("p"))
    return RecordedTask(n_classes=n_classes, p=p, **whole)


def _wrong(found: dict[str, NDArray[Any]]) -> str:
    """What is wrong with the arrays of a file, "" for nothing."""
    missing = [name for name in (*_ARRAYS[:4], "n_classes", "p") if name not in found]
    if missing:
        return f"it has no {missing[0]}"
    not_whole = [name for name, array in found.items() if array.dtype.kind not in ("iuf" if name == "inputs" else "iu")]
    if not_whole:
        return f"{not_whole[0]} holds no whole numbers"
    n, p, n_classes = len(found["labels"]) if found["labels"].ndim == 1 else -1, found["p"], found["n_classes"]
    if p.shape or n_classes.shape or not 0 <= int(p) < 1 << 20 or not 0 < int(n_classes) < _MOST_TOKENS:
        return "its p or n_classes is no size"
    if n < 1 or found["inputs"].ndim != 2 or len(found["inputs"]) != n:
        return "inputs and labels do not fit together"
    if found["inputs"].dtype.kind != "f" and not _are_tokens(found["inputs"]):
        return "inputs has values that it cannot have"
    limits = {"labels": (n_classes, n), "train": (n, None), "test": (n, None), "sums": (p, n)}
    for name, (limit, length) in limits.items():
        values = found.get(name)
        if values is None:
            continue
        if values.ndim != 1 or (length is not None and len(values) != length):
            return f"{name} has the shape {values.shape}"
        if len(values) and not (values.min() >= 0 and values.max() < limit):
            return f"{name} has values that it cannot have"
    return ""


def _are_tokens(inputs: NDArray[Any]) -> bool:
    return not inputs.size or bool(inputs.min() >= 0 and inputs.max() < _MOST_TOKENS)
