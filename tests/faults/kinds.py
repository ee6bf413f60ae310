"""Every kind of fault by its name, as often as the long form does it, and as often as there is time for in CI."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.faults.attaching import Rounds, attach
from tests.faults.clock import jump
from tests.faults.full_disk import Refusals, refuse
from tests.faults.hang_ups import hang_up
from tests.faults.kills import Kills, kill
from tests.faults.outcomes import Result
from tests.faults.races import race
from tests.faults.rewinds import rewind
from tests.faults.torn import tear
from tests.faults.undisturbed import Undisturbed

Kind = Callable[[Path, Undisturbed, int], Result]
"""Makes its runs in a folder of its own, compares them with the undisturbed ones, and takes a seed."""


def _often(kind: Callable[..., Result], often: Any) -> Kind:
    return lambda folder, whole, seed: kind(folder, whole, often, seed)


LONG_FORM: Mapping[str, Kind] = {
    "kills": _often(kill, Kills(at_random=120, inside=120, walked=1, program=10)),
    "rewinds": _often(rewind, 1),
    "hang-ups": _often(hang_up, 20),
    "attaching": _often(attach, Rounds(runs=1, rounds=20)),
    "torn": _often(tear, 1),
    "disk": _often(refuse, Refusals(walked=1, read=5, limited=40, filled=40, moved=40, forbidden=40)),
    "races": _often(race, 50),
    "clock": _often(jump, 80),
}
SHORT_FORM: Mapping[str, Kind] = {
    "kills": _often(kill, Kills(at_random=4, inside=4, walked=120, program=0)),
    "rewinds": _often(rewind, 100),
    "hang-ups": _often(hang_up, 2),
    "attaching": _often(attach, Rounds(runs=2, rounds=1)),
    "torn": _often(tear, 150),
    "disk": _often(refuse, Refusals(walked=100, read=200, limited=2, filled=2, moved=2, forbidden=2)),
    "races": _often(race, 4),
    "clock": _often(jump, 8),
}
