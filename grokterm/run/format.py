"""Which format a run is written in: run.toml says it, and what an older one says is put into today's terms.

The number changes only when an older reader would misunderstand what it reads. What is merely new is ignored by those
who do not know it.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from grokterm.errors import RunError

FORMAT = 1
"""The format that this grokterm writes, and the latest that it reads."""

_MOST = 2**63  # what is larger is no version, and may have too many digits to be written

Upgrade = Callable[[Mapping[str, Any]], dict[str, Any]]
"""Makes what a run.toml of the next format would say; the tables inside are shared between runs and never changed."""

UPGRADES: dict[int, Upgrade] = {}
"""By the format that each reads: one for every format before `FORMAT`."""


def upgraded(config: dict[str, Any], path: Path) -> dict[str, Any]:
    """Return what a run.toml says as one of format `FORMAT` says it. `path` is where it was read.

    Without `format` it is taken for one of format 1. Raises RunError for a newer format, and for what is none.
    """
    said = config.get("format", 1)
    if said == FORMAT and type(said) is int:
        return config
    if isinstance(said, bool) or not isinstance(said, int) or not 1 <= said < _MOST:
        raise RunError(f"{path}: format must be a whole number; this grokterm reads 1 to {FORMAT}")
    if said > FORMAT:
        raise RunError(f"{path} was written by a newer grokterm (format {said}); this one reads up to {FORMAT}")
    for version in range(said, FORMAT):
        config = UPGRADES[version](config) | {"format": version + 1}
    return config
