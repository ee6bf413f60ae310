"""All checks, stopping at the first that fails: `python -m tests.check` in the environment that has `[dev]`."""

import shlex
import subprocess
import sys
import time
from pathlib import Path

CHECKS = ("ruff check", "ruff format --check", "mypy", "lint-imports", "pytest")


def main() -> int:
    """Run every check with the programs of this interpreter's environment; the exit status of the one that failed."""
    checkout, programs = Path(__file__).parents[1], Path(sys.executable).parent
    for check in CHECKS:
        print(f"$ {check}", flush=True)
        name, *arguments = shlex.split(check)
        begun = time.monotonic()
        status = subprocess.run([programs / name, *arguments], cwd=checkout, check=False).returncode
        if status:
            print(f"{check}: failed with exit status {status}", file=sys.stderr)
            return status
        print(f"  {time.monotonic() - begun:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
