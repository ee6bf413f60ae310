"""Sentences and exit codes that a person meets."""

import pytest

from grokterm.errors import GroktermError, RunError, TrainingError, UsageError, nearest

KNOBS = ("lr", "weight_decay", "beta1")


@pytest.mark.parametrize(
    ("name", "valid", "ending"),
    [
        ("weigth_decay", KNOBS, "did you mean 'weight_decay'?"),
        ("LR", KNOBS, "did you mean 'lr'?"),
        ("momentum", KNOBS, "valid names: beta1, lr, weight_decay"),
        ("wd", ["W_E", "WD"], "did you mean 'WD'?"),
        ("lr", [], "there are none"),
    ],
)
def test_nearest_name(name: str, valid: list[str], ending: str) -> None:
    assert nearest(name, valid) == ending


def test_exit_codes_differ() -> None:
    assert [error.exit_code for error in (GroktermError, UsageError, RunError, TrainingError)] == [1, 2, 3, 4]
