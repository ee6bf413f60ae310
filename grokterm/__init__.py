"""Watch and steer small neural networks while they grok, in the terminal.

In Python, `grokterm.open_run(".")` reads what a run recorded (opened.py).
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from grokterm.opened import OpenedRun, open_run

__version__ = "0.1.0"
__all__ = ["OpenedRun", "__version__", "open_run"]


def __getattr__(name: str) -> Any:
    """Import what reads runs when it is first asked for: `grokterm --help` has no use for NumPy."""
    if name in ("OpenedRun", "open_run"):
        return getattr(importlib.import_module("grokterm.opened"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """What completion offers, imported by now or not."""
    return sorted({*globals(), *__all__})
