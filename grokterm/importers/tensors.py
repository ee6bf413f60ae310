"""What every tensor of somebody else's file must be before any of them is looked at: plain numbers, all in the file.

A file may hold tensors without data, in parts, or of one number that is repeated to billions by a stride of 0. None of
Nanda's files or TransformerLens's has any, and every later step would fail on them in its own way, or take all memory.
"""

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

NUMBERS = frozenset(
    {torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.bool}
    | {torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64}
)
_LONGEST_NAME = 60


def odd_tensor(values: Mapping[object, object], size: int) -> str:
    """Say in a sentence's part what is wrong with the first odd tensor at any depth; "" when there is none.

    `size` is the file's, in bytes: no tensor may claim more.
    """
    seen: set[int] = set()
    waiting: list[tuple[str, str, object]] = [("", "", values)]
    while waiting:
        above, name, value = waiting.pop()
        if isinstance(value, Tensor):
            wrong = _wrong(value, size)
            if wrong:
                return f"{_said(name)}{f' in {_said(above)}' if above not in ('', name) else ''} {wrong}"
        elif isinstance(value, Mapping | list | tuple) and id(value) not in seen:  # a list may hold itself
            seen.add(id(value))
            waiting += reversed([(above or name, inside, item) for inside, item in _held(name, value)])
    return ""


def _held(name: str, value: Mapping[object, object] | Iterable[object]) -> Iterable[tuple[str, object]]:
    """The values that may hold or be tensors, each with what it is called; keys may be tensors too."""
    if not isinstance(value, Mapping):
        return ((name, item) for item in value if isinstance(item, Tensor | Mapping | list | tuple))
    keys = ((f"a key of {name}" if name else "a key", key) for key in value if isinstance(key, Tensor | tuple))
    items = ((key, item) for key, item in value.items() if isinstance(item, Tensor | Mapping | list | tuple))
    return (*keys, *((str(key) if isinstance(key, str | int) else name, item) for key, item in items))


def _wrong(tensor: Tensor, size: int) -> str:
    if tensor.is_nested:
        return "is a nested tensor, and only dense ones are read"
    if tensor.layout != torch.strided:
        return f"is a {_word(tensor.layout)} tensor, and only dense ones are read"
    if tensor.device.type != "cpu":
        return f"has no numbers in the file: it is on the device {tensor.device.type}"
    if tensor.dtype not in NUMBERS:
        known = "float16, bfloat16, float32, float64, integers and bool"
        return f"holds {_word(tensor.dtype)}, and only {known} are read"
    if tensor.numel() * tensor.element_size() > size:
        return f"claims the shape {tuple(tensor.shape)}, more than the whole file holds"
    return ""


def _word(named: object) -> str:
    return str(named).removeprefix("torch.")


def _said(name: str) -> str:
    """A name from the file, to be shown."""
    return ascii(name[:_LONGEST_NAME])[1:-1]
