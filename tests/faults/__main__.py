"""Everything that can go wrong with a trainer, many times: `python -m tests.faults`, in the environment with `[dev]`.

Prints a line for each kind of fault: how often, what was made sure of, how long it took. Ends with exit status 1 when
anything was found to be wrong; the runs that show it are kept, and told.
"""

import argparse
import secrets
import shutil
import sys
import tempfile
import time
import traceback
from pathlib import Path

from tests.faults.kinds import LONG_FORM, Kind
from tests.faults.undisturbed import Undisturbed, train_undisturbed


def main() -> int:
    """Do as many as the command line says; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__.splitlines()[0])
    parser.add_argument("--only", metavar="KINDS", help=f"some of {', '.join(LONG_FORM)}, with commas between them")
    parser.add_argument("--seed", type=int, help="what is random is chosen as in the run that printed this number")
    parser.add_argument("--folder", type=Path, help="where runs are made, instead of the system's folder for such")
    given = parser.parse_args()
    chosen = given.only.split(",") if given.only else list(LONG_FORM)
    if unknown := set(chosen) - LONG_FORM.keys():
        parser.error(f"there is no {', '.join(sorted(unknown))}; kinds are {', '.join(LONG_FORM)}")
    seed = secrets.randbelow(2**31) if given.seed is None else given.seed
    folder = Path(tempfile.mkdtemp(prefix="faults-", dir=given.folder))
    print(f"seed {seed}, in {folder}", flush=True)
    begun = time.monotonic()
    whole = train_undisturbed(folder / "undisturbed")
    held = [_did(name, LONG_FORM[name], folder, whole, seed) for name in chosen]
    print(f"{sum(held)} of {len(held)} kinds of fault did no harm, {time.monotonic() - begun:.0f} s", flush=True)
    if all(held):
        shutil.rmtree(folder)
        return 0
    print(f"what went wrong is in {folder}; --seed {seed} makes it again", file=sys.stderr)
    return 1


def _did(name: str, kind: Kind, folder: Path, whole: Undisturbed, seed: int) -> bool:
    """Try one kind of fault and print what came of it; whether nothing was wrong."""
    begun = time.monotonic()
    try:
        found = str(kind(folder / name, whole, seed))
        good = True
    except AssertionError:
        found, good = f"FAILED\n{traceback.format_exc()}", False
    print(f"{name:<10} {time.monotonic() - begun:5.0f} s  {found}", flush=True)
    return good


if __name__ == "__main__":
    sys.exit(main())
