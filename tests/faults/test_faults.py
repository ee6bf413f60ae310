"""The fault suite in short: every kind a few times. `python -m tests.faults` does it often."""

import sys
from pathlib import Path

import pytest

from tests.faults.kinds import SHORT_FORM
from tests.faults.undisturbed import Undisturbed, train_undisturbed

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="open files are found below /proc")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    return train_undisturbed(tmp_path_factory.mktemp("faults"))


@pytest.mark.parametrize("kind", SHORT_FORM)
def test_does_no_harm(kind: str, whole: Undisturbed, tmp_path: Path) -> None:
    SHORT_FORM[kind](tmp_path / kind, whole, 1)
