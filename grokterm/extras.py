"""Packages that only some commands need: loaded when they are, and if missing, one sentence says how to get them."""

import importlib
from types import ModuleType

from grokterm.errors import UsageError


def load(module: str, purpose: str) -> ModuleType:
    """Import an optional package's module. Raises UsageError that says what needs it and how to install it.

    purpose: the beginning of that sentence, "--to parquet".
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        if (error.name or "").partition(".")[0] != package:  # it is there, and something else is wrong with it
            raise UsageError(f"{purpose} needs the package {package}, which cannot be imported: {error}") from error
        how = "wandb" if package == "wandb" else "'grokterm[export]'"
        raise UsageError(f"{purpose} needs the package {package}; `pip install {how}` brings it") from error
