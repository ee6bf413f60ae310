"""Other people's names and shapes of the one-layer transformer, and ours: which layout a file has, and its weights.

What we call W_E, W_pos, W_Q, W_K, W_V, W_O, W_in, b_in, W_out, b_out, W_U (`models/transformer.py`) is the same in
TransformerLens, but for frozen biases. In Nanda's own code every matrix stands the other way round, and W_O is one
matrix (d_model, n_heads · d_head) whose columns go head by head: two dimensions where TransformerLens has three.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from pydantic import TypeAdapter, ValidationError
from torch import Tensor

from grokterm.errors import UsageError
from grokterm.values import OddPrime, sentence

Layout = Literal["TransformerLens", "Nanda", "grokterm"]

NEEDED = ("W_E", "W_pos", "W_Q", "W_K", "W_V", "W_O", "W_in", "W_out", "W_U")
BIASES = ("b_in", "b_out")
"""Zero where a file leaves them out."""
FROZEN = ("b_Q", "b_K", "b_V", "b_O", "b_U")
"""TransformerLens has them, the papers keep them at zero, and our model does without."""
NO_WEIGHTS = ("mask", "IGNORE", "x_embed", "y_embed")
N_CTX = 3
"""a, b and `=`."""
MOST_ACTIVATIONS = 200_000_000
"""p² · d_mlp, the numbers that an evaluation holds several times over: 30 times those of p = 113, d_mlp = 512."""

_BLOCK = re.compile(r"blocks\.(\d+)\.")


@dataclass(frozen=True, eq=False)
class Weights:
    """The weights of one model by our names, still in the file's memory, and what was left out of them."""

    layout: Layout
    p: int
    tensors: Mapping[str, Tensor]
    dropped: str
    """What the file has more than our model: a sentence's part, "" for nothing."""

    def copied(self) -> dict[str, Tensor]:
        """The weights in memory of their own, float32 or, where the file has it, float64."""
        widest = torch.float64 if any(t.dtype == torch.float64 for t in self.tensors.values()) else torch.float32
        return {name: tensor.to(widest, copy=True).contiguous() for name, tensor in self.tensors.items()}

    def not_finite(self) -> str:
        """Name of the first parameter with a NaN or an infinity, "" where all numbers are numbers."""
        return next((name for name, tensor in self.tensors.items() if not tensor.isfinite().all()), "")


def is_state_dict(values: object) -> bool:
    """Whether this is a model's weights by name: it has a W_E among them."""
    return isinstance(values, Mapping) and any(isinstance(name, str) and _last(name) == "W_E" for name in values)


def weights(values: Mapping[Any, object], p: int | None = None) -> Weights:
    """Recognise the layout by names and shapes and return the weights in ours.

    The tensors are ones that `tensors.py` lets in; `p` is what a person says it is. Raises UsageError.
    """
    found = _by_last_name(values)
    is_ours = any(str(name).startswith("model/") for name in values)
    layout: Layout = "Nanda" if found["W_O"].ndim == 2 else "grokterm" if is_ours else "TransformerLens"
    for name in NEEDED:
        if found[name].ndim != (3 if name in ("W_Q", "W_K", "W_V") or (name == "W_O" and layout != "Nanda") else 2):
            shape = tuple(found[name].shape)
            raise UsageError(f"{name} has the shape {shape}, which is neither TransformerLens's layout nor Nanda's")
    turned = _turned(found) if layout == "Nanda" else dict(found)
    _check_shapes(turned, layout)
    p, dropped = _trimmed(turned, p)
    _refuse_biases({name: found[name] for name in FROZEN if name in found}, p)
    if p * p * turned["W_in"].shape[1] > MOST_ACTIVATIONS:
        raise UsageError(f"d_mlp = {turned['W_in'].shape[1]:,} at p = {p} needs more memory than an import may take")
    ours = (*NEEDED[:7], "b_in", "W_out", "b_out", "W_U")
    return Weights(layout, p, {name: turned[name] for name in ours}, dropped)


def _last(name: str) -> str:
    return re.split(r"[./]", name)[-1]


def _by_last_name(values: Mapping[Any, object]) -> dict[str, Tensor]:
    """The tensors under the last part of their names. Raises UsageError for what no one-layer model of ours has."""
    found: dict[str, Tensor] = {}
    for name, value in values.items():
        said = repr(str(name)[:60])
        if not isinstance(name, str):
            raise UsageError(f"a weight is named {said}, which is no text")
        if name.startswith(("optimizer/", "random/")):  # the rest of a full checkpoint of ours
            continue
        last, block = _last(name), _BLOCK.search(name)
        if last in NO_WEIGHTS:
            continue
        if block and block[1] != "0":
            raise UsageError(f"it has a second layer ({said}); grokterm's transformer has one")
        if last not in (*NEEDED, *BIASES, *FROZEN):
            raise UsageError(f"it has a weight {said}, which grokterm's one-layer transformer has not")
        if last in found:
            raise UsageError(f"it has two weights called {last}")
        found[last] = _floating(last, value)
    missing = [name for name in NEEDED if name not in found]
    if missing:
        raise UsageError(f"it has no {' and no '.join(missing)}, so it is not the weights of a one-layer transformer")
    return found


def _floating(name: str, value: object) -> Tensor:
    if not isinstance(value, Tensor):
        raise UsageError(f"{name} is a {type(value).__name__}, not a tensor")
    if not value.is_floating_point():
        raise UsageError(f"{name} holds {str(value.dtype).removeprefix('torch.')}, not floating-point numbers")
    if value.numel() == 0:
        raise UsageError(f"{name} has the shape {tuple(value.shape)}, which holds nothing")
    return value.detach()


def _turned(found: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Nanda's weights the way round that TransformerLens and we have them."""
    n_heads, d_head, d_model = found["W_Q"].shape
    if found["W_O"].shape != (d_model, n_heads * d_head):
        raise UsageError(
            f"W_O has the shape {tuple(found['W_O'].shape)}, where W_Q {tuple(found['W_Q'].shape)} asks for "
            f"{(d_model, n_heads * d_head)}"
        )
    return {
        **found,
        **{name: found[name].T for name in ("W_E", "W_in", "W_out")},
        **{name: found[name].transpose(1, 2) for name in ("W_Q", "W_K", "W_V")},
        "W_O": found["W_O"].T.reshape(n_heads, d_head, d_model),
    }


def _check_shapes(turned: dict[str, Tensor], layout: Layout) -> None:
    """Raise UsageError unless all shapes are those of one model; biases that are missing become zeros."""
    (n_ctx, d_model), (n_heads, _, d_head), d_mlp = turned["W_pos"].shape, turned["W_Q"].shape, turned["W_in"].shape[1]
    if n_ctx != N_CTX:
        raise UsageError(f"W_pos has {n_ctx} positions; grokterm's modular task has {N_CTX}: a, b and =")
    if n_heads * d_head != d_model:
        raise UsageError(
            f"{n_heads} heads of {d_head} are not d_model = {d_model}, as in grokterm's transformer they are"
        )
    for name, count in (("b_in", d_mlp), ("b_out", d_model)):
        turned.setdefault(name, torch.zeros(count))
    attention, W_E, W_U = (n_heads, d_model, d_head), turned["W_E"], turned["W_U"]
    shapes = {
        "W_E": (W_E.shape[0], d_model),
        **dict.fromkeys(("W_Q", "W_K", "W_V"), attention),
        "W_O": (n_heads, d_head, d_model),
        "W_in": (d_model, d_mlp),
        "b_in": (d_mlp,),
        "W_out": (d_mlp, d_model),
        "b_out": (d_model,),
        "W_U": (d_model, W_U.shape[-1]),
    }
    for name, shape in shapes.items():
        if tuple(turned[name].shape) != shape:
            which = f" ({layout}'s layout, turned to ours)" if layout == "Nanda" else ""
            raise UsageError(f"{name} has the shape {tuple(turned[name].shape)}, where {shape} is needed{which}")


def _trimmed(turned: dict[str, Tensor], said: int | None) -> tuple[int, str]:
    """Find p, cut W_E and W_U to the task's p + 1 tokens and p answers, and say what that left out."""
    tokens, answers = turned["W_E"].shape[0], turned["W_U"].shape[1]
    p = tokens - 1 if said is None else said
    try:
        TypeAdapter(OddPrime).validate_python(p)
    except ValidationError as error:
        raise UsageError(f"W_E has {tokens} tokens, so p would be {p}, which {sentence(error)}") from error
    if said is None and answers not in (p, p + 1):
        raise UsageError(
            f"W_E has {tokens} tokens and W_U {answers} answers, so p is not certain; say it, for instance --p {p}"
        )
    if tokens < p + 1 or answers < p:
        raise UsageError(
            f"--p {p} needs {p + 1} tokens and {p} answers; W_E has {tokens} tokens and W_U {answers} answers"
        )
    turned["W_E"], turned["W_U"] = turned["W_E"][: p + 1], turned["W_U"][:, :p]
    parts = [f"the rows of W_E after token {p}"] if tokens > p + 1 else []
    if answers > p:
        parts.append("the column of = in W_U" if answers == p + 1 else f"the columns of W_U after {p - 1}")
    return p, " and ".join(parts)


def _refuse_biases(biases: Mapping[str, Tensor], p: int) -> None:
    for name, bias in biases.items():
        used = bias[:p] if name == "b_U" else bias
        if used.any():
            raise UsageError(f"{name} is not zero, and grokterm's transformer has no such bias")
