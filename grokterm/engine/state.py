"""What a full checkpoint holds of training, as named tensors, and putting them back: nothing else is needed to go on.

What is no tensor is in the checkpoint's `state`: see `Trainer.save`.
"""

from collections.abc import Mapping
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import Optimizer

from grokterm.errors import RunError, UsageError

Tensors = Mapping[str, NDArray[Any]]


def weights(model: nn.Module) -> dict[str, NDArray[Any]]:
    """Return the model's parameters and buffers as "model/NAME"."""
    return {f"model/{name}": _numpy(weight) for name, weight in model.state_dict().items()}


def everything(model: nn.Module, optimizer: Optimizer) -> dict[str, NDArray[Any]]:
    """Return the weights, the optimizer's state as "optimizer/NAME/KEY" and the random generators as "random/…"."""
    moments = {
        f"optimizer/{name}/{key}": _numpy(value)
        for name, weight in model.named_parameters()
        for key, value in optimizer.state.get(weight, {}).items()
        if isinstance(value, Tensor)
    }
    generators = {"random/torch": torch.get_rng_state().numpy()}
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        generators["random/cuda"] = torch.cuda.get_rng_state().numpy()
    return {**weights(model), **moments, **generators}


def numbers(model: nn.Module, optimizer: Optimizer) -> dict[str, object]:
    """Return what an optimizer keeps that is no tensor: "NAME/KEY" of its state, and the entries of its groups.

    Raises UsageError for what is neither a tensor nor a number nor a text: it could not be put back.
    """
    kept = {
        f"{name}/{key}": _plain(key, value)
        for name, weight in model.named_parameters()
        for key, value in optimizer.state.get(weight, {}).items()
        if not isinstance(value, Tensor)
    }
    groups = [
        {key: _plain(key, value) for key, value in group.items() if key != "params"} for group in optimizer.param_groups
    ]
    return {"state": kept, "groups": groups}


def restore_numbers(model: nn.Module, optimizer: Optimizer, saved: Mapping[str, Any]) -> None:
    """Put everything back that `numbers` returned; after `restore`."""
    weights = dict(model.named_parameters())
    for place, value in saved["state"].items():
        name, _, key = place.rpartition("/")
        optimizer.state[weights[name]][key] = value
    for group, entries in zip(optimizer.param_groups, saved["groups"], strict=True):
        for key, value in entries.items():
            group[key] = tuple(value) if isinstance(value, list) else value


def _plain(key: str, value: object) -> object:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, tuple) and all(isinstance(item, bool | int | float) for item in value):
        return value
    raise UsageError(f"the optimizer keeps {key} as {type(value).__name__}: only tensors and numbers can be saved")


def restore(model: nn.Module, optimizer: Optimizer, tensors: Tensors) -> None:
    """Put everything back that `everything` returned. Raises RunError when the tensors are those of another model."""
    current = model.state_dict()
    found = {name.removeprefix("model/"): tensor for name, tensor in tensors.items() if name.startswith("model/")}
    if {name: tuple(weight.shape) for name, weight in current.items()} != {n: t.shape for n, t in found.items()}:
        raise RunError("the checkpoint holds another model than run.toml describes")
    with torch.no_grad():
        for name, weight in current.items():
            weight.copy_(torch.from_numpy(found[name]))
    optimizer.state.clear()
    for name, weight in model.named_parameters():
        prefix = f"optimizer/{name}/"
        saved = {key.removeprefix(prefix): torch.tensor(t) for key, t in tensors.items() if key.startswith(prefix)}
        if saved:  # a scalar is a step counter, which torch's optimizers keep on the CPU unless they say otherwise
            optimizer.state[weight] = {key: _beside(value, weight, optimizer) for key, value in saved.items()}
    if "random/torch" in tensors:
        torch.set_rng_state(torch.tensor(tensors["random/torch"]))
    if "random/cuda" in tensors and torch.cuda.is_available():
        torch.cuda.set_rng_state(torch.tensor(tensors["random/cuda"]))


def _beside(value: Tensor, weight: Tensor, optimizer: Optimizer) -> Tensor:
    group = optimizer.param_groups[0]
    counts_there = bool(group.get("fused") or group.get("capturable"))
    return value.to(weight.device) if value.ndim or counts_there else value


def _numpy(tensor: Tensor) -> NDArray[Any]:
    array: NDArray[Any] = tensor.detach().cpu().numpy()
    return array
