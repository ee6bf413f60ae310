"""What a file's `config` and `optimizer` say about how it was trained, in our words."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from grokterm.errors import UsageError
from grokterm.importers.choices import Choices
from grokterm.values import Beta, Fraction, NotNegative, Positive, Seed

_NAMES: dict[str, tuple[str, ...]] = {
    "lr": ("lr", "learning_rate"),
    "weight_decay": ("weight_decay", "wd"),
    "eps": ("eps",),
    "fraction": ("frac_train", "train_fraction", "train_frac"),
    "operation": ("fn_name", "fn", "operation"),
}
_SEEDS = ("data_seed", "split_seed", "seed")
_KINDS: dict[str, Any] = {
    "lr": NotNegative,
    "weight_decay": NotNegative,
    "eps": Positive,
    "fraction": Fraction,
    "betas": tuple[Beta, Beta],
}
_MUST_BE: dict[str, tuple[object, ...]] = {
    "n_layers": (1,),
    "num_layers": (1,),
    "act_fn": ("relu",),
    "act_type": ("relu",),
    "normalization_type": (None,),
    "use_ln": (False, 0),
    "attn_only": (False, 0),
    "use_attn_scale": (True, 1),
    "attention_dir": ("causal",),
    "positional_embedding_type": ("standard",),
}
"""What makes a model another function than ours although its weights have the same shapes."""

_SAME = 1e-6
"""Relative difference of a number that went through float32."""


@dataclass(frozen=True)
class Settings:
    """Values that the file gives; None and () where it does not."""

    lr: float | None = None
    weight_decay: float | None = None
    betas: tuple[float, float] | None = None
    eps: float | None = None
    fraction: float | None = None
    operation: str | None = None
    seeds: tuple[int, ...] = ()


def settings(config: object, optimizer: object) -> Settings:
    """Read both; what stands in the optimizer's first group counts more. A value that cannot be one is left out.

    Raises UsageError when the config names a model that computes something else than ours.
    """
    said: Mapping[object, object] = config if isinstance(config, Mapping) else {}
    group = _first_group(optimizer)
    for key, allowed in _MUST_BE.items():
        value = said.get(key, allowed[0])
        value = value.lower() if isinstance(value, str) else value
        if isinstance(value, str | int | float | None) and value not in allowed:
            raise UsageError(
                f"its config says {key} = {repr(said[key])[:40]}; grokterm's transformer has {allowed[0]!r}"
            )
    found = {
        ours: next((place[k] for place in (group, said) for k in names if k in place), None)
        for ours, names in _NAMES.items()
    }
    if "initial_lr" in group:  # a scheduler has been at work on lr
        found["lr"] = group["initial_lr"]
    found["betas"] = group.get("betas", said.get("betas"))
    checked = {name: _checked(kind, found[name]) for name, kind in _KINDS.items()}
    seeds = [said[key] for key in _SEEDS if _checked(Seed, said.get(key)) is not None]
    operation = found["operation"]
    return Settings(
        **checked,
        operation=operation if isinstance(operation, str) else None,
        seeds=tuple(dict.fromkeys(seed for seed in seeds if isinstance(seed, int))),
    )


def refuse_contradictions(said: Choices, found: Settings) -> None:
    """Raise UsageError when a flag gives another learning rate or weight decay than the file."""
    for flag, name, value, known in (
        ("--lr", "learning rate", said.lr, found.lr),
        ("--weight-decay", "weight decay", said.weight_decay, found.weight_decay),
    ):
        if value is not None and known is not None and not math.isclose(value, known, rel_tol=_SAME):
            raise UsageError(f"{flag} {value:g} is not what the file says: it was trained with the {name} {known:g}")


def _first_group(optimizer: object) -> Mapping[object, object]:
    match optimizer:
        case {"param_groups": [{**group}, *_]}:
            return group
    return {}


def _checked(kind: Any, value: object) -> Any:
    if value is None:
        return None
    try:
        checked = TypeAdapter(kind).validate_python(value)
    except ValidationError:
        return None
    return checked
